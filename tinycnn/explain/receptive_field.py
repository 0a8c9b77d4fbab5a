"""What a cell sees: windows traced down the layers to the picture, in numbers and in words."""

from __future__ import annotations

import math

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.explainer import explainer_of
from tinycnn.explain.values.explanation import ReceptiveField
from tinycnn.explain.values.places import Cell, Region
from tinycnn.explain.values.sums import extent
from tinycnn.model import Sequential
from tinycnn.shapes import times
from tinycnn.trace import Trace
from tinycnn.wording import every


def receptive_field(
    model: Sequential, position: int, region: Region, *, training: bool = False
) -> Region:
    """The pixels that ``region`` of layer ``position``'s output depends on."""
    for layer, shape in zip(
        reversed(model.layers[: position + 1]), reversed(model.shapes[: position + 1]), strict=True
    ):
        if len(shape) == 3:
            region = explainer_of(layer).seen(shape, region, training=training).inside
    return region


def sees(cell: Cell) -> ReceptiveField:
    """What a cell of a layer's output sees of its input and of the picture."""
    trace, record = cell.trace, cell.record
    shape = record.x.shape[1:]
    source = trace.records[cell.position - 1].name if cell.position else "the input"
    if len(shape) != 3:
        return ReceptiveField((f"{source}, {every(math.prod(shape), 'cell')}",), None)
    if len(cell.place) != 3:
        cells = explainer_of(record.layer).cells_seen(shape, cell.place)
        return ReceptiveField((f"{source}, {cells}",), None)
    row, column, channel = cell.place
    region = ((row, row), (column, column))
    explainer, training = explainer_of(record.layer), record.context.training
    seen = explainer.seen(shape, region, training=training)
    rows, columns = (
        extent(n, *span) for n, span in zip(("rows", "columns"), seen.asked, strict=True)
    )
    lines = [f"{source}, {rows}, {columns}, {explainer.channels_seen(record, channel)}"]
    if seen.padded:
        lines.append(f"(what lies outside its {times(shape[:2])} cells is padding)")
    field = receptive_field(trace.model, cell.position, region, training=training)
    return ReceptiveField((*lines, in_the_picture(trace, field)), field)


def in_the_picture(trace: Trace, region: Region) -> str:
    """A region of the picture, or of an input that is none, in words."""
    what, cells = ("picture", "pixels") if _is_picture(trace) else ("input", "cells")
    rows, columns = region
    height, width = rows[1] - rows[0] + 1, columns[1] - columns[0] + 1
    size = f"{height} x {width} {cells}" if height * width > 1 else f"1 {cells[:-1]}"
    return f"in the {what}: {extent('rows', *rows)}, {extent('columns', *columns)} ({size})"


def picture_of(trace: Trace, sample: int) -> Array | None:
    """The input as a picture again, the inverse of x = (pixel - 128) / 128; None if it is none.

    Where x reaches beyond +-1, so that it was scaled otherwise, it is brought there first.
    """
    if not _is_picture(trace):
        return None
    x = trace.x[sample]
    reach = np.abs(x, where=np.isfinite(x), out=np.zeros_like(x)).max(initial=1.0)
    centred = np.clip(np.nan_to_num(x / reach, nan=0.0), -1, 1)
    pixels: Array = np.clip(np.rint(centred * 128.0 + 128), 0, 255)
    return pixels.astype(np.uint8)


def _is_picture(trace: Trace) -> bool:
    return trace.x.ndim == 4 and trace.x.shape[3] in (1, 3)
