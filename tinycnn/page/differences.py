"""How two sides of a page differ, as texts: layer by layer, and in each number that is opened on both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tinycnn.explain.lessons import differences
from tinycnn.explain.lessons.differences import LayerDifference, Pair
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.readers.differences_text import share
from tinycnn.explain.values.explanation import Explanation
from tinycnn.explain.values.printing import number

Opened = Mapping[str, Explanation]


def drawn(lessons: Sequence[Lesson], opened: Sequence[Opened]) -> dict[str, Any]:
    """Right minus left."""
    left, right = opened
    shared = [key for key in left if key in right]
    return {
        "loss": _row(differences.loss(*lessons)),
        "layers": list(map(_layer, differences.layers(*lessons))),
        "opened": {key: opened_number(left[key], right[key]) for key in shared},
    }


def opened_number(left: Explanation, right: Explanation) -> list[list[str]]:
    """A number on both sides, and the parts of its sum."""
    return list(map(_row, differences.opened(left, right)))


def _row(pair: Pair) -> list[str]:
    return [pair.words, *map(number, (pair.left, pair.right, pair.difference))]


def _layer(layer: LayerDifference) -> dict[str, str]:
    """Its largest differences, or why there are none."""
    texts = {"name": layer.name}
    if layer.remark:
        texts["remark"] = layer.remark
    for kind, largest in (("", layer.numbers), ("gradient_", layer.gradients)):
        if largest is not None:
            texts |= {
                f"{kind}largest": number(largest.difference),
                f"{kind}where": ",".join(map(str, largest.where)),
                f"{kind}share": share(largest),
            }
    return texts
