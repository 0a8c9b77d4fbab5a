"""A row of im2col's matrix, opened beside the window that it unrolls."""

from __future__ import annotations

from tinycnn import ops
from tinycnn.explain.receptive_field import picture_of, sees
from tinycnn.explain.values.explanation import Explanation, Notes
from tinycnn.explain.values.places import Cell, Place
from tinycnn.explain.values.printing import number
from tinycnn.layers import Conv2D
from tinycnn.shapes import times
from tinycnn.wording import many

_SHOWN = 33  # numbers of an im2col row's run


def open_im2col(cell: Cell, layer: Conv2D) -> Explanation:
    """Explain one row of the matrix that im2col would make of the input of ``layer``, the cell's."""
    record, sample, (row, column) = cell.record, cell.sample, cell.place
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
        f"this window is row {number_of:,} (= {row} * {OW} + {column}) of a matrix of "
        f"{many(len(matrix), 'row')}, one for each place, and {many(matrix.shape[1], 'column')}, one for "
        f"each of the {times((*win.kernel, shape[2]))} cells of the window",
        _im2col_product(layer, matrix.shape[1], (row, column)),
    )
    return Explanation(
        f"{record.name}, row {row}, column {column}: its row of im2col's matrix",
        number_of,
        (row, column),
        picture_of(cell.trace, sample),
        (
            sees(cell.at((row, column, 0))),
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
