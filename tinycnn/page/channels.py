"""Which channels of a network's maps a page carries: all of them, as long as there is room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.page.choosing import NumberAddress
from tinycnn.passes import Record

Channels = dict[str, list[int]]

# Numbers of maps and gradients in a page of one side and of two, whose opened numbers take more: 6 MB.
_ROOM = {1: 1_600_000, 2: 900_000}


def carried(lessons: Sequence[Lesson], opened: Sequence[NumberAddress]) -> list[Channels]:
    """For each side, the channels of each layer that its page carries, in order, where these are not all.

    First those of which numbers are ``opened``, then the liveliest. A layer of the same name and shape on
    both sides has the same channels on both.
    """
    share = _ROOM[len(lessons)] / max(sum(map(_numbers, lessons)), 1)
    if share >= 1:
        return [{} for _ in lessons]
    first: dict[str, list[int]] = {}
    for one in opened:
        if len(one.place) == 3:
            first.setdefault(one.name, []).append(one.place[2])
    return [
        {
            record.name: _liveliest(_twins(lessons, record), first.get(record.name, []), share)
            for record in lesson.trace.records
            if record.y.ndim == 4
        }
        for lesson in lessons
    ]


def _numbers(lesson: Lesson) -> int:
    """Numbers of a lesson's maps, and of their gradients."""
    records = lesson.backward.records
    return sum(record.y[0].size * (1 if record.dy is None else 2) for record in records)


def _twins(lessons: Sequence[Lesson], record: Record) -> list[Array]:
    """The maps (H, W, C) of the layers of that name and shape on all sides."""
    return [
        other.y[0]
        for lesson in lessons
        for other in lesson.trace.records
        if (other.name, other.y.shape) == (record.name, record.y.shape)
    ]


def _liveliest(maps: Sequence[Array], first: Sequence[int], share: float) -> list[int]:
    """So many channels: the ``first``, then those whose numbers are largest, all sides together."""
    sizes = sum(np.abs(array).mean(axis=(0, 1), dtype=np.float64) for array in maps)
    ranked = np.argsort(-np.asarray(sizes), kind="stable").tolist()
    there = [channel for channel in first if channel < len(ranked)]
    return sorted(list(dict.fromkeys([*there, *ranked]))[: max(int(len(ranked) * share), 1)])
