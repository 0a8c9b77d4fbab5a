"""Where a cell lies: in words, what it sees of the input, and who reads it."""

from __future__ import annotations

import math

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.explanation import (
    Sees,
)
from tinycnn.explain.field import holding, readers, receptive_field, window_of
from tinycnn.explain.sums import (
    extent,
)
from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Layer,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
)
from tinycnn.passes import Record
from tinycnn.shapes import times
from tinycnn.trace import Trace
from tinycnn.wording import every

Place = tuple[int, ...]


def words_of(layer: Layer, place: Place) -> str:
    """A cell's place in words: ``row 13, column 13, filter 7``."""
    if len(place) == 3:
        last = "filter" if isinstance(layer, Conv2D) else "channel"
        return f"row {place[0]}, column {place[1]}, {last} {place[2]}"
    return f"unit {', '.join(map(str, place))}"


COLOURS = ("red", "green", "blue")


def reads_colours(record: Record) -> bool:
    """Whether the channels that a layer reads are those of a colour picture."""
    return record.context.layer == 0 and record.x.ndim == 4 and record.x.shape[3] == len(COLOURS)


def channel_name(record: Record, channel: int) -> str:
    """A channel of a layer's input: ``channel 7``, or of a picture ``red``."""
    return COLOURS[channel] if reads_colours(record) else f"channel {channel}"


def sees(trace: Trace, position: int, place: Place) -> Sees:
    """What a cell of layer ``position``'s output sees of its input and of the picture."""
    record = trace.records[position]
    shape = record.x.shape[1:]
    source = trace.records[position - 1].name if position else "the input"
    if len(shape) != 3:
        return Sees((f"{source}, {every(math.prod(shape), 'cell')}",), None)
    if len(place) != 3:
        size = math.prod(shape)
        return Sees(
            (f"{source}, {'the only cell' if size == 1 else f'all {times(shape)} cells'}",), None
        )
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
    everything = every(count, "channel")
    if isinstance(layer, Conv2D):
        per_group = count // layer.groups
        first = channel // (layer.filters // layer.groups) * per_group
        return everything if layer.groups == 1 else extent("channels", first, first + per_group - 1)
    if isinstance(layer, LocalResponseNorm):
        reach = layer.options["size"] // 2
        return extent("channels", max(channel - reach, 0), min(channel + reach, count - 1))
    alone = isinstance(layer, MaxPool2D | AveragePool2D | ReLU | Dropout)
    return channel_name(record, channel) if alone else everything


def next_layer(trace: Trace, position: int, place: Place, sample: int) -> tuple[str, ...]:
    """Who reads the cell, and for a max-pool who wins there."""
    if position + 1 == len(trace.records):
        return ("nobody: it is the network's answer",)
    reader = trace.records[position + 1]
    if isinstance(reader.layer, Dense):
        return (f"{every(reader.layer.units, 'unit')} of {reader.name}",)
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
    rows, columns = holding(pool.layer, pool.x.shape[1:], (place[0], place[1]))
    win = pool.layer.window(pool.x.shape[1:])
    winners = {}
    for r in rows:
        for c in columns:
            i, j = divmod(int(pool.saved[0][sample, r, c, place[2]]), win.kernel[1])
            winners[r, c] = (
                win.height.seen(r, r)[0] + i * win.dilation[0],
                win.width.seen(c, c)[0] + j * win.dilation[1],
            )
    return winners
