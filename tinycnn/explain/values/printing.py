"""Numbers as a reader sees them: digits, factors, and sums that a pocket calculator redoes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

from tinycnn.explain.values.sums import Part, Sum

_DIGITS = 5  # significant digits of a sum's largest term
_BIGGEST = 5  # terms named one by one
_EXACT = Context(prec=2000)  # any float64 as a decimal fraction


def decimals(values: Sequence[float], digits: int = _DIGITS) -> int:
    """Decimals that show the largest of ``values`` with ``digits`` significant digits."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return max(digits - 1 - math.floor(math.log10(largest)), 0) if largest else digits


def number(value: float, digits: int = _DIGITS) -> str:
    """A number with that many significant digits, in plain decimals where they stay short."""
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{decimals([value], digits)}f}"


def factors(*values: float) -> list[str]:
    """Numbers that a line of arithmetic begins with: two digits more than its result has."""
    return [number(value, _DIGITS + 2) for value in values]


def plus(a: float, b: float) -> str:
    """Print "a + b" so that it equals `number` of their sum; what rounding lacks is a term as well."""
    texts, result = [number(a), number(b)], number(a + b)
    if not math.isfinite(a + b):
        return f"{texts[0]} {_signed(texts[1])}"
    places = decimals([a, b])
    if b and all(abs(value) < 1e6 for value in (a, b)) and max(abs(a), abs(b)) >= 1e-4:
        texts = [f"{value:.{places}f}" for value in (a, b)]
    gap = Decimal(result) - sum(map(Decimal, texts))
    rounding = f" {_signed(f'{gap:f}')} (rounding)" if gap else ""
    return f"{texts[0]} {_signed(texts[1])}{rounding}"


def _signed(text: str) -> str:
    """A number as a further term: "+ 1.5", "- 1.5"."""
    return f"- {text[1:]}" if text.startswith("-") else f"+ {text}"


@dataclass(frozen=True)
class Printed:
    """A sum as a reader sees it, in units of 10**``exponent``.

    Each part is rounded to the same decimals; ``total`` is what the printed parts add up to,
    exactly, ``value`` the unrounded sum, rounded once, and ``gap`` value - total where they differ.
    """

    parts: tuple[str, ...]
    total: str
    value: str
    gap: str | None
    exponent: int
    places: int


def printed(terms: Part) -> Printed:
    """Round a sum's parts for print and add up what is printed, as a pocket calculator would."""
    values = [*(part.value for part in terms.parts), terms.value]
    if not all(map(math.isfinite, values)):
        texts = tuple(f"{value}" for value in values)
        return Printed(texts[:-1], texts[-1], texts[-1], None, 0, 0)
    largest = max(map(abs, values))
    exponent = 0 if largest == 0 or 1e-3 <= largest < 1e6 else math.floor(math.log10(largest))
    scaled = [Decimal(value).scaleb(-exponent, _EXACT) for value in values]
    places = decimals([float(value) for value in scaled])
    *parts, value = (
        value.quantize(Decimal(1).scaleb(-places), context=_EXACT) + 0 for value in scaled
    )
    gap = value - sum(parts)
    return Printed(
        tuple(f"{part:f}" for part in parts),
        f"{sum(parts):f}",
        f"{value:f}",
        f"{gap:f}" if gap else None,
        exponent,
        places,
    )


def equation(terms: Sum) -> str:
    """A sum in one line, as a pocket calculator redoes it: "dz = 1.5 - 0.25 = 1.25"."""
    shown = printed(terms)
    first, *others = shown.parts
    joined = " ".join([first, *map(_signed, others)])
    unit = f" (in units of 1e{shown.exponent})" if shown.exponent else ""
    return f"{terms.place} = {joined} = {shown.total}{rounding(shown)}{unit}"


def rounding(shown: Printed) -> str:
    """What stands behind a printed total: the gap to the unrounded sum, if there is one."""
    return "" if shown.gap is None else f"; unrounded {shown.value}, rounding {shown.gap}"


def factor(value: float, other: float, shown: Printed) -> str:
    """Print a factor so finely that its rounding, times ``other``, is far below the product's.

    In seven significant digits, though, where these are enough. A multiple of 1/1024, such as a
    pixel or a weight of the lesson's first layer, is printed whole.
    """
    whole = abs(value) < 1e6 and (value * 1024).is_integer()
    if whole or not math.isfinite(value * other):
        return f"{value!r}"
    unit, place = shown.places - shown.exponent + 1, math.floor(math.log10(abs(value)))
    size = math.ceil(math.log10(abs(other))) if other else -unit
    digits = min(unit + max(size, 0), max(unit + size, _DIGITS + 1 - place, 1))
    if abs(value) >= 1e-4 and digits >= 0:
        return f"{value:.{digits}f}"
    return f"{value:.{max(digits + place, 1)}e}"


def biggest(tree: Sum) -> tuple[str, ...]:
    """The largest terms of a sum, one line each."""
    ranked = sorted(_placed(tree, ""), key=lambda placed: -abs(placed[1].value))[:_BIGGEST]
    return tuple(
        f"{where}{leaf.place}: {' * '.join(factors(*leaf.factors))} = {number(leaf.value)}"
        if leaf.factors
        else f"{where}{leaf.place}: {number(leaf.value)}"
        for where, leaf in ranked
        if leaf.value != 0
    )


def _placed(tree: Part, where: str) -> Iterator[tuple[str, Part]]:
    """All terms, each with the cell, such as "place (3,4), ", whose sum it is part of."""
    for part in tree.parts:
        if part.parts:
            yield from _placed(part, f"{part.place}, " if part.position else where)
        else:
            yield where, part


def bracketed(text: str) -> str:
    """A negative number in brackets, as a factor is written."""
    return f"({text})" if text.startswith("-") else text
