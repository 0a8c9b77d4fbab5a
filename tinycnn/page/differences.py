"""How two sides of a page differ: layer by layer, and in each number that is opened on both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.lessons import overview
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.values.explanation import Explanation
from tinycnn.explain.values.printing import number
from tinycnn.explain.values.sums import MOST
from tinycnn.passes import Record
from tinycnn.shapes import times

Opened = Mapping[str, Explanation]


def differences(lessons: Sequence[Lesson], opened: Sequence[Opened]) -> dict[str, Any]:
    """Right minus left, as texts."""
    left, right = opened
    shared = [key for key in left if key in right]
    losses = [overview.loss(lesson).loss for lesson in lessons]
    return {
        "loss": _row("loss", *losses),
        "layers": list(_layers(*lessons)),
        "opened": {key: list(opened_number(left[key], right[key])) for key in shared},
    }


def _row(words: str, left: float, right: float) -> list[str]:
    return [words, *map(number, (left, right, right - left))]


def opened_number(left: Explanation, right: Explanation) -> Iterator[list[str]]:
    """A number on both sides, and the parts of its sum, as far as they are the same places."""
    yield _row(left.subject if left.subject == right.subject else "", left.value, right.value)
    for one, other in zip(left.trees[:1], right.trees[:1], strict=False):
        places = [part.place for part in one.parts]
        if places == [part.place for part in other.parts] and 1 < len(places) <= MOST:
            for part, twin in zip(one.parts, other.parts, strict=True):
                yield _row(part.place, part.value, twin.value)


def _layers(left: Lesson, right: Lesson) -> Iterator[dict[str, str]]:
    """The largest differences of each layer's numbers and gradients, or why there are none."""
    others = {record.name: record for record in right.backward.records}
    for record in left.backward.records:
        other = others.pop(record.name, None)
        yield {"name": record.name, **_layer(record, other)}
    for name in others:
        yield {"name": name, "remark": "on the right alone"}


def _layer(record: Record, other: Record | None) -> dict[str, str]:
    if other is None:
        return {"remark": "on the left alone"}
    shapes = [times(each.y.shape[1:]) for each in (record, other)]
    if shapes[0] != shapes[1]:
        return {"remark": f"{shapes[0]} on the left, {shapes[1]} on the right"}
    found = _largest(record.y[0], other.y[0], "")
    if record.dy is not None and other.dy is not None:
        found |= _largest(record.dy[0], other.dy[0], "gradient_")
    return found


def _largest(left: Array, right: Array, kind: str) -> dict[str, str]:
    """The largest difference, where it is, and its share of the largest number on the left."""
    apart = right.astype(np.float64) - left
    flat = int(np.abs(apart).argmax())
    where = np.unravel_index(flat, apart.shape)
    most = float(np.abs(left).max())
    return {
        f"{kind}largest": number(float(apart.flat[flat])),
        f"{kind}where": ",".join(str(int(at)) for at in where),
        f"{kind}share": f"{abs(float(apart.flat[flat])) / most:.2g}" if most else "",
    }
