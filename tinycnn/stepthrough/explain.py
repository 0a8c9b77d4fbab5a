"""Open one number of a trace."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinycnn.arguments import whole
from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.layers import Conv2D, Dense, MaxPool2D
from tinycnn.stepthrough.explanation import Check, Explanation, Step
from tinycnn.stepthrough.field import readers, receptive_field, window_of
from tinycnn.stepthrough.sums import MOST, Product, Sum, add, grouped, number, total
from tinycnn.trace import Record, Trace


def explain(trace: Trace, name: str, at: Sequence[int], *, sample: int = 0) -> Explanation:
    """Open cell ``at`` (row, column, channel) of layer ``name``'s output, for image ``sample``.

    Negative places count from the end. Raises UnknownNameError for a layer or cell that is not
    there.
    """
    names = [record.name for record in trace.records]
    if name not in names:
        raise UnknownNameError(f"there is no layer {name!r}; there are {', '.join(names)}")
    position = names.index(name)
    record = trace.records[position]
    place = _place(name, at, record.y.shape[1:])
    if not isinstance(record.layer, Conv2D):
        raise ArgumentError(
            f"{name} is a {type(record.layer).__name__}; cells of convolutions can be opened: "
            + ", ".join(r.name for r in trace.records if isinstance(r.layer, Conv2D))
        )
    return _convolution(trace, position, place, sample)


def _place(name: str, at: Sequence[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    axes = ("row", "column", "channel") if len(shape) == 3 else ("unit",)
    if len(at) != len(shape):
        raise UnknownNameError(
            f"a cell of {name} is named by {', '.join(axes)}, got {len(at)} numbers"
        )
    place = []
    for axis, index, size in zip(axes, at, shape, strict=True):
        index = whole(index, axis, least=-(2**63))
        if not -size <= index < size:
            raise UnknownNameError(
                f"{name} has {axis}s 0 .. {size - 1} (or -{size} .. -1 from the end), got {index}"
            )
        place.append(index % size)
    return tuple(place)


def _convolution(trace: Trace, position: int, place: tuple[int, ...], sample: int) -> Explanation:
    record, layer = trace.records[position], trace.records[position].layer
    assert isinstance(layer, Conv2D)
    row, column, f = place
    input_shape = record.x.shape[1:]
    region = ((row, row), (column, column))
    seen = window_of(layer, input_shape, region)
    per_group = input_shape[2] // layer.groups
    first_channel = f // (layer.filters // layer.groups) * per_group
    tree, grid = _tree(record, layer, place, sample, first_channel)

    bias = float(record.params["b"][f])
    z, y = tree.value + bias, float(record.y[sample, row, column, f])
    steps = [Step("BIAS", f"{number(tree.value)} + {number(bias)}", z)]
    if layer.activation == "relu":
        passes = "passes" if z > 0 else "is stopped"
        steps.append(Step("RELU", f"max(0, {number(z)}), {passes}", z if z != z else max(z, 0.0)))
    check = _check_sum(products(tree), bias, float(record.z[sample, row, column, f]))
    source = trace.records[position - 1].name if position else "picture"
    return Explanation(
        subject=f"{record.name}, row {row}, column {column}, filter {f}",
        value=y,
        place=place,
        source=source,
        window=seen,
        channels=(first_channel, first_channel + per_group - 1),
        picture=_pixels(trace, sample),
        receptive_field=receptive_field(trace.model, position, region),
        tree=tree,
        grid=grid,
        steps=tuple(steps),
        checks=(check,),
        next=_next(trace, position, place, sample),
    )


def _check_sum(terms: Sequence[Product], bias: float, engine: float) -> Check:
    """The engine's float32 sum against the same terms added up in float64.

    Float32 rounds each of the n additions by at most 2^-24 of a partial sum, which is never larger
    than the sum of the terms' sizes. Where all terms are multiples of one power of two and their
    sizes add up to less than 2^24 of it, every partial sum is a float32: nothing is rounded.
    """
    values = [term.value for term in terms] + [bias]
    reference = total(values)
    if not math.isfinite(reference):
        return Check("float64", engine, reference, 0.0, "not a finite number")
    size = math.fsum(map(abs, values))
    unit = min((_lowest_bit(value) for value in values if value), default=1.0)
    if size < unit * 2**24:
        return Check("float64", engine, reference, 0.0, "every partial sum is a float32: exact")
    why = f"{len(terms):,} products and a bias * 2^-24 * the sum of their sizes {number(size)}"
    return Check("float64", engine, reference, len(values) * 2.0**-24 * size, why)


def _lowest_bit(value: float) -> float:
    """The largest power of two that divides ``value``."""
    mantissa, exponent = math.frexp(value)
    whole_mantissa = int(mantissa * 2**53)
    return math.ldexp(whole_mantissa & -whole_mantissa, exponent - 53)


def _tree(
    record: Record, layer: Conv2D, place: tuple[int, ...], sample: int, first_channel: int
) -> tuple[Sum, tuple[int, int]]:
    """The products of one cell: by kernel position (or row, then column), channel group, channel."""
    row, column, f = place
    win = layer.window(record.x.shape[1:])
    (KH, KW), (top, left), (dh, dw) = win.kernel, win.corner, win.dilation
    W = record.params["W"]
    channels = W.shape[2]

    def position(i: int, j: int) -> Sum:
        h = row * win.stride[0] - top + i * dh
        w = column * win.stride[1] - left + j * dw
        inside = 0 <= h < win.height.input and 0 <= w < win.width.input
        values = record.x[sample, h, w, first_channel:] if inside else np.zeros(channels)
        parts = [
            Product(f"channel {first_channel + c}", float(values[c]), float(W[i, j, c, f]))
            for c in range(channels)
        ]
        name = f"position ({i},{j})" if inside else f"position ({i},{j}), padding"
        return grouped(name, parts, "channels")

    if KH * KW <= MOST:
        cells = [position(i, j) for i in range(KH) for j in range(KW)]
        return add("sum", cells), (KH, KW)
    rows = [add(f"kernel row {i}", [position(i, j) for j in range(KW)]) for i in range(KH)]
    return add("sum", rows), (len(rows), 1)


def products(tree: Sum) -> list[Product]:
    """All products at the leaves of a sum."""
    found: list[Product] = []
    for part in tree.parts:
        found += products(part) if isinstance(part, Sum) else [part]
    return found


def _pixels(trace: Trace, sample: int) -> Array:
    """The input as a picture again: the inverse of x = (pixel - 128) / 128."""
    centred = np.nan_to_num(trace.x[sample], nan=0.0)
    pixels: Array = np.clip(np.rint(centred * 128.0 + 128), 0, 255)
    return pixels.astype(np.uint8)


def _next(trace: Trace, position: int, place: tuple[int, ...], sample: int) -> tuple[str, ...]:
    """Who reads the cell, and for a max-pool who wins there."""
    if position + 1 == len(trace.records):
        return ("nobody: it is the network's answer",)
    reader = trace.records[position + 1]
    row, column, channel = place
    if isinstance(reader.layer, Dense):
        return (f"all {reader.layer.units:,} units of {reader.name}",)
    region = readers(reader.layer, reader.x.shape[1:], (row, column))
    if region is None:
        return (f"no window of {reader.name}: its windows do not reach this cell",)
    (r0, r1), (c0, c1) = region
    if not isinstance(reader.layer, MaxPool2D):
        cells = (
            f"rows {r0}..{r1}, columns {c0}..{c1}"
            if region != ((r0, r0), (c0, c0))
            else (f"({r0},{c0})")
        )
        return (f"{reader.name}: {cells}",)
    lines = []
    win = reader.layer.window(reader.x.shape[1:])
    winners = reader.saved[0]
    for r in range(r0, r1 + 1):
        for c in range(c0, c1 + 1):
            i, j = divmod(int(winners[sample, r, c, channel]), win.kernel[1])
            winner = (
                win.height.seen(r, r)[0] + i * win.dilation[0],
                win.width.seen(c, c)[0] + j * win.dilation[1],
            )
            outcome = "wins" if winner == (row, column) else f"loses to {winner[0]},{winner[1]}"
            lines.append(f"{reader.name} window ({r},{c}): {outcome}")
    return tuple(lines)
