"""Output sizes, the cells that windows read, and weights, for every position of the sliders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from tinycnn import shapes
from tinycnn.errors import ShapeError
from tinycnn.explain import explain
from tinycnn.explain.explainer import explainer_of
from tinycnn.layers import Conv2D
from tinycnn.model import Sequential

# The last inputs are too long to be drawn cell by cell: those of AlexNet, told right and told wrong.
_SLIDERS = {
    "input": (*range(1, 21), 224, 227),
    "kernel": range(1, 12),
    "stride": range(1, 5),
    "padding": range(6),
    "dilation": range(1, 4),
}
_DRAWN = 20  # input cells, a bit of an int32 each
_CHANNELS = _FILTERS = 8
_GROUPS = (1, 2, 4, 8)


class _Size(NamedTuple):
    """Along one axis: how many windows there are, and how that follows; 0 and "" where none fits."""

    formula: str
    windows: int
    left: int  # cells at the end that no window reaches
    read: int  # of the input's cells, bit by bit, those that a window reads


@cache
def sizes() -> dict[str, Any]:
    """The sliders' values, and what follows from each choice of them; the last slider runs fastest."""
    found = [_size(*choice) for choice in product(*_SLIDERS.values())]
    formulas, *numbers = zip(*found, strict=True)
    arrays = dict(zip(("windows", "left", "read"), map(np.array, numbers), strict=True))
    return {
        "drawn": _DRAWN,
        "sliders": {name: list(values) for name, values in _SLIDERS.items()},
        "formulas": formulas,
        **arrays,
        "groups": [_grouped(groups) for groups in _GROUPS],
    }


def _size(input: int, kernel: int, stride: int, padding: int, dilation: int) -> _Size:
    try:
        win = shapes.window(
            (input, input), kernel, stride=stride, padding=padding, dilation=dilation
        )
    except ShapeError:
        return _Size("", 0, 0, 0)
    axis = win.height
    last = axis.seen(axis.output - 1, axis.output - 1)[1]
    read = _read(axis) if input <= _DRAWN else 0
    return _Size(axis.formula, axis.output, axis.input + axis.after - 1 - last, read)


def _read(axis: shapes.Axis) -> int:
    """The input's cells that some window reads, bit by bit."""
    window = sum(1 << k * axis.dilation for k in range(axis.kernel))
    read = 0
    for out in range(axis.output):
        read |= window << axis.seen(out, out)[0] + axis.before
    return read >> axis.before & (1 << axis.input) - 1


def _grouped(groups: int) -> dict[str, Any]:
    """Which channels each filter reads, and for each kernel how many weights there are."""
    pairs = list(_pairs(groups))
    return {
        "groups": groups,
        "channels": len(pairs) // _FILTERS,
        "pairs": pairs,
        "weights": [_weights(groups, kernel) for kernel in _SLIDERS["kernel"]],
    }


def _pairs(groups: int) -> Iterator[Sequence[int]]:
    """Each channel with each filter that reads it: what the terms of the filter's sum are made of."""
    layer = Conv2D(_FILTERS, 1, groups=groups, name="conv")
    trace = Sequential([layer], (1, 1, _CHANNELS)).trace(np.ones((1, 1, 1, _CHANNELS)))
    for f in range(_FILTERS):
        (tree,) = explain(trace, "conv", (0, 0, f)).trees
        (position,) = tree.parts
        yield from ([term.source.place[2], f] for term in position.parts if term.source)


def _weights(groups: int, kernel: int) -> str:
    layer = Conv2D(_FILTERS, kernel, groups=groups, bias=False)
    return explainer_of(layer).parameter_formula((kernel, kernel, _CHANNELS))
