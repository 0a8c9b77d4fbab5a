"""Cells of a forward pass, opened: for each kind of layer, what made the number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arguments import lrn_coefficients
from tinycnn.arrays import Array
from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.shapes import times
from tinycnn.stepthrough.checks import check_sum, half_epsilon
from tinycnn.stepthrough.explanation import (
    Adds,
    Check,
    Compares,
    Explanation,
    Notes,
    Section,
    Sees,
    Step,
)
from tinycnn.stepthrough.field import readers, receptive_field, window_of
from tinycnn.stepthrough.sums import (
    MOST,
    Part,
    Product,
    Sum,
    Term,
    decimals,
    extent,
    factors,
    grouped,
    mapped,
    number,
    plus,
    total,
)
from tinycnn.trace import Record, Trace

Place = tuple[int, ...]
_BIGGEST = 5  # terms named one by one
_SHOWN = 33  # numbers of an im2col row's run


def open_cell(trace: Trace, position: int, place: Place, sample: int) -> Explanation:
    """Explain cell ``place`` of layer ``position``'s output, for image ``sample``."""
    record = trace.records[position]
    kind = next((kind for kind in _OPENERS if isinstance(record.layer, kind)), None)
    sections: list[Section] = [sees(trace, position, place)]
    if kind is None:
        words = (
            f"{record.name} is a layer of your own: its arithmetic cannot be opened from outside"
        )
        sections.append(Notes("HOW", (words,)))
    else:
        sections += _OPENERS[kind](record, place, sample)
    sections.append(Notes("NEXT", _next(trace, position, place, sample)))
    return Explanation(
        f"{record.name}, {words_of(record.layer, place)}",
        float(record.y[(sample, *place)]),
        place,
        picture_of(trace, sample),
        tuple(sections),
    )


# ------------------------------------------------------------------------------------------ places


def words_of(layer: Layer, place: Place) -> str:
    """A cell's place in words: ``row 13, column 13, filter 7``."""
    if len(place) == 3:
        last = "filter" if isinstance(layer, Conv2D) else "channel"
        return f"row {place[0]}, column {place[1]}, {last} {place[2]}"
    return f"unit {', '.join(map(str, place))}"


def sees(trace: Trace, position: int, place: Place) -> Sees:
    """What a cell of layer ``position``'s output sees of its input and of the picture."""
    record = trace.records[position]
    shape = record.x.shape[1:]
    source = trace.records[position - 1].name if position else "the input"
    if len(shape) != 3:
        return Sees((f"{source}, all {math.prod(shape):,} cells",), None)
    if len(place) != 3:
        return Sees((f"{source}, all {times(shape)} cells",), None)
    row, column, channel = place
    region = ((row, row), (column, column))
    seen = window_of(record.layer, shape, region)
    (r0, r1), (c0, c1) = seen.asked
    lines = [
        f"{source}, {extent('rows', r0, r1)}, {extent('columns', c0, c1)}, "
        f"{_channels(record, channel)}"
    ]
    if seen.padded:
        lines.append(f"(what lies outside its {times(shape[:2])} cells is padding)")
    rows, columns = receptive_field(trace.model, position, region)
    lines.append(in_the_picture(trace, rows, columns))
    return Sees(tuple(lines), (rows, columns))


def in_the_picture(trace: Trace, rows: tuple[int, int], columns: tuple[int, int]) -> str:
    """A region of the picture, or of an input that is none, in words."""
    what, cells = ("picture", "pixels") if _is_picture(trace) else ("input", "cells")
    height, width = rows[1] - rows[0] + 1, columns[1] - columns[0] + 1
    size = f"{height} x {width} {cells}" if height * width > 1 else f"1 {cells[:-1]}"
    return f"in the {what}: {extent('rows', *rows)}, {extent('columns', *columns)} ({size})"


def _is_picture(trace: Trace) -> bool:
    return trace.x.ndim == 4 and trace.x.shape[3] in (1, 3)


def picture_of(trace: Trace, sample: int) -> Array | None:
    """The input as a picture again, the inverse of x = (pixel - 128) / 128; None if it is none."""
    if not _is_picture(trace):
        return None
    centred = np.clip(np.nan_to_num(trace.x[sample], nan=0.0), -1, 1)
    pixels: Array = np.clip(np.rint(centred * 128.0 + 128), 0, 255)
    return pixels.astype(np.uint8)


def _channels(record: Record, channel: int) -> str:
    count = record.x.shape[3]
    layer = record.layer
    everything = "all 1 channel" if count == 1 else f"all {count} channels"
    if isinstance(layer, Conv2D):
        per_group = count // layer.groups
        first = channel // (layer.filters // layer.groups) * per_group
        return everything if layer.groups == 1 else extent("channels", first, first + per_group - 1)
    if isinstance(layer, LocalResponseNorm):
        reach = layer.options["size"] // 2
        return extent("channels", max(channel - reach, 0), min(channel + reach, count - 1))
    alone = isinstance(layer, MaxPool2D | AveragePool2D | ReLU | Dropout)
    return f"channel {channel}" if alone else everything


def _next(trace: Trace, position: int, place: Place, sample: int) -> tuple[str, ...]:
    """Who reads the cell, and for a max-pool who wins there."""
    if position + 1 == len(trace.records):
        return ("nobody: it is the network's answer",)
    reader = trace.records[position + 1]
    if isinstance(reader.layer, Dense):
        return (f"all {reader.layer.units:,} units of {reader.name}",)
    if isinstance(reader.layer, MaxPool2D):
        lines = []
        for (r, c), winner in window_winners(reader, place, sample).items():
            outcome = "wins" if winner == place[:2] else f"loses to {winner[0]},{winner[1]}"
            lines.append(f"{reader.name} window ({r},{c}): {outcome}")
        return tuple(lines) or (f"no window of {reader.name}: its windows do not reach this cell",)
    if len(place) != 3 or not isinstance(reader.layer, _READ_BY_PLACE):
        return (f"{reader.name}",)
    region = readers(reader.layer, reader.x.shape[1:], (place[0], place[1]))
    if region is None:
        return (f"no window of {reader.name}: its windows do not reach this cell",)
    (r0, r1), (c0, c1) = region
    if (r0, c0) == (r1, c1):
        return (f"{reader.name}: ({r0},{c0})",)
    return (f"{reader.name}: {extent('rows', r0, r1)}, {extent('columns', c0, c1)}",)


_READ_BY_PLACE = (Conv2D, AveragePool2D, ReLU, Dropout, LocalResponseNorm)


def window_winners(
    pool: Record, place: Place, sample: int
) -> dict[tuple[int, int], tuple[int, int]]:
    """For each window of a max-pool that holds a cell of its input: window -> the cell that won."""
    assert isinstance(pool.layer, MaxPool2D)
    region = readers(pool.layer, pool.x.shape[1:], (place[0], place[1]))
    if region is None:
        return {}
    win = pool.layer.window(pool.x.shape[1:])
    winners = {}
    for r in range(region[0][0], region[0][1] + 1):
        for c in range(region[1][0], region[1][1] + 1):
            i, j = divmod(int(pool.saved[0][sample, r, c, place[2]]), win.kernel[1])
            winners[r, c] = (
                win.height.seen(r, r)[0] + i * win.dilation[0],
                win.width.seen(c, c)[0] + j * win.dilation[1],
            )
    return winners


# ---------------------------------------------------------------------------- convolution and dense


def _convolution(record: Record, place: Place, sample: int) -> list[Section]:
    layer = record.layer
    assert isinstance(layer, Conv2D)
    row, column, f = place
    win = layer.window(record.x.shape[1:])
    W = record.params["W"]
    first = f // (layer.filters // layer.groups) * W.shape[2]

    def position(i: int, j: int) -> Part:
        h = row * win.stride[0] - win.corner[0] + i * win.dilation[0]
        w = column * win.stride[1] - win.corner[1] + j * win.dilation[1]
        if not (0 <= h < win.height.input and 0 <= w < win.width.input):
            return Term(f"position ({i},{j}), padding", 0.0)
        values, weights = record.x[sample, h, w, first:], W[i, j, :, f]
        parts = [
            Product(f"channel {first + c}", float(values[c]), float(weights[c]))
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
    heading = f"{terms:,} products x * W, added up by kernel position:"
    return [Adds(heading, tree), *_finish(record, tree, place, sample)]


def _dense(record: Record, place: Place, sample: int) -> list[Section]:
    (f,) = place
    x, W = record.x[sample], record.params["W"]
    weights = W[:, f].reshape(x.shape)
    if x.ndim == 3:

        def position(i: int, j: int) -> Part:
            parts = [
                Product(f"channel {c}", float(x[i, j, c]), float(weights[i, j, c]))
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
    sections: list[Section] = [Adds(f"{x.size:,} products x * W, added up {by}:", tree)]
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
    if record.layer.activation == "relu":
        sections.insert(1, _relu_step(z))
    elif record.layer.activation == "softmax":
        sections += _probability(logits[sample], record.y[sample], place)
    return sections


# ---------------------------------------------------------------------------------------- pooling


def _max_pool(record: Record, place: Place, sample: int) -> list[Section]:
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


def _average_pool(record: Record, place: Place, sample: int) -> list[Section]:
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
    heading = f"{tree.terms} cells of the window:"
    if count != tree.terms:
        heading = f"{heading[:-1]}, {count - tree.terms} more are padding and count as 0:"
    unit = _unit(record.y.dtype)
    why = f"{tree.terms + 1} roundings * {unit} * the cells' mean size, {number(scale)}"
    return [
        Adds(heading, tree),
        Step("MEAN", f"{factors(tree.value)[0]} / {count}", value),
        Check("float64", engine, value, bound, why),
    ]


def _unit(dtype: np.dtype[Any]) -> str:
    """A rounding's largest relative error: 2^-24 for float32, 2^-53 for float64."""
    return f"2^{math.log2(half_epsilon(dtype)):.0f}"


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


# ------------------------------------------------------------------------- activations and the rest


def _relu_step(z: float) -> Step:
    words = "stopped" if z <= 0 else "passes"
    return Step("RELU", f"max(0, {number(z)})", z if z != z else max(z, 0.0), words)


def _relu(record: Record, place: Place, sample: int) -> list[Section]:
    step = _relu_step(float(record.x[(sample, *place)]))
    engine = float(record.y[(sample, *place)])
    return [step, Check("naive", engine, step.value, 0.0, "a number is copied or 0")]


def _softmax(record: Record, place: Place, sample: int) -> list[Section]:
    index = (sample, *place[:-1])
    return _probability(record.x[index], record.y[index], place)


def _probability(logits: Array, y: Array, place: Place) -> list[Section]:
    """A probability out of a row of logits: exponents, their sum, the quotient."""
    z = logits.astype(np.float64)
    tree, shift = exponentials(z)
    k = place[-1]
    own, largest, whole = f"{float(z[k]):.7f}", f"{shift:.7f}", factors(tree.value)[0]
    p = math.exp(float(z[k]) - shift) / tree.value
    gap = shift - float(z[k])
    roundings = exp_roundings(z, shift) + (math.ceil(gap) if math.isfinite(gap) else 0)
    bound = roundings * half_epsilon(y.dtype) * p
    why = f"{roundings:,} roundings of exp and of the sum * {_unit(y.dtype)} * its size"
    tiny = float(np.finfo(y.dtype).tiny)
    if p * tree.value < 2 * tiny:
        bound, why = tiny, f"{y.dtype.name} has no more digits below that"
    return [
        exponentials_section(tree, shift),
        Step("SOFTMAX", f"exp({own} - {_bracketed(largest)}) / {whole}", p),
        Check("float64", float(y[k]), p, bound, why),
    ]


def exponentials(z: Array) -> tuple[Sum, float]:
    """The exponentials of a row of logits, and the largest logit, by which they are shifted."""
    shift = float(z.max())
    terms = [Term(f"class {k}", math.exp(value - shift)) for k, value in enumerate(z.tolist())]
    return grouped("sum", terms, "classes"), shift


def exponentials_section(tree: Sum, shift: float) -> Adds:
    """Show the exponentials; the shift carries enough digits to redo them."""
    largest = _bracketed(f"{shift:.7f}")
    heading = f"{tree.terms:,} exponentials exp(z - {largest}), shifted by the largest z:"
    return Adds(heading, tree)


def exp_roundings(z: Array, shift: float) -> int:
    """Roundings of the sum of exponentials: n additions, 16 of exp, and those of z - shift.

    z - shift is rounded by its size times u, which exp makes a relative error; in the sum it counts
    as much as its exponential does.
    """
    gaps = shift - z[np.isfinite(z)] if math.isfinite(shift) else np.zeros(1)
    weights = np.exp(-gaps)
    return len(z) + 16 + math.ceil(float((gaps * weights).sum() / weights.sum()))


def _bracketed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _dropout(record: Record, place: Place, sample: int) -> list[Section]:
    layer = record.layer
    assert isinstance(layer, Dropout)
    x, engine = float(record.x[(sample, *place)]), float(record.y[(sample, *place)])
    if record.saved is None:
        step = Step("DROPOUT", f"{number(x)} * 1", x, "dropout is off: every cell passes")
        return [step, Check("naive", engine, x, 0.0, "a number is copied")]
    kept = bool(record.saved[(sample, *place)])
    scale = 1 / (1 - layer.rate)
    context = record.context
    value = x * scale if kept else 0.0
    words = f"kept, and scaled up by 1 / (1 - {layer.rate:g})" if kept else "dropped"
    key = (
        f"mask of key {context.rng}, layer {context.layer}, sample {context.first_sample + sample}"
    )
    arithmetic = f"{factors(x)[0]} * {factors(scale)[0] if kept else 0}"
    return [
        Step("DROPOUT", arithmetic, value, f"{words}; {key}"),
        Check(
            "naive",
            engine,
            value,
            abs(value) * 3 * half_epsilon(record.y.dtype),
            f"3 roundings * {_unit(record.y.dtype)} * its size",
        ),
    ]


def lrn_sum(
    record: Record, place: Place, sample: int
) -> tuple[Sum, float, tuple[int, float, float, float]]:
    """The squares around a channel, the s they make, and (size, a, beta, k)."""
    layer = record.layer
    assert isinstance(layer, LocalResponseNorm)
    size, a, beta, k = lrn_coefficients(**layer.options)
    row, column, channel = place
    x = record.x[sample, row, column].astype(np.float64)
    near = range(max(channel - size // 2, 0), min(channel + size // 2 + 1, len(x)))
    tree = grouped(
        "sum", [Product(f"channel {c}", float(x[c]), float(x[c])) for c in near], "channels"
    )
    return tree, k + a * tree.value, (size, a, beta, k)


def _local_response_norm(record: Record, place: Place, sample: int) -> list[Section]:
    layer = record.layer
    assert isinstance(layer, LocalResponseNorm)
    tree, s, (size, a, beta, k) = lrn_sum(record, place, sample)
    x = float(record.x[(sample, *place)])
    value = x * s**-beta
    alpha = f"{layer.options['alpha']:g}"
    dialect = f"alpha / n = {alpha} / {size}" if a != layer.options["alpha"] else f"alpha = {alpha}"
    dialect += "" if a != layer.options["alpha"] else ", not divided by n"
    roundings = 32 + tree.terms
    bound = roundings * half_epsilon(record.y.dtype) * abs(value)
    engine = float(record.y[(sample, *place)])
    missing = "" if tree.terms == size else f"; {size - tree.terms} more would lie outside"
    why = f"{roundings} roundings, 32 of the power and one for each square,"
    own, squares, whole = factors(x, tree.value, s)
    return [
        Adds(f"{tree.terms} squares, of the n = {size} channels around{missing}:", tree),
        Step("S", f"{k:g} + {a:.7g} * {squares}", s, dialect),
        Step("NORM", f"{own} / {whole}^{beta:g}", value),
        Check("float64", engine, value, bound, f"{why} * {_unit(record.y.dtype)} * its size"),
    ]


def _flatten(record: Record, place: Place, sample: int) -> list[Section]:
    cell = np.unravel_index(place[0], record.x.shape[1:])
    value = float(record.x[(sample, *cell)])
    words = f"x[{','.join(str(int(i)) for i in cell)}]"
    engine = float(record.y[(sample, *place)])
    return [
        Step("FLATTEN", words, value, f"number {place[0]} in reading order, counted from 0"),
        Check("naive", engine, value, 0.0, "a number is copied"),
    ]


_OPENERS: dict[type[Layer], Callable[[Record, Place, int], Sequence[Section]]] = {
    Conv2D: _convolution,
    Dense: _dense,
    MaxPool2D: _max_pool,
    AveragePool2D: _average_pool,
    ReLU: _relu,
    Softmax: _softmax,
    Dropout: _dropout,
    LocalResponseNorm: _local_response_norm,
    Flatten: _flatten,
}


def open_im2col(trace: Trace, position: int, place: Place, sample: int) -> Explanation:
    """Explain one row of the matrix that im2col would make of a convolution's input."""
    record = trace.records[position]
    layer = record.layer
    assert isinstance(layer, Conv2D)
    row, column = place[:2]
    shape = record.x.shape[1:]
    win = layer.window(shape)
    matrix = ops.im2col(
        record.x[sample : sample + 1],
        win.kernel,
        stride=win.stride,
        padding=layer.padding,
        dilation=win.dilation,
    )
    OW = win.width.output
    number_of = row * OW + column
    runs = matrix[number_of].reshape(win.kernel[0], -1)
    width = runs.shape[1]
    lines = []
    for i, run in enumerate(runs):
        shown = " ".join(number(float(value)) for value in run[:_SHOWN])
        more = f" ... {width - _SHOWN:,} more" if width > _SHOWN else ""
        lines.append(f"columns {i * width}..{(i + 1) * width - 1}, kernel row {i}: {shown}{more}")
    words = (
        f"this window is row {number_of:,} (= {row} * {OW} + {column}) of a matrix of {len(matrix):,} "
        f"rows, one for each place, and {matrix.shape[1]:,} columns, one for each of the "
        f"{times((*win.kernel, shape[2]))} cells of the window",
        _im2col_product(layer, matrix.shape[1], (row, column)),
    )
    return Explanation(
        f"{record.name}, im2col row {number_of:,}",
        float(number_of),
        (row, column),
        picture_of(trace, sample),
        (
            sees(trace, position, (row, column, 0)),
            Notes("ROW", words),
            Notes("HOLDS", tuple(lines)),
        ),
    )


def _im2col_product(layer: Conv2D, columns: int, place: Place) -> str:
    """What the row is multiplied with, and what that gives, without the bias."""
    row, column = place
    size = times((columns // layer.groups, layer.filters))
    result = f"without the bias, z[{row},{column},f]"
    if layer.groups == 1:
        return f"W unrolled the same way is {size}; this row times its column f is, {result}"
    return (
        f"W unrolled the same way is {size}: filter f sees the channels of its group alone; those "
        f"cells of this row times W's column f are, {result}"
    )


def open_loss(trace: Trace, labels: Sequence[int], sample: int) -> Explanation:
    """Explain the loss of image ``sample``: log-sum-exp less the label's logit."""
    last = trace.records[-1]
    logits = last.z if last.layer.activation == "softmax" else last.y
    z = logits[sample].astype(np.float64)
    label, n = labels[sample], z.size
    tree, shift = exponentials(z)
    value, others = log_sum(z, label)
    sections: list[Section] = [
        exponentials_section(tree, shift),
        _loss_step(float(z[label]), shift, tree.value, others, value, label),
        _loss_check(trace, labels, logits),
        Notes("SAME AS", _minus_log(z, label, value)),
        Notes("CHANCE", (f"ln {n:,} = {number(math.log(n))}", *why_loss(z, label))),
    ]
    return Explanation("loss", value, (), picture_of(trace, sample), tuple(sections))


def log_sum(z: Array, label: int) -> tuple[float, float]:
    """The loss of a row of logits, and what all but the largest add to the sum of exponentials.

    The largest itself adds 1, and log1p keeps what the others add where log would lose it.
    """
    first = int(z.argmax())
    shift = float(z[first])
    if not math.isfinite(shift):
        return math.nan, math.nan  # as the engine has it
    others = total([math.exp(value - shift) for k, value in enumerate(z.tolist()) if k != first])
    return math.log1p(others) + (shift - float(z[label])), others


_SMALL = 1e-6  # ln(1 + x) is x to six digits


def _loss_step(
    own: float, shift: float, whole: float, others: float, value: float, label: int
) -> Step:
    """The loss's arithmetic, in so many decimals that its digits can be redone."""
    places = decimals([value]) + 2 if own != shift else 7
    gap = f"{shift:.{places}f} - {_bracketed(f'{own:.{places}f}')}"
    if others > 1e-3:
        words = f"the largest z, the z of label {label}, and the sum"
        return Step("LOSS", f"{gap} + ln {whole:.{places}f}", value, words)
    rest = factors(others)[0]
    if others > _SMALL:
        words = (
            f"the largest z, the z of label {label}, and what the others add to the largest one's 1"
        )
        return Step("LOSS", f"{gap} + ln (1 + {rest})", value, words)
    words = f"the others add {rest} to the largest one's 1, and ln (1 + x) is x for so small an x"
    return Step("LOSS", f"{gap} + {rest}", value, words)


def _minus_log(z: Array, label: int, value: float) -> tuple[str, ...]:
    """The loss as the logarithm of a probability, where that can be worked with."""
    if not math.isfinite(value):
        return (f"-ln p[{label}]",)
    probability = math.exp(-value)
    if probability == 0:
        return (f"-ln p[{label}]; but p[{label}] is 0 in float64, so the logits are used",)
    if value < _SMALL:
        return (f"-ln p[{label}]; but p[{label}] is nearly 1, so the logits are used",)
    text = factors(probability)[0]
    if probability > 0.1:
        text = f"{probability:.{decimals([value]) + 2}f}"
    return (f"-ln p[{label}] = -ln {text} = {number(value)}, from the label's probability",)


def _loss_check(trace: Trace, labels: Sequence[int], logits: Array) -> Check:
    """The trace's loss, the mean over its images, against float64."""
    losses, roundings = [], 0
    for row, label in zip(logits.astype(np.float64), labels, strict=True):
        losses.append(log_sum(row, label)[0])
        roundings = max(roundings, exp_roundings(row, float(row.max())))
    mean = total(losses) / len(losses) if losses else 0.0
    size = max(1.0, abs(mean))
    bound = roundings * half_epsilon(logits.dtype) * size
    against = "float64" if len(losses) == 1 else f"float64, the mean of {len(losses)} images"
    assert trace.loss is not None
    why = f"{roundings:,} roundings of exp and of the sum * {_unit(logits.dtype)}"
    if size > 1:
        why += f" * {number(size)}"
    return Check(against, trace.loss, mean, bound, why)


def why_loss(z: Array, label: int) -> tuple[str, ...]:
    """Why the loss is where it is, against guessing: how wide the logits are, and the label's place."""
    if not np.isfinite(z).all():
        return (f"of the {len(z):,} logits, {int((~np.isfinite(z)).sum()):,} are no numbers",)
    spread, rank = float(z.std()), int((z > z[label]).sum())
    expected = math.log(len(z)) + spread**2 / 2
    lines = [
        f"the logits' standard deviation is {number(spread)}; random ones so wide cost",
        f"about ln {len(z):,} + {factors(spread)[0]}^2 / 2 = {number(expected)}",
        f"the label's logit is number {rank + 1:,} of {len(z):,}, the largest first",
    ]
    if spread > 1.5:
        lines.append(
            "so wide at the start, they cost more than guessing: smaller last weights start nearer"
        )
    return tuple(lines)
