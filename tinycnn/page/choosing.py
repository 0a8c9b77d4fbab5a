"""Which numbers of a network are opened beforehand: there is no room for all of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.passes import Record
from tinycnn.wording import option

Place = tuple[int, ...]

# Terms of a cell's sum from which on fewer are opened, and how many, and how many where there is less room:
# a sum of 9,216 takes 140 kB.
_CELLS = ((0, 6, 4), (1000, 3, 2), (4000, 1, 1))
_GRADIENTS = (3, 1)  # of each W


class NumberAddress(NamedTuple):
    """A cell of a layer, or with ``part`` the gradient of a parameter or of its input; or the loss."""

    layer: str
    part: str
    place: Place

    @classmethod
    def of(cls, key: str, layers: Collection[str]) -> NumberAddress:
        """Take a key apart; ``layers`` are the names of those that there are."""
        found = re.fullmatch(r"(.*?)(?:\[([0-9]+(?:,[0-9]+)*)\])?", key, re.DOTALL)
        assert found is not None  # anything does
        name, place = found[1], tuple(map(int, found[2].split(","))) if found[2] else ()
        layer, part = (name, "") if name in layers else name.rpartition(".")[::2]
        return cls(layer, part, place)

    @property
    def key(self) -> str:
        """As `explain` takes it: ``conv2[13,13,7]``, ``conv1.W[5,5,0,3]``, ``loss``."""
        return f"{self.name}[{self._at}]" if self.place else self.name

    @property
    def name(self) -> str:
        """The key without the place."""
        return ".".join(filter(None, (self.layer, self.part)))

    @property
    def options(self) -> str:
        """What opens it on the command line."""
        if not self.layer:
            return option("--why", self.part)
        if not self.part:
            return f"{option('--layer', self.layer)} --at {self._at}"
        if self.part in ("x", "y", "z"):
            return f"{option('--grad', self.name)} --at {self._at}"
        return option("--weight", self.key)

    @property
    def _at(self) -> str:
        return ",".join(map(str, self.place))


def chosen(lesson: Lesson, *, sparing: bool = False) -> Iterator[NumberAddress]:
    """The loss, cells of every layer, and gradients from the last layer to the first; ``sparing``: fewer."""
    yield NumberAddress("", "loss", ())
    records = lesson.backward.records
    for record in records:
        labels = [(lesson.label,)] if record is records[-1] else []
        for place in dict.fromkeys([*labels, *_cells(record, sparing)]):
            yield NumberAddress(record.name, "", place)
    for record in reversed(records):
        yield from _gradients(record, sparing)


def value_of(lesson: Lesson, address: NumberAddress) -> float:
    """The number at an address that `chosen` gives, without how it came about."""
    if not address.layer:
        return float(lesson.backward.loss or 0.0)
    record = lesson.backward[address.layer]
    arrays = {"": record.y[0], **(record.grads or {})}
    if record.dx is not None:
        arrays["x"] = record.dx[0]
    return float(arrays[address.part][address.place])


def _cells(record: Record, sparing: bool) -> Iterator[Place]:
    """The most active cell of each of the liveliest maps, and one in the middle; of a row the most active."""
    y = record.y[0]
    parameters = sum(array[..., 0].size for array in record.params.values())
    count = next(counts[sparing] for terms, *counts in reversed(_CELLS) if parameters >= terms)
    if y.ndim != 3:
        for flat in _least(-y, count):
            yield _place(flat, y)
        return
    liveliest = np.argsort(-y.mean(axis=(0, 1)), kind="stable")[: count - 1]
    for channel in map(int, liveliest):
        yield (*_largest(y[:, :, channel]), channel)
    yield y.shape[0] // 2, y.shape[1] // 2, 0


def _gradients(record: Record, sparing: bool) -> Iterator[NumberAddress]:
    """The largest of each parameter's, and of those of what goes into the layer."""
    for name, gradient in (record.grads or {}).items():
        count = _GRADIENTS[sparing] if name == "W" else 1
        largest = _least(-np.abs(gradient), count)
        yield from _choices(record, name, (_place(flat, gradient) for flat in largest))
    if record.dx is not None:
        places = [_largest(np.abs(record.dx[0]))]
        if not record.params:  # a short sum, and often 0: it is said why
            places.append(tuple(size // 2 for size in record.dx[0].shape))
        yield from _choices(record, "x", dict.fromkeys(places))


def _choices(record: Record, part: str, places: Iterable[Place]) -> Iterator[NumberAddress]:
    return (NumberAddress(record.name, part, place) for place in places)


def _least(array: Array, count: int) -> list[int]:
    """Where the ``count`` least numbers are, as a stable sort has them, which of millions takes seconds."""
    flat = array.ravel()
    limit = np.partition(flat, min(count, flat.size) - 1)[min(count, flat.size) - 1]
    some = np.flatnonzero(~(flat > limit))  # NaN, too, which comes last
    return [int(at) for at in some[np.argsort(flat[some], kind="stable")[:count]]]


def _largest(array: Array) -> Place:
    return _place(int(array.argmax()), array)


def _place(flat: int, array: Array) -> Place:
    return tuple(int(at) for at in np.unravel_index(flat, array.shape))
