"""Questions on sizes and counts: a drawn small network, and AlexNet's rows."""

from __future__ import annotations

import math
from typing import NamedTuple

from tinycnn.classroom.quiz.question import LayerTable, Question, Random, cell, pick
from tinycnn.explain.explainer import explainer_of
from tinycnn.explain.receptive_field import receptive_field
from tinycnn.explain.values.places import Region
from tinycnn.layers import Conv2D, Dense, Layer, MaxPool2D, Shape
from tinycnn.model import Sequential
from tinycnn.networks import alexnet
from tinycnn.shapes import times

_VARIANTS = ("one-tower", "paper", "torchvision")


class SmallNetwork(NamedTuple):
    """conv1, pool1, conv2 and fc1, in this order, and once more the pool."""

    model: Sequential
    pool: MaxPool2D


def draw_network(rng: Random) -> SmallNetwork:
    """Two convolutions with a pool between them that leaves a remainder, and a dense layer."""
    while True:
        size, channels = int(rng.integers(9, 17)), pick(rng, (1, 3))
        kernel = pick(rng, (3, 5))
        filters, stride = int(rng.integers(3, 9)), pick(rng, (1, 2))
        padding = kernel // 2 if kernel == 3 else pick(rng, (1, 2))
        conv1 = Conv2D(filters, kernel, stride=stride, padding=padding, name="conv1")
        pool = MaxPool2D(pick(rng, (2, 3)), stride=2, name="pool1")
        filters, kernel = int(rng.integers(3, 11)), pick(rng, (2, 3))
        conv2 = Conv2D(filters, kernel, padding=pick(rng, (0, 1)), name="conv2")
        fc1 = Dense(pick(rng, (5, 10)), name="fc1")
        rows = conv1.output_shape((size, size, channels))[0]
        windows, remainder = divmod(rows - pool.kernel[0], pool.stride[0])
        if windows >= 2 and remainder:
            layers = [conv1, pool, conv2, fc1]
            return SmallNetwork(Sequential(layers, (size, size, channels)), pool)


def table(model: Sequential) -> LayerTable:
    """A network as a class sees it: no sizes yet."""
    rows = model.summary().rows
    return LayerTable(
        ("layer", "filters or units", "kernel", "stride", "padding"),
        tuple((row.name, row.filters, row.kernel, row.stride, row.padding) for row in rows),
    )


def padded_size(rng: Random, network: SmallNetwork) -> Question:
    """How large the first feature map is."""
    model = network.model
    conv, shape = model.layers[0], model.shapes[0]
    return Question(
        "Output size, with padding",
        (f"The first questions are on this network, whose input is {times(shape)}:", table(model),
         "How large is the feature map of `conv1` (height x width x filters)?"),
        (f"`{times(conv.output_shape(shape))}`",),
        (explainer_of(conv).size_formula(shape),),
        2,
    )  # fmt: skip


def size_with_remainder(rng: Random, network: SmallNetwork) -> Question:
    """How large the pool's feature map is, and what it never reads."""
    pool, shape = network.pool, network.model.shapes[1]
    axis = pool.window(shape).height
    last = axis.seen(axis.output - 1, axis.output - 1)[1]
    unread = axis.input - 1 - last
    start = f"({axis.output} - 1)*{axis.stride}"
    return Question(
        "Output size, with a remainder",
        ("In the same network:", "(a) How large is the feature map of `pool1`?",
         "(b) How many rows at the bottom of its input does no window read?"),
        (f"(a) `{times(pool.output_shape(shape))}`", f"(b) `{unread}`"),
        (explainer_of(pool).size_formula(shape),
         f"last row read = {start} + {axis.kernel} - 1 = {last}",
         f"rows unread = {axis.input} - 1 - {last} = {unread}"),
    )  # fmt: skip


def parameters(rng: Random, network: SmallNetwork) -> Question:
    """How many parameters a row has."""
    ours = pick(rng, (2, 3))
    first, above = network.model.layers[ours], network.model.shapes[ours]
    row, words, shape = _row(rng)
    working = [
        f"({letter}) {explainer_of(layer).parameter_formula(size)}"
        for letter, layer, size in (("a", first, above), ("b", row, shape))
    ]
    if ours == 3:
        working.insert(0, f"(a) fc1 takes {times(above)} numbers")
    return Question(
        "Parameters",
        ("How many parameters, biases included, are there", f"(a) in `{first.name}` of the same network?",
         f"(b) in {words}?"),
        (f"(a) `{_parameters(first, above):,}`", f"(b) `{_parameters(row, shape):,}`"),
        tuple(working),
    )  # fmt: skip


def multiply_adds(rng: Random, network: SmallNetwork) -> Question:
    """How many multiply-adds a row takes."""
    model = network.model
    row, words, shape = _row(rng, convolutions_only=True)
    first = model.layers[0]
    return Question(
        "Multiply-adds",
        ("How many multiply-adds, biases not counted, does one image take",
         "(a) in `conv1` of the same network?",
         f"(b) in {words}, output {times(row.output_shape(shape))}? A product of whole numbers will do."),
        (f"(a) `{first.multiply_adds(model.shapes[0]):,}`", f"(b) `{row.multiply_adds(shape):,}`"),
        ("(a) " + _work_formula(first, model.shapes[0]), "(b) " + _work_formula(row, shape)),
    )  # fmt: skip


def receptive(rng: Random, network: SmallNetwork) -> Question:
    """Which pixels a cell of the second convolution sees."""
    model = network.model
    height, width, _ = model.shapes[3]
    row, column = cell(rng, height, width)
    region: Region = (row, row), (column, column)
    working = []
    for layer, shape, below in zip(
        model.layers[2::-1], model.shapes[2::-1], ("pool1", "conv1", "the input"), strict=True
    ):
        region = explainer_of(layer).seen(shape, region).inside
        working.append(f"{layer.name} reads of {below}: {_region(region)}")
    pixels = receptive_field(model, 2, ((row, row), (column, column)))
    return Question(
        "Receptive field",
        (f"In the same network: which rows and columns of the input does the cell in row {row}, "
         f"column {column} of `conv2` depend on? Padding does not count.",),
        (f"`{_region(pixels)}`",),
        tuple(working),
        4,
    )  # fmt: skip


def _region(region: Region) -> str:
    (top, bottom), (left, right) = region
    return f"rows {top} to {bottom}, columns {left} to {right}"


def _row(rng: Random, *, convolutions_only: bool = False) -> tuple[Layer, str, Shape]:
    """A row of a drawn AlexNet with weights: the layer, how to ask for it, and the shape of its input."""
    model = alexnet(variant=pick(rng, _VARIANTS))
    rows = [
        (layer, shape)
        for layer, shape in zip(model.layers, model.shapes, strict=False)
        if len(_weights(layer, shape)) in ((4,) if convolutions_only else (4, 2))
    ]
    layer, shape = pick(rng, rows)
    return layer, f"`{layer.name}` of {model.name}: {_described(layer, shape)}", shape


def _weights(layer: Layer, shape: Shape) -> Shape:
    """The shape of W: (KH, KW, C // groups, F) of a convolution, (D, F) of a dense layer; () of others."""
    return layer.parameter_shapes(shape).get("W", ())


def _described(layer: Layer, shape: Shape) -> str:
    *window, filters = _weights(layer, shape)
    if len(window) == 1:
        numbers = times(shape) if len(shape) > 1 else f"{shape[0]:,} numbers"
        return f"{filters:,} units over an input of {numbers}"
    KH, KW, C = window
    groups = f" in {shape[2] // C} groups" if shape[2] > C else ""
    return f"{filters} filters of {times((KH, KW))}{groups} over an input of {times(shape)}"


def _parameters(layer: Layer, shape: Shape) -> int:
    return sum(math.prod(sizes) for sizes in layer.parameter_shapes(shape).values())


def _work_formula(layer: Layer, shape: Shape) -> str:
    """Cells of the output times products for each: ``55*55*96 * 11*11*3 = 105,415,200``."""
    cells = "*".join(map(str, layer.output_shape(shape)))
    KH, KW, C, _ = _weights(layer, shape)
    return f"{cells} * {KH}*{KW}*{C} = {layer.multiply_adds(shape):,}"


SIZES = (padded_size, size_with_remainder, parameters, multiply_adds, receptive)
