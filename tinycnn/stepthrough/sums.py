"""Sums that a reader can redo: trees of at most 25 printed numbers a level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MOST = 25  # printed numbers in one sum
_DIGITS = 5  # significant digits of a sum's largest term


@dataclass(frozen=True)
class Product:
    """One term ``a * b``; exact in float64 where a and b are float32."""

    place: str
    a: float
    b: float

    @property
    def value(self) -> float:
        """The product."""
        return self.a * self.b


@dataclass(frozen=True)
class Sum:
    """A number that is the sum of its parts."""

    place: str
    parts: tuple[Sum | Product, ...]
    value: float

    @property
    def terms(self) -> int:
        """Products at the leaves."""
        return sum(part.terms if isinstance(part, Sum) else 1 for part in self.parts)

    @property
    def largest(self) -> Sum | Product:
        """The part of largest size."""
        return max(self.parts, key=lambda part: abs(part.value))


def add(place: str, parts: Sequence[Sum | Product]) -> Sum:
    """Sum up ``parts``, rounding once."""
    return Sum(place, tuple(parts), total(_leaves(parts)))


def total(values: Sequence[float]) -> float:
    """Sum of ``values``, rounded once; of what is not finite, IEEE's sum."""
    return math.fsum(values) if all(map(math.isfinite, values)) else sum(values)


def grouped(place: str, parts: Sequence[Product], noun: str) -> Sum:
    """Sum up many parts over a level of near-equal groups, so that no level prints over 25 numbers."""
    if len(parts) <= MOST:
        return add(place, parts)
    size = math.ceil(len(parts) / math.ceil(len(parts) / (MOST - 1)))
    groups = [parts[first : first + size] for first in range(0, len(parts), size)]
    named = [
        add(f"{noun} {first * size}..{first * size + len(group) - 1}", group)
        for first, group in enumerate(groups)
    ]
    return add(place, named)


def decimals(values: Sequence[float], digits: int = _DIGITS) -> int:
    """Decimals that show the largest of ``values`` with ``digits`` significant digits."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return max(digits - 1 - math.floor(math.log10(largest)), 0) if largest else digits


def number(value: float, digits: int = 5) -> str:
    """A number with that many significant digits, in plain decimals where they stay short."""
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{decimals([value], digits)}f}"


@dataclass(frozen=True)
class Printed:
    """A sum as a reader sees it: each part rounded to the same decimals, their total, and the gap."""

    parts: tuple[str, ...]
    total: str  # what the printed parts add up to, exactly
    value: str  # the unrounded sum, rounded once
    gap: str | None  # value - total where they differ


def printed(terms: Sum) -> Printed:
    """Round a sum's parts for print and add up what is printed, as a pocket calculator would."""
    places = decimals([terms.value, *(part.value for part in terms.parts)])
    unit = 10**places
    if not all(math.isfinite(part.value) for part in terms.parts):
        texts = tuple(f"{part.value}" for part in terms.parts)
        return Printed(texts, f"{terms.value}", f"{terms.value}", None)
    whole = [int(f"{part.value:.{places}f}".replace(".", "")) for part in terms.parts]
    value = int(f"{terms.value:.{places}f}".replace(".", ""))
    gap = value - sum(whole)

    def text(units: int) -> str:
        return f"{'-' if units < 0 else ''}{abs(units) // unit}" + (
            f".{abs(units) % unit:0{places}d}" if places else ""
        )

    return Printed(
        tuple(text(units) for units in whole),
        text(sum(whole)),
        text(value),
        text(gap) if gap else None,
    )


def _leaves(parts: Sequence[Sum | Product]) -> list[float]:
    values: list[float] = []
    for part in parts:
        values += _leaves(part.parts) if isinstance(part, Sum) else [part.value]
    return values
