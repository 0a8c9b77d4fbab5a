"""How two lessons differ, right minus left: layer by layer, cell by cell, number by number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import ShapeError
from tinycnn.explain.lessons import overview
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.values.explanation import Explanation
from tinycnn.explain.values.sums import MOST
from tinycnn.passes import Record
from tinycnn.shapes import times

_MOST = 8  # cells named


@dataclass(frozen=True)
class Pair:
    """One number on the ``left`` and on the ``right``, and what it is, in ``words``."""

    words: str
    left: float
    right: float

    @property
    def difference(self) -> float:
        """Right minus left."""
        return self.right - self.left

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {**asdict(self), "difference": self.difference}


@dataclass(frozen=True)
class LargestDifference:
    """The largest difference of two arrays, ``where`` it is, and its ``share`` of the left's largest number.

    The share is None where the left has zeros alone.
    """

    difference: float
    where: tuple[int, ...]
    share: float | None


@dataclass(frozen=True)
class LayerDifference:
    """How a layer's ``numbers`` and ``gradients`` differ, or in a ``remark`` why they are not compared."""

    name: str
    remark: str = ""
    numbers: LargestDifference | None = None
    gradients: LargestDifference | None = None


def names(lessons: Sequence[Lesson]) -> list[str]:
    """What tells lessons apart: the network by its name, file or weights, the picture, the label."""
    networks = [
        [lesson.name for lesson in lessons],
        [Path(lesson.source).name for lesson in lessons],
        [lesson.weights for lesson in lessons],
    ]
    pictures = [lesson.picture.title for lesson in lessons]
    labels = [f"label {lesson.class_words(lesson.label)}" for lesson in lessons]
    network = next(filter(_differ, networks), [])
    apart = [*filter(_differ, (network, pictures, labels))]
    if not apart:
        return ["left", "right"][: len(lessons)]
    return [", ".join(words) for words in zip(*apart, strict=True)]


def _differ(words: Sequence[str]) -> bool:
    return len(set(words)) == len(words) > 1


def loss(left: Lesson, right: Lesson) -> Pair:
    """Both losses."""
    return Pair("loss", *(overview.loss(lesson).loss for lesson in (left, right)))


def layers(left: Lesson, right: Lesson) -> Iterator[LayerDifference]:
    """Layer by layer, of both networks."""
    others = {record.name: record for record in right.backward.records}
    for record in left.backward.records:
        yield _layer(record, others.pop(record.name, None))
    for name in others:
        yield LayerDifference(name, "on the right alone")


def _layer(record: Record, other: Record | None) -> LayerDifference:
    if other is None:
        return LayerDifference(record.name, "on the left alone")
    shapes = [times(each.y.shape[1:]) for each in (record, other)]
    if shapes[0] != shapes[1]:
        remark = f"{shapes[0]} on the left, {shapes[1]} on the right"
        return LayerDifference(record.name, remark)
    gradients = None
    if record.dy is not None and other.dy is not None:
        gradients = _largest(record.dy[0], other.dy[0])
    return LayerDifference(record.name, "", _largest(record.y[0], other.y[0]), gradients)


def _largest(left: Array, right: Array) -> LargestDifference:
    apart = right.astype(np.float64) - left
    where = np.unravel_index(int(np.abs(apart).argmax()), apart.shape)
    most, difference = float(np.abs(left).max()), float(apart[where])
    return LargestDifference(difference, _place(where), abs(difference) / most if most else None)


def cells(name: str, left: Lesson, right: Lesson) -> Iterator[Pair]:
    """The cells of layer ``name`` that differ most, of feature maps one of each; the words are their places.

    Raises UnknownNameError where a side has no such layer, ShapeError where it has another shape there.
    """
    a, b = (lesson.trace[name].y[0] for lesson in (left, right))
    if a.shape != b.shape:
        raise ShapeError(f"{name}: {times(a.shape)} on the left, {times(b.shape)} on the right")
    apart = np.abs(b.astype(np.float64) - a)
    if a.ndim == 3:
        flat = apart.reshape(-1, a.shape[-1])
        channels = np.argsort(-flat.max(axis=0), kind="stable")[:_MOST]
        places = [(*np.unravel_index(int(flat[:, c].argmax()), a.shape[:2]), c) for c in channels]
    else:
        order = np.argsort(-apart, axis=None, kind="stable")[:_MOST]
        places = [np.unravel_index(at, a.shape) for at in order]
    for place in map(_place, places):
        yield Pair(",".join(map(str, place)), float(a[place]), float(b[place]))


def _place(where: Sequence[np.integer]) -> tuple[int, ...]:
    return tuple(map(int, where))


def opened(left: Explanation, right: Explanation) -> Iterator[Pair]:
    """A number on both sides, and the parts of its sum, as far as they are the same places."""
    yield Pair(left.subject if left.subject == right.subject else "", left.value, right.value)
    for one, other in zip(left.trees[:1], right.trees[:1], strict=False):
        places = [part.place for part in one.parts]
        if places == [part.place for part in other.parts] and 1 < len(places) <= MOST:
            for part, twin in zip(one.parts, other.parts, strict=True):
                yield Pair(part.place, part.value, twin.value)
