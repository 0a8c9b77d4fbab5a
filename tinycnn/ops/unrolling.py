"""im2col and its adjoint col2im as functions of their own; convolution uses the kernels in blocks."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_input_array, common_dtype, expect_shape
from tinycnn.errors import ShapeError
from tinycnn.kernels import im2col as kernels
from tinycnn.remembering import remembered
from tinycnn.runtime import memory
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.shapes import Padding, window
from tinycnn.validation import check_int

__all__ = ["col2im", "im2col"]

# Numbers a block: some fifty microseconds.
_NUMBERS = 1 << 16


def im2col(
    x: ArrayLike,
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
) -> Array:
    """Unroll every window of ``x`` (N, H, W, C) into a row: ``(N*OH*OW, KH*KW*C)``.

    Rows are in the order of the output cells, columns in the order (kernel row, kernel column,
    channel), so that a convolution is ``im2col(x, ...) @ W.reshape(KH*KW*C, F)``. Padding is zero.
    ``kernel`` is an int or (KH, KW); ``stride``, ``padding`` and ``dilation`` are as in `conv2d`.
    Source: Chellapilla et al., "High performance convolutional neural networks for document
    processing", 2006.

    Raises ShapeError for an x that has not these axes or where no window fits, DTypeError for what
    holds no real numbers, and ArgumentError for an option outside its range.
    """
    x = as_input_array(x, "x", "NHWC", common_dtype(x))
    N, H, W, C = x.shape
    win = window((H, W), kernel, stride=stride, padding=padding, dilation=dilation)
    cols = memory.empty((N * win.output[0] * win.output[1], *win.kernel, C), x.dtype)

    def unroll(cells: Range) -> None:
        kernels.im2col(
            x, cells[0], 0, win.output, win.stride, win.pad_top_left, win.dilation,
            cols[slice(*cells)],
        )  # fmt: skip

    parallel_for(unroll, split_range(len(cols), _NUMBERS // (win.cells * C)))
    return cols.reshape(len(cols), win.cells * C)


def col2im(
    cols: ArrayLike,
    x_shape: Sequence[int],
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
) -> Array:
    """Add every cell of ``cols``, ``(N*OH*OW, KH*KW*C)``, to the cell of x (N, H, W, C) that it came from.

    The adjoint of `im2col`: ``<im2col(x), cols> = <x, col2im(cols)>`` for all x and cols. Cells that
    several windows saw get the sum. ``x_shape`` is (N, H, W, C), and the options are those of `im2col`,
    ``kernel`` among them.

    Raises ShapeError where shapes do not fit together, DTypeError for what holds no real numbers, and
    ArgumentError for an option outside its range.
    """
    cols = as_input_array(cols, "cols", "RK", common_dtype(cols))
    N, H, W, C = image_shape(x_shape)
    win = window((H, W), kernel, stride=stride, padding=padding, dilation=dilation)
    shape = (N * win.output[0] * win.output[1], win.cells * C)
    expect_shape(cols, shape, "cols", "(N*OH*OW, KH*KW*C)")
    dx = memory.output((N, H, W, C), cols.dtype)
    cells = cols.reshape(-1, *win.kernel, C)
    each = win.output[0] * win.output[1]

    def add_back(images: Range) -> None:
        first, last = images
        dx[first:last] = 0
        kernels.col2im(
            cells[first * each : last * each], 0, 0, win.output, win.stride, win.pad_top_left,
            win.dilation, dx[first:last],
        )  # fmt: skip

    parallel_for(add_back, split_range(N, _NUMBERS // (each * win.cells * C)))
    return dx


@remembered
def image_shape(x_shape: Sequence[int]) -> tuple[int, int, int, int]:
    """Read the shape (N, H, W, C) of an array that is not at hand."""
    if not isinstance(x_shape, Sequence) or len(x_shape) != 4:
        raise ShapeError(f"x_shape must be the four sizes (N, H, W, C), got {x_shape!r}")
    N, *sizes = x_shape
    H, W, C = (check_int(size, "x_shape's H, W and C") for size in sizes)
    return check_int(N, "x_shape's N", least=0), H, W, C
