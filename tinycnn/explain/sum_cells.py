"""A cell of a convolution, a dense layer or a pool, opened: products, sums, maxima and means."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinycnn.explain.checks import check_sum, half_epsilon
from tinycnn.explain.explanation import (
    Adds,
    Check,
    Compares,
    Notes,
    Section,
    Step,
)
from tinycnn.explain.field import window_of
from tinycnn.explain.function_cells import probability, relu_step, rounding_unit
from tinycnn.explain.places import Place, channel_name
from tinycnn.explain.sums import (
    MOST,
    Part,
    Product,
    Sum,
    Term,
    factors,
    grouped,
    mapped,
    number,
    plus,
)
from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    MaxPool2D,
)
from tinycnn.layers.activation import RELU, SOFTMAX
from tinycnn.passes import Record
from tinycnn.wording import many

_BIGGEST = 5  # terms named one by one


def open_convolution(record: Record, place: Place, sample: int) -> list[Section]:
    """A cell of a feature map: the sum over its window."""
    layer = record.layer
    assert isinstance(layer, Conv2D)
    row, column, f = place
    win = layer.window(record.x.shape[1:])
    W = record.params["W"]
    first = f // (layer.filters // layer.groups) * W.shape[2]

    def position(i: int, j: int) -> Part:
        h = row * win.stride[0] - win.pad_top_left[0] + i * win.dilation[0]
        w = column * win.stride[1] - win.pad_top_left[1] + j * win.dilation[1]
        if not (0 <= h < win.height.input and 0 <= w < win.width.input):
            return Term(f"position ({i},{j}), padding", 0.0)
        values, weights = record.x[sample, h, w, first:], W[i, j, :, f]
        parts = [
            Product(channel_name(record, first + c), float(values[c]), float(weights[c]))
            for c in range(W.shape[2])
        ]
        return grouped(f"position ({i},{j})", parts, "channels", first)

    KH, KW = win.kernel
    if KH * KW <= MOST:
        tree = mapped("sum", KH, KW, position)
    else:
        rows = [
            grouped(f"kernel row {i}", [position(i, j) for j in range(KW)], "columns")
            for i in range(KH)
        ]
        tree = grouped("sum", rows, "kernel rows")
    terms = W[..., f].size
    heading = f"{many(terms, 'product')} x * W, added up by kernel position:"
    return [Adds(heading, tree), *_finish(record, tree, place, sample)]


def open_dense(record: Record, place: Place, sample: int) -> list[Section]:
    """A unit: the sum over all inputs."""
    (f,) = place
    x, W = record.x[sample], record.params["W"]
    weights = W[:, f].reshape(x.shape)
    if x.ndim == 3:

        def position(i: int, j: int) -> Part:
            parts = [
                Product(channel_name(record, c), float(x[i, j, c]), float(weights[i, j, c]))
                for c in range(x.shape[2])
            ]
            return grouped(f"cell ({i},{j})", parts, "channels")

        tree = mapped("sum", x.shape[0], x.shape[1], position)
        by = "by place"
    else:
        flat, column = x.reshape(-1), weights.reshape(-1)
        parts = [Product(f"unit {d}", float(flat[d]), float(column[d])) for d in range(flat.size)]
        tree = grouped("sum", parts, "units")
        by = "in order"
    sections: list[Section] = [Adds(f"{many(x.size, 'product')} x * W, added up {by}:", tree)]
    if tree.terms > MOST:
        sections.append(Notes("BIGGEST", biggest(tree)))
    return sections + _finish(record, tree, place, sample)


def biggest(tree: Sum) -> tuple[str, ...]:
    """The largest products of a sum, one line each."""
    ranked = sorted(_placed(tree, ""), key=lambda placed: -abs(placed[1].value))[:_BIGGEST]
    return tuple(
        f"{where}{leaf.place}: {' * '.join(factors(leaf.a, leaf.b))} = {number(leaf.value)}"
        if isinstance(leaf, Product)
        else f"{where}{leaf.place}: {number(leaf.value)}"
        for where, leaf in ranked
        if leaf.value != 0
    )


def _placed(tree: Sum, where: str) -> Iterator[tuple[str, Product | Term]]:
    """All terms, each with the cell, such as "place (3,4), ", whose sum it is part of."""
    for part in tree.parts:
        if isinstance(part, Sum):
            yield from _placed(part, f"{part.place}, " if "(" in part.place else where)
        else:
            yield where, part


def _finish(record: Record, tree: Sum, place: Place, sample: int) -> list[Section]:
    """Bias, activation, and the agreement of the sum before the activation."""
    bias = float(record.params["b"][place[-1]])
    z = tree.value + bias
    sections: list[Section] = [Step("BIAS", plus(tree.value, bias), z)]
    logits = record.z
    engine = float(logits[(sample, *place)])
    sections.append(check_sum(tree, engine, logits.dtype, bias=bias))
    if record.layer.activation is RELU:
        sections.insert(1, relu_step(z))
    elif record.layer.activation is SOFTMAX:
        sections += probability(logits[sample], record.y[sample], place)
    return sections


def open_max_pool(record: Record, place: Place, sample: int) -> list[Section]:
    """The largest cell of a window."""
    layer = record.layer
    assert isinstance(layer, MaxPool2D)
    row, column, channel = place
    win = layer.window(record.x.shape[1:])
    top, left = win.height.seen(row, row)[0], win.width.seen(column, column)[0]
    H, W = record.x.shape[1:3]

    def cell(i: int, j: int) -> float | None:
        h, w = top + i * win.dilation[0], left + j * win.dilation[1]
        return float(record.x[sample, h, w, channel]) if 0 <= h < H and 0 <= w < W else None

    rows = tuple(tuple(cell(i, j) for j in range(win.kernel[1])) for i in range(win.kernel[0]))
    winner = divmod(int(record.saved[0][(sample, *place)]), win.kernel[1])
    engine = float(record.y[(sample, *place)])
    inside = [value for line in rows for value in line if value is not None]
    best = next((value for value in inside if value != value), max(inside))
    at = (top + winner[0] * win.dilation[0], left + winner[1] * win.dilation[1])
    equal = sum(value == best for value in inside)
    words = f"at row {at[0]}, column {at[1]}"
    if equal > 1:
        words += f"; {equal} are equal: the first in reading order wins"
    if best != best:
        words += "; NaN wins over everything"
    return [
        Compares("the window's cells compete:", rows, winner),
        Step("MAX", f"the largest of {len(inside)}", best, words),
        Check("naive", engine, best, 0.0, "a maximum is copied, not computed"),
    ]


def open_average_pool(record: Record, place: Place, sample: int) -> list[Section]:
    """The mean of a window."""
    layer = record.layer
    assert isinstance(layer, AveragePool2D)
    row, column, channel = place
    (h0, h1), (w0, w1) = window_of(layer, record.x.shape[1:], ((row, row), (column, column))).inside
    tree = mapped(
        "sum", h1 - h0 + 1, w1 - w0 + 1,
        lambda i, j: Term(f"({h0 + i},{w0 + j})", float(record.x[sample, h0 + i, w0 + j, channel])),
    )  # fmt: skip
    count = average_count(layer, record.x.shape[1:], row, column)
    engine = float(record.y[(sample, *place)])
    scale = float(np.abs(record.x[sample, h0 : h1 + 1, w0 : w1 + 1, channel]).sum()) / count
    bound = (tree.terms + 1) * half_epsilon(record.y.dtype) * scale
    value = tree.value / count
    heading = f"{many(tree.terms, 'cell')} of the window:"
    if padding := count - tree.terms:
        words = "more is padding and counts" if padding == 1 else "more are padding and count"
        heading = f"{heading[:-1]}, {padding} {words} as 0:"
    unit = rounding_unit(record.y.dtype)
    why = f"{tree.terms + 1} roundings * {unit} * the cells' mean size, {number(scale)}"
    return [
        Adds(heading, tree),
        Step("MEAN", f"{factors(tree.value)[0]} / {count}", value),
        Check("float64", engine, value, bound, why),
    ]


def average_count(layer: AveragePool2D, shape: tuple[int, ...], row: int, column: int) -> int:
    """What an average pool divides by at an output cell."""
    win = layer.window(shape)
    count = 1
    for axis, at in ((win.height, row), (win.width, column)):
        first, last = axis.seen(at, at)
        if layer.count_include_pad:
            count *= min(last, axis.input + axis.after - 1) - first + 1
        else:
            count *= min(last, axis.input - 1) - max(first, 0) + 1
    return count
