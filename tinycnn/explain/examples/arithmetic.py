"""Arithmetic as people write it: named arrays, and sums worked out cell by cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.values.sums import Part, Product, Source, Term
from tinycnn.explain.values.task import Slip

Index = tuple[int, ...]
_EXACT = 1e-14  # relative; what float64 makes of a number that people write in ten digits


class Read(NamedTuple):
    """A number that goes into a cell; ``source`` is the operand's cell that it stands in, if it is one's."""

    value: float
    source: Source | None = None


Pair = tuple[Read, Read]


@dataclass(frozen=True)
class Value:
    """An array as the ops want it, its name, and the shape in which people draw it."""

    name: str
    array: Array
    layout: Index
    exact: tuple[
        str, ...
    ] = ()  # each cell as it was meant, such as ln(2), where the array rounds it

    @classmethod
    def of(cls, name: str, array: Array) -> Value:
        """An array drawn without its axes of length 1, but with one axis at least."""
        return cls(name, array, tuple(size for size in array.shape if size > 1) or (1,))

    @property
    def flat(self) -> list[float]:
        """All numbers, row by row."""
        return [float(number) for number in self.array.ravel()]

    @property
    def drawn(self) -> Array:
        """The array in the shape in which people draw it."""
        return self.array.reshape(self.layout)

    def cell(self, flat: int) -> str:
        """The name of a cell, such as ``z[0,2]``, from its place in ``flat``."""
        places = ",".join(str(int(place)) for place in np.unravel_index(flat, self.layout))
        return f"{self.name}[{places}]" if self.layout else self.name

    def read(self, index: Index) -> Read:
        """A number of ``array``, and where it stands."""
        return Read(float(self.array[index]), Source(self.name, index))

    @property
    def reads(self) -> list[Read]:
        """All numbers, row by row, and where they stand."""
        return [self.read(index) for index in np.ndindex(self.array.shape)]

    def cell_at(self, index: Index) -> str:
        """The name of a cell from its index in ``array``."""
        return self.cell(int(np.ravel_multi_index(index, self.array.shape)))


@dataclass(frozen=True)
class Worked:
    """How a cell comes about: arithmetic, what it gives in Python's floats, and a remark.

    Without arithmetic the value is 0 and the remark says why; ``source`` is the cell that this one
    is a copy of, ``parts`` are those of a sum, ``terms`` how they are written in it, ``slips`` wrong values
    that are likely.
    """

    arithmetic: str
    value: float
    note: str = ""
    source: str = ""
    parts: tuple[Part, ...] = ()
    terms: tuple[str, ...] = ()
    slips: tuple[Slip, ...] = ()

    def to_dict(self) -> dict[str, str | float]:
        """All that is drawn, as plain data."""
        words = {"note": self.note, "source": self.source}
        return {"arithmetic": self.arithmetic, "value": self.value, **words}

    def equation(self, name: str, exact: str = "") -> str:
        """Such as ``p[0] = 1/(1 + 2 + 5) = 1/8 = 0.125``; ``exact`` stands before the decimals."""
        result = text(self.value)
        sides: list[str] = []
        for side in (self.arithmetic, exact, result):
            if side and side not in sides:
                sides.append(side)
        ending = ", rounded" if is_rounded(self.value) else ""
        return " = ".join([name, *sides]) + ending


def text(value: float) -> str:
    """A number whole or as a short decimal; in six digits where neither is exact."""
    short = f"{value + 0.0:.10g}"  # -0.0 + 0.0 is 0.0
    return short if abs(float(short) - value) <= _EXACT * abs(value) else f"{value:.6g}"


def is_rounded(value: float) -> bool:
    """Whether `text` shows less than the whole number."""
    return abs(float(text(value)) - value) > _EXACT * abs(value)


def fraction(value: float) -> str:
    """A number that is a fraction with a denominator of at most 1000, as one."""
    near = Fraction(value).limit_denominator(1000)
    if abs(float(near) - value) > 1e-9:  # two such fractions lie 1e-6 apart
        raise ValueError(f"{value!r} is no fraction with a small denominator")
    return str(near)


def factor(value: float) -> str:
    """A number as a factor, ``(-1)`` if it is negative."""
    return text(value) if value >= 0 else f"({text(value)})"


def signed(terms: Sequence[str]) -> str:
    """Terms joined by their signs: ``1*1 + 2*0 - 1``."""
    joined = " + ".join(terms)
    return joined.replace(" + -", " - ")


def products(pairs: Sequence[Pair], plus: Read | None = None, exact: str = "") -> Worked:
    """The sum of the products of ``pairs``, and ``plus``, a bias, written as ``exact`` if that is given."""
    parts: list[Part] = [
        Product(f"{factor(a.value)}*{factor(b.value)}", a.value, b.value, a.source, b.source)
        for a, b in pairs
    ]
    terms = [part.place for part in parts]
    if plus is not None:
        terms.append(exact or text(plus.value))
        parts.append(Term("the bias", plus.value, plus.source))
    return _summed(parts, terms)


def plain(terms: Sequence[Read], note: str = "") -> Worked:
    """The sum of ``terms``."""
    parts = [Term(text(each.value), each.value, each.source) for each in terms]
    return _summed(parts, [part.place for part in parts], note)


def _summed(parts: Sequence[Part], terms: Sequence[str], note: str = "") -> Worked:
    return Worked(signed(terms), _total(parts), note, parts=tuple(parts), terms=tuple(terms))


def _total(parts: Sequence[Part]) -> float:
    return math.fsum(part.value for part in parts)


def nothing(note: str, *slips: Slip) -> Worked:
    """A cell that is 0 because nothing reaches it."""
    return Worked("", 0.0, note, slips=slips)
