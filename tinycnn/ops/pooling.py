"""Maximum and average pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_array, as_input_array, common_dtype, expect_shape, read_only
from tinycnn.errors import ArgumentError, DTypeError
from tinycnn.kernels import avg_pool, max_pool
from tinycnn.kernels.avg_pool_vectors import avg_pool_rows, avg_pool_rows_backward
from tinycnn.kernels.max_pool_disjoint import max_pool_disjoint_backward
from tinycnn.kernels.max_pool_vectors import max_pool_argmax, max_pool_argmax_backward
from tinycnn.kernels.simd import LANES
from tinycnn.ops.unrolling import image_shape
from tinycnn.runtime import memory
from tinycnn.runtime.by_ranges import ByRanges, by_ranges
from tinycnn.shapes import Padding, Window, pool_window

__all__ = ["avg_pool2d", "avg_pool2d_backward", "max_pool2d", "max_pool2d_backward"]

# Input cells a block: some ten microseconds.
_CELLS = 1 << 16
# To add each dy to its cell, one by one, takes so many times as long.
_ONE_BY_ONE = 4
# Bytes of a gradient that leaves the caches before it is read again.
_LARGE = 8 << 20
# Channels from which on it pays to ask each cell, in vectors, which windows it won, where they overlap;
_MANY = 3 * LANES
# and where none do. Of fewer, each dy is added to its cell.
_SOME = LANES // 2


def max_pool2d(
    x: ArrayLike,
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> tuple[Array, Array]:
    """Take the maximum of each window of ``x`` (N, H, W, C): y (N, OH, OW, C), and its argmax.

    The second result, ``winner`` (y's shape), is the argmax: the index ``i*KW + j`` of the maximum within
    its window, uint8, or wider for windows of more than 256 cells. Only cells inside the image
    compete; of equal maxima the first in row-major order is taken; NaN counts as larger than
    everything. ``kernel`` (KH, KW), ``stride`` (the kernel unless given), ``padding`` and ``dilation``
    are as in `conv2d`, and so is the output's size, but with ``ceil_mode`` it is rounded up: a last
    window may overhang the padded image, unless it starts in the padding at the end. Windows larger
    than their stride overlap, as in Krizhevsky et al. 2012, section 3.4. Source: Riesenhuber and
    Poggio, "Hierarchical models of object recognition in cortex", 1999.

    Raises ShapeError where a window lies wholly in the padding or none fits, DTypeError for what holds
    no real numbers, and ArgumentError for an option outside its range.
    """
    x = as_input_array(x, "x", "NHWC", common_dtype(x))
    N, H, W, C = x.shape
    win = pool_window(
        (H, W), kernel, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    y = memory.output((N, *win.output, C), x.dtype)
    winner = memory.output(y.shape, argmax_dtype(win))
    if y.size:
        by_ranges(*maxima(win, x, y, winner))
    return y, winner


def maxima(win: Window, x: Any, y: Any, winner: Any) -> ByRanges:
    """What writes y and winner of `max_pool2d`, which hold something."""
    N, _, W, C = x.shape
    in_vectors = x.dtype == np.float32 and winner.dtype == np.uint8
    pooling = max_pool_argmax if in_vectors else max_pool.max_pool2d
    steps = win.kernel, win.stride, win.pad_top_left, win.dilation
    return ByRanges(pooling, *_rows(win, N, W * C), (x,), (*steps, y, winner))


def max_pool2d_backward(
    dy: ArrayLike,
    winner: ArrayLike,
    x_shape: Sequence[int],
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
) -> Array:
    """Gradient of `max_pool2d`: dx (N, H, W, C), each dy (N, OH, OW, C) added to its argmax's cell.

        dx[cell] = sum of dy over the windows whose maximum the cell is

    Overlapping windows add up, every other cell gets 0. ``winner`` is what `max_pool2d` returned,
    ``x_shape`` is (N, H, W, C), and the options are those of the forward call.

    Raises ShapeError where shapes do not fit together, DTypeError for a ``dy`` that holds no real
    numbers or a ``winner`` that is not unsigned, and ArgumentError for an option outside its range or
    a ``winner`` that points outside the image.
    """
    N, H, W, C = image_shape(x_shape)
    win = pool_window(
        (H, W), kernel, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode
    )
    dy = as_input_array(dy, "dy", "NHWC", common_dtype(dy))
    expect_shape(dy, (N, *win.output, C), "dy", "the pool's output")
    argmax = _argmax(winner, dy, win)
    dx = memory.output((N, H, W, C), dy.dtype)
    if dx.size:
        by_ranges(*gradients_of_maxima(win, dy, argmax, dx))
    return dx


def gradients_of_maxima(win: Window, dy: Any, argmax: Any, dx: Any) -> ByRanges:
    """What writes dx of `max_pool2d_backward`, which holds something."""
    N, H, W, C = dx.shape
    steps = win.kernel, win.stride, win.pad_top_left
    apart = win.kernel[0] <= win.stride[0] and win.kernel[1] <= win.stride[1]
    in_vectors = dx.dtype == np.float32 and argmax.dtype == np.uint8 and win.dilation == (1, 1)
    if in_vectors and (_SOME if apart else _MANY) <= C:
        gathering = max_pool_disjoint_backward if apart else max_pool_argmax_backward
        after = *steps, C % LANES == 0 and dx.nbytes >= _LARGE, dx
        return ByRanges(gathering, N * H, _CELLS // (W * C), (dy, argmax), after)
    size = _CELLS // (_ONE_BY_ONE * H * W * C)
    after = *steps, win.dilation, dx
    return ByRanges(max_pool.max_pool2d_backward, N, size, (dy, argmax), after)


def avg_pool2d(
    x: ArrayLike,
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Take the mean of each window of ``x`` (N, H, W, C): y (N, OH, OW, C).

        y[n, oh, ow, c] = sum of x over the window's cells inside the image / count

    With ``count_include_pad`` the padding's zeros count as cells, without it the mean is over the
    cells inside the image. Where ``ceil_mode`` lets a window overhang the padded image, the part
    beyond never counts. ``kernel``, ``stride`` and ``padding`` are as in `max_pool2d`. Source: LeCun
    et al., "Gradient-based learning applied to document recognition", 1998 (subsampling).

    Raises ShapeError where a window lies wholly in the padding or none fits, DTypeError for what holds
    no real numbers, and ArgumentError for an option outside its range.
    """
    x = as_input_array(x, "x", "NHWC", common_dtype(x))
    N, H, W, C = x.shape
    win = pool_window((H, W), kernel, stride=stride, padding=padding, ceil_mode=ceil_mode)
    y = memory.output((N, *win.output, C), x.dtype)
    if y.size:
        by_ranges(*means(win, bool(count_include_pad), x, y))
    return y


def means(win: Window, include_pad: bool, x: Any, y: Any) -> ByRanges:
    """What writes y of `avg_pool2d`, which holds something."""
    N, _, W, C = x.shape
    pooling = avg_pool_rows if x.dtype == np.float32 else avg_pool.avg_pool2d
    after = win.kernel, win.stride, win.pad_top_left, _limit(win), include_pad, y
    return ByRanges(pooling, *_rows(win, N, W * C), (x,), after)


def avg_pool2d_backward(
    dy: ArrayLike,
    x_shape: Sequence[int],
    kernel: int | Sequence[int],
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Gradient of `avg_pool2d`: each dy (N, OH, OW, C) shared equally by its window's cells.

        dx[cell] = sum of dy / (the window's count) over the windows that hold the cell

    dx has the shape ``x_shape``, (N, H, W, C); the options are those of the forward call.

    Raises ShapeError where shapes do not fit together, DTypeError for what holds no real numbers, and
    ArgumentError for an option outside its range.
    """
    N, H, W, C = image_shape(x_shape)
    win = pool_window((H, W), kernel, stride=stride, padding=padding, ceil_mode=ceil_mode)
    dy = as_input_array(dy, "dy", "NHWC", common_dtype(dy))
    expect_shape(dy, (N, *win.output, C), "dy", "the pool's output")
    dx = memory.output((N, H, W, C), dy.dtype)
    if dx.size:
        by_ranges(*gradients_of_means(win, bool(count_include_pad), dy, dx))
    return dx


def gradients_of_means(win: Window, include_pad: bool, dy: Any, dx: Any) -> ByRanges:
    """What writes dx of `avg_pool2d_backward`, which holds something."""
    N, H, W, C = dx.shape
    by_rows = dx.dtype == np.float32
    unpooling = avg_pool_rows_backward if by_rows else avg_pool.avg_pool2d_backward
    total, cells = (N * H, W * C) if by_rows else (N, H * W * C)
    after = win.kernel, win.stride, win.pad_top_left, _limit(win), include_pad, dx
    return ByRanges(unpooling, total, _CELLS // cells, (dy,), after)


def _rows(win: Window, N: int, cells: int) -> tuple[int, int]:
    """N*OH output rows, and those of a block: each reads a stride's worth of input rows of ``cells``."""
    return N * win.output[0], _CELLS // (win.stride[0] * cells)


def _limit(win: Window) -> tuple[int, int]:
    """Where windows end at the latest, (H + bottom padding, W + right padding)."""
    return win.height.input + win.height.after, win.width.input + win.width.after


def _argmax(winner: ArrayLike, dy: Array, win: Window) -> Array:
    """Check ``winner``: an index beyond its window, or of a cell in the padding, would lose its dy."""
    argmax = as_array(winner, "winner")
    if argmax.dtype.kind != "u":
        raise DTypeError(
            f"winner must be the unsigned array that max_pool2d returned, got {argmax.dtype}"
        )
    expect_shape(argmax, dy.shape, "winner", "the shape of dy")
    if argmax.size and (argmax.max() >= win.cells or _points_outside(argmax, win)):
        raise ArgumentError(
            "winner holds an index outside the image; use the array that max_pool2d returned for the "
            "same x_shape, kernel, stride, padding and dilation"
        )
    return read_only(np.require(argmax, argmax_dtype(win), ["C", "A"]))


def _points_outside(argmax: Array, win: Window) -> bool:
    """Whether any index is that of a cell in the padding; only windows that reach there are read."""
    for axis, side in enumerate((win.height, win.width), start=1):
        if side.seen_outside == (0, 0):
            continue
        for cell in range(side.output):
            first, last = side.seen(cell, cell)
            if first < 0 or last >= side.input:
                indices = argmax.take(cell, axis).astype(np.intp)
                steps = indices // win.kernel[1] if axis == 1 else indices % win.kernel[1]
                places = first + steps * side.dilation
                if places.min() < 0 or places.max() >= side.input:
                    return True
    return False


def argmax_dtype(win: Window) -> np.dtype[Any]:
    """The dtype of `max_pool2d`'s winner."""
    return np.min_scalar_type(win.cells - 1)
