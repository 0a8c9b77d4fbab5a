"""The maximum over windows of maps with a border, in float32 vectors: for inference, without argmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.max_pool import cells_inside
from tinycnn.kernels.simd import LANES, load, maximum, store


@kernel
def max_pool(
    x: Any,
    x_place: tuple[int, int, int, int],
    size: tuple[int, int],
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    channels: int,
    y: Any,
    y_place: tuple[int, int, int, int],
    output: tuple[int, int],
) -> None:
    """Write the maximum of each window: rows ``first`` to ``last`` of the N*OH output rows.

    ``x`` and ``y`` are flat; a place (start, image, row, column) says that cell (n, h, w, c) is at
    start + n*image + h*row + w*column + c. ``size`` is x's (H, W), ``output`` y's (OH, OW). Only cells
    inside the image count, whatever lies around it, and NaN counts as larger than everything.
    """
    x_start, x_image, x_row, x_column = x_place
    y_start, y_image, y_row, y_column = y_place
    OH, OW = output
    # Where a vector may end that reaches beyond a cell: into cells that are written later.
    runs_on = y_column == channels and y_row == OW * y_column and y_image == OH * y_row
    end = y_start + last * y_row if runs_on else 0
    room = np.empty(LANES, np.float32)
    down, right = dilation[0] * x_row, dilation[1] * x_column
    for r in range(first, last):
        n, oh = r // OH, r % OH
        top = oh * stride[0] - padding[0]
        i_first, i_last = cells_inside(top, kernel[0], dilation[0], size[0])
        image = x_start + n * x_image + top * x_row + i_first * down
        to = y_start + n * y_image + oh * y_row
        for ow in range(OW):
            left = ow * stride[1] - padding[1]
            j_first, j_last = cells_inside(left, kernel[1], dilation[1], size[1])
            at = image + left * x_column + j_first * right
            rows, columns = i_last - i_first, j_last - j_first
            beyond = at + (rows - 1) * down + (columns - 1) * right + LANES
            if channels >= LANES or (beyond <= x.size and to + LANES <= end):
                _pool_window(x, at, rows, columns, down, right, channels, y, to)
            elif beyond <= x.size:
                _pool_window(x, at, rows, columns, down, right, channels, room, 0)
                for c in range(channels):
                    y[np.uintp(to + c)] = room[np.uintp(c)]
            else:
                _pool_cell_by_cell(x, at, rows, columns, down, right, channels, y, to)
            to += y_column


@kernel
def _pool_window(
    x: Any, at: int, rows: int, columns: int, down: int, right: int, channels: int, y: Any, to: int
) -> None:
    """Write all channels' maximum over a window of ``rows`` by ``columns`` cells.

    Fewer than LANES are one vector, which reaches beyond them.
    """
    for block in range(0, channels, LANES):
        c = max(min(block, channels - LANES), 0)  # the last vector may overlap the one before
        # Loops take half as long again.
        if rows == columns == 3:
            best = _largest_of_3_by_3(x, at + c, down, right)
        elif rows == columns == 2:
            best = _largest_of_2_by_2(x, at + c, down, right)
        else:
            best = _largest(x, at + c, rows, columns, down, right)
        store(y, to + c, best)


@kernel
def _pool_cell_by_cell(
    x: Any, at: int, rows: int, columns: int, down: int, right: int, channels: int, y: Any, to: int
) -> None:
    """The same where there is no room for a vector."""
    for c in range(channels):
        best = x[at + c]
        for i in range(rows):
            for j in range(columns):
                cell = x[at + c + i * down + j * right]
                best = best if cell <= best or best != best else cell
        y[to + c] = best


@kernel
def _largest_of_3_by_3(x: Any, at: int, down: int, right: int) -> Any:
    """The maximum of nine vectors."""
    top = _largest_of_three(x, at, right)
    middle = _largest_of_three(x, at + down, right)
    bottom = _largest_of_three(x, at + 2 * down, right)
    return maximum(maximum(top, middle), bottom)


@kernel
def _largest_of_2_by_2(x: Any, at: int, down: int, right: int) -> Any:
    """The maximum of four vectors."""
    top = maximum(load(x, at), load(x, at + right))
    return maximum(top, maximum(load(x, at + down), load(x, at + down + right)))


@kernel
def _largest_of_three(x: Any, at: int, right: int) -> Any:
    """The maximum of a vector and its two neighbours on the right."""
    return maximum(maximum(load(x, at), load(x, at + right)), load(x, at + 2 * right))


@kernel
def _largest(x: Any, at: int, rows: int, columns: int, down: int, right: int) -> Any:
    """The maximum of ``rows`` by ``columns`` vectors."""
    best = load(x, at)
    for i in range(rows):
        for j in range(columns):
            best = maximum(best, load(x, at + i * down + j * right))
    return best
