"""Questions on the forward pass of a convolution: a cell, several channels, 1 x 1 kernels, im2col."""

from __future__ import annotations

from tinycnn.arrays import Array
from tinycnn.classroom.quiz import mistakes
from tinycnn.classroom.quiz.question import (
    Question,
    Random,
    at,
    cell,
    equation,
    named,
    said,
    slices,
    small,
    weights,
    worked,
)
from tinycnn.classroom.quiz.sliding import Sliding, draw_sliding, pair
from tinycnn.explain.examples.arithmetic import Value, text
from tinycnn.explain.examples.calculation import Result
from tinycnn.networks import alexnet
from tinycnn.shapes import times


def convolution_cell(rng: Random) -> Question:
    """One cell of a convolution of one channel."""
    drawn = draw_sliding(rng, (3, 5), lambda drawn: not drawn.plain)
    x, W, b, z, place, wrong = _asked(rng, drawn, 1, 1)
    return Question(
        "A cell of a convolution",
        (f"A convolution of {drawn.words}. Its output `z` is {times(drawn.output)}. "
         f"Work out `{at('z', *place[:2])}`.", (x, W, b)),
        (said(z, *place[:2]),),
        (equation(z, *place[:2]), wrong),
    )  # fmt: skip


def channels_cell(rng: Random) -> Question:
    """One cell of a convolution of two channels, by one of two filters."""
    drawn = draw_sliding(rng, (3, 4), lambda drawn: not drawn.plain, kernels=((2, 2),))
    x, W, b, z, place, wrong = _asked(rng, drawn, 2, 2)
    kernels = slices("W", W.array)
    return Question(
        "A cell over two channels",
        (f"A convolution of {drawn.words} has two filters over two channels. Its output `z` is "
         f"{times((*drawn.output, 2))}. Work out `{at('z', *place)}`.",
         slices("x", x.array[0]), kernels[:2], (*kernels[2:], b)),
        (said(z, *place),),
        (equation(z, *place), wrong),
        4,
    )  # fmt: skip


def pointwise(rng: Random) -> Question:
    """A cell of a 1 x 1 convolution, and what all of them cost."""
    rows, columns, filters = (int(size) for size in rng.integers(2, 4, 3, endpoint=True))
    x, W = (
        named("x", small(rng, -2, 4, 1, rows, columns, 3)),
        named("W", weights(rng, 1, 1, 3, filters)),
    )
    b = named("b", small(rng, -3, 3, filters))
    (z,) = worked("conv2d", [x, W, b], ["z"])
    place = cell(rng, rows, columns, filters)
    cost = rows * columns * filters * 3
    return Question(
        "A 1 x 1 convolution",
        (f"{filters} filters of 1 x 1 slide over the three channels of `x`; column f of `W` has the "
         "weights of filter f.", slices("x", x.array[0]), (W, b),
         f"(a) Work out `{at('z', *place)}`.",
         "(b) How many multiply-adds does all of `z` take, biases not counted?"),
        (f"(a) {said(z, *place)}", f"(b) `{cost}`"),
        (f"(a) {equation(z, *place)}",
         f"(b) multiply-adds = {rows}*{columns}*{filters} * 3 = {cost}"),
    )  # fmt: skip


def im2col_row(rng: Random) -> Question:
    """A row of the matrix that makes a convolution a product."""
    drawn = draw_sliding(rng, (3, 6), lambda drawn: drawn.image != drawn.kernel, padding=0)
    x = named("x", small(rng, 0, 9, 1, *drawn.image, 1))
    (cols,) = worked("im2col", [x], ["cols"], kernel=drawn.kernel, stride=drawn.stride)
    out, (i, j) = drawn.output, cell(rng, *drawn.output)
    row, width = i * out[1] + j, drawn.kernel[0] * drawn.kernel[1]
    _, wide, _ = alexnet().shapes[1]
    u, v = cell(rng, wide, wide)
    sources = [copy.source for copy in cols.cells[row * width : (row + 1) * width]]
    return Question(
        "A row of im2col",
        ("im2col turns each window into a row, in the order of the output's cells. The kernel is "
         f"{times(drawn.kernel)}, the stride {pair(drawn.stride)}.", (x,),
         "(a) How large is the matrix `cols` (rows x columns)?",
         f"(b) Which of its rows belongs to the output cell in row {i}, column {j}, and what does it "
         "hold?",
         f"(c) In AlexNet's `conv1`, whose output is {wide} x {wide}: which row belongs to the cell "
         f"in row {u}, column {v}?"),
        (f"(a) `{times(cols.value.array.shape)}`",
         f"(b) row `{row}` holds `{_listed(cols.value.array[row])}`", f"(c) row `{u * wide + v}`"),
        (f"(a) rows = {out[0]}*{out[1]} = {out[0] * out[1]}",
         f"    columns = {drawn.kernel[0]}*{drawn.kernel[1]} = {width}",
         f"(b) row = {i}*{out[1]} + {j} = {row}",
         f"    it copies {', '.join(sources)}", f"(c) row = {u}*{wide} + {v} = {u * wide + v}"),
    )  # fmt: skip


def _asked(
    rng: Random, drawn: Sliding, channels: int, filters: int
) -> tuple[Value, Value, Value, Result, tuple[int, ...], str]:
    """x, W, b and z, the place (i, j, f) asked for, and the wrong numbers that mistakes give there."""
    while True:
        x = named("x", small(rng, 0, 4, 1, *drawn.image, channels))
        W = named("W", weights(rng, *drawn.kernel, channels, filters))
        b = named("b", small(rng, -3, 3, filters))
        (z,) = worked("conv2d", [x, W, b], ["z"], **drawn.arguments)
        place = cell(rng, *drawn.output, filters)
        wrong = mistakes.forward(x.array, W.array, b.array, drawn, place)
        if float(z.value.array[(0, *place)]) not in wrong.values():
            return x, W, b, z, place, mistakes.told(wrong)


def _listed(numbers: Array) -> str:
    return " ".join(text(float(number)) for number in numbers)
