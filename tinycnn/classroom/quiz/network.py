"""The small network that a sheet's first questions are on, drawn axis by axis."""

from __future__ import annotations

from typing import NamedTuple

from tinycnn.classroom.quiz.question import LayerTable, Random, pick
from tinycnn.classroom.quiz.sliding import pair, two
from tinycnn.layers import Conv2D, Dense, MaxPool2D
from tinycnn.model import Sequential
from tinycnn.shapes import Axis, Window

_KERNELS = ((3, 3), (5, 5), (3, 5), (5, 3))


class SmallNetwork(NamedTuple):
    """Two convolutions with a pool between them, a dense layer, and the model of these four."""

    conv1: Conv2D
    pool1: MaxPool2D
    conv2: Conv2D
    fc1: Dense
    model: Sequential


def draw_network(rng: Random) -> SmallNetwork:
    """A network whose pool leaves rows or columns unread; conv2 may have two groups."""
    while True:
        conv1 = Conv2D(
            2 * int(rng.integers(2, 6)), pick(rng, _KERNELS), stride=two(rng, 1, 2),
            padding=two(rng, 0, 2), name="conv1",
        )  # fmt: skip
        pool1 = MaxPool2D(two(rng, 2, 4), stride=two(rng, 2, 3), name="pool1")
        conv2 = Conv2D(
            2 * int(rng.integers(2, 7)), two(rng, 2, 3), padding=two(rng, 0, 1),
            groups=pick(rng, (1, 2)), name="conv2",
        )  # fmt: skip
        fc1 = Dense(int(rng.integers(5, 11)), name="fc1")
        shape = (*two(rng, 12, 20), pick(rng, (1, 2, 3)))
        if _leaves_a_rest(pool1.window(conv1.output_shape(shape))):
            model = Sequential([conv1, pool1, conv2, fc1], shape)
            return SmallNetwork(conv1, pool1, conv2, fc1, model)


def _leaves_a_rest(window: Window) -> bool:
    """Whether cells are left over at an end, none between windows, and enough windows for conv2."""
    axes = window.height, window.width
    gaps = any(axis.kernel < axis.stride for axis in axes)
    rest = any(cells_read(axis) < axis.input for axis in axes)
    return rest and not gaps and min(window.output) >= 3


def cells_read(axis: Axis) -> int:
    """How many cells of an axis without padding are in windows that leave no gaps."""
    return axis.seen(0, axis.output - 1)[1] + 1


def table(network: SmallNetwork) -> LayerTable:
    """A network as a class sees it: no sizes yet."""
    conv1, pool1, conv2, *_ = network
    input_shape, first, pooled, *_ = network.model.shapes
    windows = conv1.window(input_shape), pool1.window(first), conv2.window(pooled)
    paddings = [pair((window.height.before, window.width.before)) for window in windows]
    rows = zip(network.model.summary().rows, [*paddings, ""], strict=True)
    return LayerTable(
        ("layer", "filters or units", "kernel", "stride", "padding", "groups"),
        tuple(
            (row.name, row.filters, row.kernel, row.stride, padding, row.groups)
            for row, padding in rows
        ),
    )
