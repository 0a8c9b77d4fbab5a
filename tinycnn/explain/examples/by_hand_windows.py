"""The ops with windows worked out by hand: convolution, im2col and pools, and their gradients."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinycnn import shapes
from tinycnn.explain.examples.arithmetic import (
    Index,
    Pair,
    Read,
    Worked,
    nothing,
    plain,
    signed,
    text,
)
from tinycnn.explain.examples.by_hand_cells import (
    OMITTED,
    Arguments,
    Results,
    Values,
    bias_gradient,
    gradients,
    sums,
    worked_out,
)
from tinycnn.explain.values.task import Slip

_GEOMETRY = ("stride", "padding", "dilation", "ceil_mode")


def window(
    image: Sequence[int], kernel: Any, arguments: Arguments, *, pool: bool = False
) -> shapes.Window:
    """The window that slides over an image (N, H, W, C)."""
    given = {name: arguments[name] for name in _GEOMETRY if name in arguments}
    make = shapes.pool_window if pool else shapes.window
    return make(image[1:3], kernel, **given)


def _reads(win: shapes.Window) -> Iterator[tuple[Index, Index, Index | None]]:
    """Output cell, kernel cell, and the input cell read there; None in the padding."""
    for i, j, p, q in np.ndindex(*win.output, *win.kernel):
        row = i * win.stride[0] + p * win.dilation[0] - win.pad_top_left[0]
        column = j * win.stride[1] + q * win.dilation[1] - win.pad_top_left[1]
        inside = 0 <= row < win.height.input and 0 <= column < win.width.input
        yield (i, j), (p, q), (row, column) if inside else None


# ------------------------------------------------------------------------------------ convolution


def _uses(
    image: Sequence[int], weights: Sequence[int], arguments: Arguments
) -> Iterator[tuple[Index, Index, Index | None]]:
    """Each product of a convolution: the cells of its output, its weights and its input."""
    N, channels, filters = image[0], weights[2], weights[3]
    per_group = filters // arguments.get("groups", 1)
    win = window(image, weights[:2], arguments)
    for n in range(N):
        for (i, j), (p, q), read in _reads(win):
            for f, c in np.ndindex(filters, channels):
                channel = f // per_group * channels + c
                yield (n, i, j, f), (p, q, c, f), None if read is None else (n, *read, channel)


@worked_out("a cell is its window of {takes[0]} times {takes[1]}, added up")
def conv2d(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """Each cell the sum of its window times the weights, plus the bias."""
    x, W = takes[:2]
    terms: dict[Index, list[Pair]] = {}
    for out, weight, read in _uses(x.array.shape, W.array.shape, arguments):
        pixel = Read(0.0) if read is None else x.read(read)
        terms.setdefault(out, []).append((pixel, W.read(weight)))
    return (sums(terms, gives[0], takes[2:]),)


@worked_out(
    f"each {{takes[0]}}{OMITTED} goes to the cells that were read, times their weight",
    "each {takes[0]} times the cell that met this weight, added up over all places",
    "all {takes[0]} added up",
)
def conv2d_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """dx, dW and db: each product of the forward pass read backwards."""
    dy, x, W = takes
    into: list[dict[Index, list[Pair]]] = [{}, {}]
    for out, weight, read in _uses(x.array.shape, W.array.shape, arguments):
        sent = dy.read(out)
        pixel = Read(0.0) if read is None else x.read(read)
        into[1].setdefault(weight, []).append((sent, pixel))
        if read is not None:
            into[0].setdefault(read, []).append((sent, W.read(weight)))
    dx, dW = (gradients(terms, give) for terms, give in zip(into, gives[:2], strict=True))
    return dx, dW, bias_gradient(takes[0])


# ----------------------------------------------------------------------------------------- im2col


def _rows(image: Sequence[int], win: shapes.Window) -> Iterator[tuple[Index, Index | None]]:
    """im2col's cells: place in the matrix, and the cell of the image that it is a copy of."""
    N, C = image[0], image[3]
    for n in range(N):
        for (i, j), (p, q), read in _reads(win):
            row = (n * win.output[0] + i) * win.output[1] + j
            for c in range(C):
                column = (p * win.kernel[1] + q) * C + c
                yield (row, column), None if read is None else (n, *read, c)


@worked_out("each window of {takes[0]} becomes a row")
def im2col(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """Each window a row of copies."""
    x = takes[0]
    copies: dict[Index, Worked] = {}
    for place, read in _rows(x.array.shape, window(x.array.shape, arguments["kernel"], arguments)):
        value = 0.0 if read is None else float(x.array[read])
        copies[place] = Worked(text(value), value, source="0" if read is None else x.cell_at(read))
    return (tuple(copies[place] for place in np.ndindex(gives[0].array.shape)),)


@worked_out(f"each cell of {{takes[0]}}{OMITTED} is added to the cell that it was read from")
def col2im(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """Each cell the sum of its copies; those of 0 are left out."""
    cols, image = takes[0], arguments["x_shape"]
    into: dict[Index, list[tuple[Read, str]]] = {}
    for place, read in _rows(image, window(image, arguments["kernel"], arguments)):
        if read is not None:
            into.setdefault(read, []).append((cols.read(place), cols.cell_at(place)))
    return (tuple(_collected(into.get(place)) for place in np.ndindex(*image)),)


def _collected(sent: Sequence[tuple[Read, str]] | None) -> Worked:
    """Copies added back; those of 0 are left out."""
    kept = [(read, name) for read, name in sent or () if read.value]
    if kept:
        return _from(kept)
    return nothing("only gradients of 0 reach it" if sent else "lies in no window")


# ------------------------------------------------------------------------------------------ pools


def _contests(
    image: Sequence[int], arguments: Arguments
) -> Iterator[tuple[Index, list[tuple[Index, Index]]]]:
    """Each output cell of a pool, with the cells of its window: (kernel cell, input cell)."""
    win = window(image, arguments["kernel"], arguments, pool=True)
    rivals: dict[Index, list[tuple[Index, Index]]] = {}
    for out, kernel, read in _reads(win):
        rivals.setdefault(out, []).extend([] if read is None else [(kernel, read)])
    for n, c in np.ndindex(image[0], image[3]):
        for (i, j), cells in rivals.items():
            yield (n, i, j, c), [(kernel, (n, *read, c)) for kernel, read in cells]


@worked_out(
    "the largest number of each window of {takes[0]}; the first of equals wins",
    "the winner's place within its window: its row times the window's width, plus its column",
)
def max_pool2d(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """The largest number of each window, and its place within the window."""
    x = takes[0]
    width = window(x.array.shape, arguments["kernel"], arguments, pool=True).kernel[1]
    highest: dict[Index, Worked] = {}
    winners: dict[Index, Worked] = {}
    for out, cells in _contests(x.array.shape, arguments):
        numbers = [float(x.array[read]) for _, read in cells]
        (p, q), read = cells[numbers.index(max(numbers))]
        tie = f", the first of {numbers.count(max(numbers))}" * (numbers.count(max(numbers)) > 1)
        note = f"{x.cell_at(read)} wins{tie}"
        listed = ", ".join(map(text, numbers))
        smaller = "a larger number is in the window"
        slips = tuple(Slip(number, smaller) for number in numbers)
        highest[out] = Worked(
            f"max({listed})" if cells[1:] else listed, max(numbers), note, slips=slips
        )
        where = f"row {p}, column {q} of its window"
        winners[out] = Worked(
            f"{p}*{width} + {q}",
            p * width + q,
            where,
            slips=(Slip(float(p + q), f"it is {where}"),),
        )
    places = list(np.ndindex(gives[0].array.shape))
    return tuple(highest[place] for place in places), tuple(winners[place] for place in places)


@worked_out("each {takes[0]} goes to the cell that won its window")
def max_pool2d_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """Each gradient to the cell that won its window."""
    dy, winner = takes
    image = arguments["x_shape"]
    width = window(image, arguments["kernel"], arguments, pool=True).kernel[1]
    into: dict[Index, list[tuple[Read, str]]] = {}
    for out, cells in _contests(image, arguments):
        reads = {p * width + q: read for (p, q), read in cells}
        won = reads[int(winner.array[out])]
        into.setdefault(won, []).append((dy.read(out), dy.cell_at(out)))
    return (tuple(_won(into.get(place, [])) for place in np.ndindex(*image)),)


def _won(sent: Sequence[tuple[Read, str]]) -> Worked:
    return _from(sent) if sent else nothing("wins no window")


def _from(sent: Sequence[tuple[Read, str]]) -> Worked:
    return plain([read for read, _ in sent], "from " + ", ".join(name for _, name in sent))


@worked_out("the mean of each window of {takes[0]}")
def avg_pool2d(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """The mean of each window, without padding."""
    x = takes[0]
    means: dict[Index, Worked] = {}
    for out, cells in _contests(x.array.shape, arguments):
        total = plain([x.read(read) for _, read in cells])
        means[out] = Worked(f"({total.arithmetic})/{len(cells)}", total.value / len(cells))
    return (tuple(means[place] for place in np.ndindex(gives[0].array.shape)),)


@worked_out("each {takes[0]} is shared equally by the cells of its window")
def avg_pool2d_backward(takes: Values, gives: Values, arguments: Arguments) -> Results:
    """Each cell's shares of the gradients of its windows, without padding."""
    dy = takes[0].array
    into: dict[Index, list[tuple[float, int]]] = {}
    for out, cells in _contests(arguments["x_shape"], arguments):
        for _, read in cells:
            into.setdefault(read, []).append((float(dy[out]), len(cells)))
    return (tuple(_shared(into.get(place, [])) for place in np.ndindex(*arguments["x_shape"])),)


def _shared(sent: Sequence[tuple[float, int]]) -> Worked:
    if not sent:
        return nothing("lies in no window")
    shares = signed([f"{text(value)}/{count}" for value, count in sent])
    return Worked(shares, math.fsum(value / count for value, count in sent))
