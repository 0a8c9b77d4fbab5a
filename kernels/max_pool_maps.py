"""The maximum over windows of maps with a border, in float32 vectors: for inference, without argmax."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.max_pool import cells_inside
from tinycnn.kernels.simd import LANES, load, load_first, maximum, store, store_first


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
    down, right = dilation[0] * x_row, dilation[1] * x_column
    # Windows whose columns are all inside end before this one.
    end = min((size[1] - 1 - (kernel[1] - 1) * dilation[1] + padding[1]) // stride[1] + 1, OW)
    for r in range(first, last):
        n, oh = r // OH, r % OH
        top = oh * stride[0] - padding[0]
        i_first, i_last = cells_inside(top, kernel[0], dilation[0], size[0])
        image = x_start + n * x_image + top * x_row + i_first * down
        to = y_start + n * y_image + oh * y_row
        ow = 0
        while ow < OW:
            left = ow * stride[1] - padding[1]
            j_first, j_last = cells_inside(left, kernel[1], dilation[1], size[1])
            count = end - ow if j_last - j_first == kernel[1] else 1
            _pool_windows(
                x, image + left * x_column + j_first * right, stride[1] * x_column, count, i_last - i_first,
                j_last - j_first, down, right, channels, y, to + ow * y_column, y_column,
            )  # fmt: skip
            ow += count


@kernel
def _pool_windows(
    x: Any, at: int, step: int, count: int, rows: int, columns: int, down: int, right: int,
    channels: int, y: Any, to: int, y_step: int,
) -> None:  # fmt: skip
    """Write all channels' maximum over ``count`` windows side by side of ``rows`` by ``columns`` cells."""
    last = channels - LANES  # where the last vector begins: it may overlap the one before
    if last < 0:
        for _ in range(count):
            best = _largest_of_few(x, at, rows, columns, down, right, channels)
            store_first(y, to, channels, best)
            at, to = at + step, to + y_step
    else:
        for _ in range(count):
            c = 0
            while c < channels:
                block = min(c, last)
                store(y, to + block, _largest(x, at + block, rows, columns, down, right))
                c += LANES
            at, to = at + step, to + y_step


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
    if rows == columns == 3:  # a loop over cells takes half as long again
        return _largest_of_3_by_3(x, at, down, right)
    if rows == columns == 2:
        return _largest_of_2_by_2(x, at, down, right)
    best = load(x, at)
    for i in range(rows):
        for j in range(columns):
            best = maximum(best, load(x, at + i * down + j * right))
    return best


@kernel
def _largest_of_few(
    x: Any, at: int, rows: int, columns: int, down: int, right: int, channels: int
) -> Any:
    """The same of fewer channels than a vector has lanes."""
    best = load_first(x, at, channels)
    for i in range(rows):
        for j in range(columns):
            best = maximum(best, load_first(x, at + i * down + j * right, channels))
    return best
