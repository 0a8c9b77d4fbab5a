"""Sums that a reader can redo: trees of at most 25 printed numbers a level."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from itertools import pairwise

MOST = 25  # printed numbers in one sum
_DIGITS = 5  # significant digits of a sum's largest term
_EXACT = Context(prec=2000)  # any float64 as a decimal fraction


@dataclass(frozen=True)
class Product:
    """A term ``a * b``, and where it stands; exact in float64 where a and b are float32."""

    place: str
    a: float
    b: float

    @property
    def value(self) -> float:
        """The product."""
        return self.a * self.b


@dataclass(frozen=True)
class Term:
    """A term that is no product."""

    place: str
    value: float


@dataclass(frozen=True)
class Sum:
    """A number at ``place``, the ``value`` of the sum of its parts.

    ``columns`` above 1: the parts are drawn as a grid.
    """

    place: str
    parts: tuple[Sum | Product | Term, ...]
    value: float
    columns: int = 1

    @property
    def terms(self) -> int:
        """Terms at the leaves."""
        return sum(part.terms if isinstance(part, Sum) else 1 for part in self.parts)

    @property
    def largest(self) -> Sum | Product | Term:
        """The part of largest size."""
        return max(self.parts, key=lambda part: abs(part.value))


Part = Sum | Product | Term


def add(place: str, parts: Sequence[Part], columns: int = 1) -> Sum:
    """Sum up ``parts``, rounding once."""
    return Sum(place, tuple(parts), total([leaf.value for leaf in leaves(parts)]), columns)


def total(values: Sequence[float]) -> float:
    """Sum of ``values``, rounded once; of what is not finite, IEEE's sum."""
    return math.fsum(values) if all(map(math.isfinite, values)) else sum(values)


def extent(nouns: str, first: int, last: int) -> str:
    """Name a range: "rows 3..5", or "row 3"."""
    one = "class" if nouns == "classes" else nouns.removesuffix("s")
    return f"{one} {first}" if first == last else f"{nouns} {first}..{last}"


def grouped(place: str, parts: Sequence[Part], nouns: str, first: int = 0) -> Sum:
    """Sum up many parts over levels of near-equal groups, so that none prints over 25 numbers.

    Groups are named by what they hold, counted from ``first``: "channels 24..47".
    """
    if len(parts) <= MOST:
        return add(place, parts)
    count = min(math.ceil(len(parts) / (MOST - 1)), MOST - 1)
    groups = []
    for begin, end in spans(len(parts), count):
        name = extent(nouns, first + begin, first + end - 1)
        groups.append(grouped(name, parts[begin:end], nouns, first + begin))
    return add(place, groups)


def mapped(place: str, height: int, width: int, leaf: Callable[[int, int], Part]) -> Sum:
    """Sum up ``leaf(row, column)`` over a map, by regions: at most 5 x 5 of them at each level."""
    return _region(place, (0, height), (0, width), leaf)


def _region(
    place: str, rows: tuple[int, int], columns: tuple[int, int], leaf: Callable[[int, int], Part]
) -> Sum:
    (top, bottom), (left, right) = rows, columns
    if (bottom - top) * (right - left) <= MOST:
        cells = [leaf(i, j) for i in range(top, bottom) for j in range(left, right)]
        return add(place, cells, right - left)
    side = math.isqrt(MOST)
    down = spans(bottom - top, min(side, bottom - top))
    across = spans(right - left, min(side, right - left))
    parts = [
        _region(
            f"{extent('rows', top + r0, top + r1 - 1)}, "
            f"{extent('columns', left + c0, left + c1 - 1)}",
            (top + r0, top + r1),
            (left + c0, left + c1),
            leaf,
        )
        for r0, r1 in down
        for c0, c1 in across
    ]
    return add(place, parts, len(across))


def spans(size: int, count: int) -> list[tuple[int, int]]:
    """Cut range(size) into ``count`` near-equal (first, last) spans, the longer ones first."""
    least, longer = divmod(size, count)
    edges = [i * least + min(i, longer) for i in range(count + 1)]
    return list(pairwise(edges))


def leaves(parts: Sequence[Part]) -> list[Product | Term]:
    """All terms below ``parts``, in order."""
    found: list[Product | Term] = []
    for part in parts:
        if isinstance(part, Sum):
            found += leaves(part.parts)
        else:
            found.append(part)
    return found


# ------------------------------------------------------------------------------------------ print


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


def printed(terms: Sum) -> Printed:
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
