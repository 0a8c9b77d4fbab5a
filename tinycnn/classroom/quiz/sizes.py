"""Questions on sizes and counts: a drawn small network, and AlexNet's rows."""

from __future__ import annotations

import math

from tinycnn.classroom.quiz.network import SmallNetwork, cells_read, table
from tinycnn.classroom.quiz.question import Question, Random, cell, pick
from tinycnn.explain.explainer import explainer_of
from tinycnn.explain.receptive_field import receptive_field
from tinycnn.explain.values.places import Region
from tinycnn.layers import Layer, Shape
from tinycnn.networks import alexnet
from tinycnn.shapes import Axis, Window, times

_VARIANTS = ("one-tower", "paper", "torchvision")


def padded_size(rng: Random, network: SmallNetwork) -> Question:
    """How large the first feature map is."""
    conv, shape = network.conv1, network.model.shapes[0]
    return Question(
        "Output size, with padding",
        (f"The first questions are on this network, whose input is {times(shape)}:", table(network),
         "How large is the feature map of `conv1` (height x width x filters)?"),
        (f"`{times(conv.output_shape(shape))}`",),
        _size_formulas(conv.window(shape)),
        2,
    )  # fmt: skip


def size_with_remainder(rng: Random, network: SmallNetwork) -> Question:
    """How large the pool's feature map is, and what it never reads."""
    pool, shape = network.pool1, network.model.shapes[1]
    window = pool.window(shape)
    (H, W), (rows, columns) = (
        shape[:2],
        (cells_read(axis) for axis in (window.height, window.width)),
    )
    return Question(
        "Output size, with a remainder",
        ("In the same network:", "(a) How large is the feature map of `pool1`?",
         "(b) At the end of rows and columns, some cells of its input are in no window. How many are "
         "they, in each channel?"),
        (f"(a) `{times(pool.output_shape(shape))}`", f"(b) `{H * W - rows * columns}`"),
        (*_size_formulas(window),
         f"rows read = {_read_formula(window.height)} = {rows}",
         f"columns read = {_read_formula(window.width)} = {columns}",
         f"cells unread = {H}*{W} - {rows}*{columns} = {H * W - rows * columns}"),
    )  # fmt: skip


def _size_formulas(window: Window) -> tuple[str, ...]:
    return f"height = {window.height.formula}", f"width = {window.width.formula}"


def _read_formula(axis: Axis) -> str:
    return f"({axis.output} - 1)*{axis.stride} + {axis.kernel}"


def parameters(rng: Random, network: SmallNetwork) -> Question:
    """How many parameters the second convolution, the dense layer and one of AlexNet's rows have."""
    conv, dense, shapes = network.conv2, network.fc1, network.model.shapes
    row, words, shape = _row(rng)
    asked = ((conv, shapes[2]), (dense, shapes[3]), (row, shape))
    working = [
        f"({letter}) {explainer_of(layer).parameter_formula(size)}"
        for letter, (layer, size) in zip("abc", asked, strict=True)
    ]
    return Question(
        "Parameters",
        ("How many parameters, biases included, are there", "(a) in `conv2` of the same network?",
         "(b) in its `fc1`?", f"(c) in {words}?"),
        tuple(
            f"({letter}) `{_parameters(layer, size):,}`"
            for letter, (layer, size) in zip("abc", asked, strict=True)
        ),
        (working[0], f"(b) fc1 takes {times(shapes[3])} numbers", *working[1:]),
        4,
    )  # fmt: skip


def multiply_adds(rng: Random, network: SmallNetwork) -> Question:
    """How many multiply-adds a convolution takes, and one of AlexNet's rows for a few images."""
    shapes = network.model.shapes
    conv, above = pick(rng, ((network.conv1, shapes[0]), (network.conv2, shapes[2])))
    row, words, shape = _row(rng, convolutions_only=True)
    images = int(rng.integers(2, 10))
    output = times(row.output_shape(shape))
    return Question(
        "Multiply-adds",
        ("How many multiply-adds, biases not counted, are there",
         f"(a) for one image in `{conv.name}` of the same network?",
         f"(b) for a batch of {images} images in {words}, output {output}? A product of whole numbers "
         "will do."),
        (f"(a) `{conv.multiply_adds(above):,}`", f"(b) `{images * row.multiply_adds(shape):,}`"),
        ("(a) " + _work_formula(conv, above), "(b) " + _work_formula(row, shape, images)),
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


def _work_formula(layer: Layer, shape: Shape, images: int = 1) -> str:
    """Cells of the output times products for each: ``55*55*96 * 11*11*3 = 105,415,200``."""
    cells = f"{images} * " * (images > 1) + "*".join(map(str, layer.output_shape(shape)))
    KH, KW, C, _ = _weights(layer, shape)
    return f"{cells} * {KH}*{KW}*{C} = {images * layer.multiply_adds(shape):,}"


SIZES = (padded_size, size_with_remainder, parameters, multiply_adds, receptive)
