"""Questions on sizes and counts: a drawn small network, and AlexNet's rows."""

from __future__ import annotations

import math

from tinycnn.classroom.quiz.question import Question, Random, Table, cell, pick
from tinycnn.explain.explainer import explainer_of
from tinycnn.explain.receptive_field import receptive_field
from tinycnn.explain.values.places import Region
from tinycnn.layers import Conv2D, Dense, Layer, MaxPool2D, Shape
from tinycnn.model import Sequential
from tinycnn.networks import alexnet
from tinycnn.shapes import times

_VARIANTS = ("one-tower", "paper", "torchvision")


def draw_network(rng: Random) -> Sequential:
    """Two convolutions with a pool between them that leaves a remainder, and a dense layer."""
    while True:
        size, channels = int(rng.integers(9, 17)), pick(rng, (1, 3))
        kernel = pick(rng, (3, 5))
        layers = [
            Conv2D(int(rng.integers(3, 9)), kernel, stride=pick(rng, (1, 2)),
                   padding=kernel // 2 if kernel == 3 else pick(rng, (1, 2)), name="conv1"),
            MaxPool2D(pick(rng, (2, 3)), stride=2, name="pool1"),
            Conv2D(int(rng.integers(3, 11)), pick(rng, (2, 3)), padding=pick(rng, (0, 1)), name="conv2"),
            Dense(pick(rng, (5, 10)), name="fc1"),
        ]  # fmt: skip
        pooled = layers[0].output_shape((size, size, channels))[0]
        pool = layers[1]
        assert isinstance(pool, MaxPool2D)
        windows, remainder = divmod(pooled - pool.kernel[0], pool.stride[0])
        if windows >= 2 and remainder:
            return Sequential(layers, (size, size, channels))


def table(model: Sequential) -> Table:
    """A network as a class sees it: no sizes yet."""
    rows = model.summary().rows
    return Table(
        ("layer", "filters or units", "kernel", "stride", "padding"),
        tuple((row.name, row.filters, row.kernel, row.stride, row.padding) for row in rows),
    )


def padded_size(rng: Random, model: Sequential) -> Question:
    """How large the first feature map is."""
    conv, shape = model.layers[0], model.shapes[0]
    return Question(
        "Output size, with padding",
        (f"The first questions are on this network, whose input is {times(shape)}:", table(model),
         "How large is the feature map of `conv1` (height x width x filters)?"),
        (f"`{times(conv.output_shape(shape))}`",),
        (explainer_of(conv).size_formula(shape),),
        2,
    )  # fmt: skip


def size_with_remainder(rng: Random, model: Sequential) -> Question:
    """How large the pool's feature map is, and what it never reads."""
    pool, shape = model.layers[1], model.shapes[1]
    assert isinstance(pool, MaxPool2D)
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


def parameters(rng: Random, model: Sequential) -> Question:
    """How many parameters a row has."""
    ours = pick(rng, (2, 3))
    first, above = model.layers[ours], model.shapes[ours]
    row, words, shape = _row(rng, (Conv2D, Dense))
    working = [
        f"({letter}) {explainer_of(layer).parameter_formula(size)}"
        for letter, layer, size in (("a", first, above), ("b", row, shape))
    ]
    if isinstance(first, Dense):
        working.insert(0, f"(a) fc1 takes {times(above)} numbers")
    return Question(
        "Parameters",
        ("How many parameters, biases included, are there", f"(a) in `{first.name}` of the same network?",
         f"(b) in {words}?"),
        (f"(a) `{_parameters(first, above):,}`", f"(b) `{_parameters(row, shape):,}`"),
        tuple(working),
    )  # fmt: skip


def multiply_adds(rng: Random, model: Sequential) -> Question:
    """How many multiply-adds a row takes."""
    row, words, shape = _row(rng, (Conv2D,))
    first = model.layers[0]
    return Question(
        "Multiply-adds",
        ("How many multiply-adds, biases not counted, does one image take",
         "(a) in `conv1` of the same network?",
         f"(b) in {words}, output {times(row.output_shape(shape))}? A product of whole numbers will do."),
        (f"(a) `{first.multiply_adds(model.shapes[0]):,}`", f"(b) `{row.multiply_adds(shape):,}`"),
        ("(a) " + _work_formula(first, model.shapes[0]), "(b) " + _work_formula(row, shape)),
    )  # fmt: skip


def receptive(rng: Random, model: Sequential) -> Question:
    """Which pixels a cell of the second convolution sees."""
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


def _row(rng: Random, kinds: tuple[type[Layer], ...]) -> tuple[Layer, str, Shape]:
    """A row of a drawn AlexNet: the layer, how to ask for it, and the shape of its input."""
    model = alexnet(variant=pick(rng, _VARIANTS))
    rows = [
        (layer, shape)
        for layer, shape in zip(model.layers, model.shapes, strict=False)
        if isinstance(layer, kinds)
    ]
    layer, shape = pick(rng, rows)
    return layer, f"`{layer.name}` of {model.name}: {_described(layer, shape)}", shape


def _described(layer: Layer, shape: Shape) -> str:
    if isinstance(layer, Dense):
        numbers = times(shape) if len(shape) > 1 else f"{shape[0]:,} numbers"
        return f"{layer.units:,} units over an input of {numbers}"
    assert isinstance(layer, Conv2D)
    groups = f" in {layer.groups} groups" if layer.groups > 1 else ""
    return (
        f"{layer.filters} filters of {times(layer.kernel)}{groups} over an input of {times(shape)}"
    )


def _parameters(layer: Layer, shape: Shape) -> int:
    return sum(math.prod(sizes) for sizes in layer.parameter_shapes(shape).values())


def _work_formula(layer: Layer, shape: Shape) -> str:
    """Cells of the output times products for each: ``55*55*96 * 11*11*3 = 105,415,200``."""
    assert isinstance(layer, Conv2D)
    cells = "*".join(map(str, layer.output_shape(shape)))
    KH, KW = layer.kernel
    return f"{cells} * {KH}*{KW}*{shape[2] // layer.groups} = {layer.multiply_adds(shape):,}"


SIZES = (padded_size, size_with_remainder, parameters, multiply_adds, receptive)
