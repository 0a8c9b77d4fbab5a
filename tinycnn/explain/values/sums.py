"""Sums that a reader can redo: trees of at most 25 printed numbers a level."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, TypeAlias

MOST = 25  # printed numbers in one sum


class Source(NamedTuple):
    """The number that a term is made of, by the name of its array in the pass.

    ``array`` is the layer's x, its z before the activation or y after it, or dy or dz, their gradients, or W;
    ``place`` stands in it, without the image's number. The loss's terms are made of the last layer's numbers,
    those of an example of its operands', by their names.
    """

    array: str
    place: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Both as plain data."""
        return {"array": self.array, "place": list(self.place)}


@dataclass(frozen=True)
class Product:
    """A term ``a * b``, and where it stands; exact in float64 where a and b are float32.

    ``source`` says which number of the pass ``a`` is, where it is one or made of one, ``other`` which ``b``
    is.
    """

    parts: ClassVar[tuple[Part, ...]] = ()
    terms: ClassVar[int] = 1
    columns: ClassVar[int] = 1
    position: ClassVar[tuple[int, ...]] = ()

    place: str
    a: float
    b: float
    source: Source | None = None
    other: Source | None = None

    @property
    def value(self) -> float:
        """The product."""
        return self.a * self.b

    @property
    def factors(self) -> tuple[float, ...]:
        """What is multiplied; nothing where a part is no product."""
        return self.a, self.b

    @property
    def sources(self) -> tuple[Source, ...]:
        """The numbers that it is made of, as far as they are known."""
        return tuple(source for source in (self.source, self.other) if source is not None)

    def to_dict(self) -> dict[str, Any]:
        """Place, value, factors, and the sources of these if there are such, as plain data."""
        factors = {"a": self.a, "b": self.b}
        other = {} if self.other is None else {"other": self.other.to_dict()}
        return {"place": self.place, "value": self.value, **factors, **_where(self), **other}


@dataclass(frozen=True)
class Term:
    """A term that is no product; ``source`` says which number of the pass it is made of, where it is of one.

    ``position``, (row, column) of a kernel, has one that stands for padding.
    """

    parts: ClassVar[tuple[Part, ...]] = ()
    terms: ClassVar[int] = 1
    columns: ClassVar[int] = 1
    factors: ClassVar[tuple[float, ...]] = ()

    place: str
    value: float
    source: Source | None = None
    position: tuple[int, ...] = ()

    @property
    def sources(self) -> tuple[Source, ...]:
        """The number that it is made of, if it is one of the pass."""
        return () if self.source is None else (self.source,)

    def to_dict(self) -> dict[str, Any]:
        """Place, value, source and position, the last two where there are such, as plain data."""
        return {"place": self.place, "value": self.value, **_where(self)}


@dataclass(frozen=True)
class Sum:
    """A number at ``place``, the ``value`` of the sum of its parts.

    ``columns`` above 1: the parts are drawn as a grid. ``position`` is the row and column, of a kernel or a
    map, that all of its terms belong to, where they share one.
    """

    factors: ClassVar[tuple[float, ...]] = ()
    source: ClassVar[None] = None
    sources: ClassVar[tuple[Source, ...]] = ()

    place: str
    parts: tuple[Part, ...]
    value: float
    columns: int = 1
    position: tuple[int, ...] = ()

    @property
    def terms(self) -> int:
        """Terms at the leaves."""
        return sum(part.terms for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        """The sum as plain data, down to its terms."""
        own = {"place": self.place, "value": self.value, "terms": self.terms, **_where(self)}
        return {**own, "parts": [part.to_dict() for part in self.parts]}


Part: TypeAlias = Sum | Product | Term


def _where(part: Part) -> dict[str, Any]:
    """Source and position of a part as plain data, where it has such."""
    source = {} if part.source is None else {"source": part.source.to_dict()}
    return {**source, "position": list(part.position)} if part.position else source


def largest(parts: Sequence[Part]) -> Part:
    """The part of largest size."""
    return max(parts, key=lambda part: abs(part.value))


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


def leaves(parts: Sequence[Part]) -> list[Part]:
    """All terms below ``parts``, in order."""
    found: list[Part] = []
    for part in parts:
        found += leaves(part.parts) if part.parts else [part]
    return found
