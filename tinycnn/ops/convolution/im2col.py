"""Convolution as matrix products over unrolled windows, a block of windows at a time.

The full column matrix never exists: a block of its rows is unrolled into a buffer that stays in the
cache, multiplied by BLAS and finished while it is there. Every stride, dilation, group and dtype
goes this way. Sizes: R rows of a block, K = KH*KW*(C // groups) columns.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import product

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.kernels.bias import add_bias
from tinycnn.kernels.im2col import col2im, im2col
from tinycnn.ops.convolution.geometry import Geometry, rows
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import LEAST_ROWS, Range, split_range
from tinycnn.runtime.scratch import scratch

# BLAS packs the weights anew for each block: 128 rows lose a tenth by that, 64 rows a fifth. From
# some 300 rows on it no longer matters, even where the columns spill from L2 into L3. Tried and
# lost: to cut the filters instead (5 to 30 % slower), to spare a 1x1 kernel the unrolling (the same).
_MOST_ROWS = 512
_BLOCK_BYTES = 6 << 20
# Multiply-adds of a block: a tenth of a second on a slow core.
_BLOCK_WORK = 1 << 30
# Blocks come in multiples of this many, so that the cores end together, but if they would then have
# fewer rows than are enough, in halves and quarters of it.
_EVEN_BLOCKS = 8
_ENOUGH_ROWS = 80
# Channels of dx that are a block of their own where images are few; less lose more than they gain.
_LEAST_CHANNELS = 48
# Columns of dW that one chain of blocks sums up: dW's part stays in L2.
_PART_COLUMNS = 128


def forward(
    x: Array, W: Array, b: Array | None, geometry: Geometry, y: Array, *, relu: bool
) -> None:
    """Write y = x convolved with W, plus b, rectified if ``relu``."""
    win = geometry.window
    K = win.cells * W.shape[2]
    weights, target = W.reshape(K, geometry.F), rows(y)

    def multiply(block: Range) -> None:
        first, last = block
        cols = scratch("cols", (last - first, *win.kernel, W.shape[2]), x.dtype)
        part = target[first:last]
        for channels, filters in geometry.group_slices():
            im2col(
                x, first, channels.start,
                win.output, win.stride, win.pad_top_left, win.dilation, cols,
            )  # fmt: skip
            np.matmul(cols.reshape(-1, K), weights[:, filters], out=part[:, filters])
        if b is not None:
            add_bias(part, b, relu)
        elif relu:
            np.maximum(part, part.dtype.type(0), out=part)

    parallel_for(multiply, _row_blocks(len(target), K, geometry.F, x.itemsize), uses_blas=True)


def weight_gradient(dz: Array, x: Array, geometry: Geometry, dW: Array) -> None:
    """Write dW = cols.T @ dz.

    dW is cut by its rows, so no sum is shared. The windows of a part of the kernel, from
    (i, j) on, are the windows of a smaller kernel whose padding is less by (i*dh, j*dw): so the
    columns for a part of dW are unrolled alone.
    """
    win = geometry.window
    (KH, KW), (top, left), (dh, dw) = win.kernel, win.pad_top_left, win.dilation
    Cg = geometry.C // geometry.groups
    # Few channels: a whole kernel row is a part. Many: each kernel cell, and a range of channels.
    columns = [(0, KW)] if KW * Cg <= _PART_COLUMNS else [(j, j + 1) for j in range(KW)]
    parts = product(range(KH), columns, split_range(Cg, _PART_COLUMNS), geometry.group_slices())
    slopes = rows(dz)
    row_blocks = _row_blocks(len(slopes), _PART_COLUMNS, geometry.F, x.itemsize)

    def sum_up(part: tuple[int, Range, Range, tuple[slice, slice]]) -> Generator[None]:
        i, (j, j_end), (c, c_end), (channels, filters) = part
        pad_top_left = (top - i * dh, left - j * dw)
        kernel = (1, j_end - j, c_end - c)
        total = dW[i, j:j_end, c:c_end, filters]
        total[...] = 0
        for first, last in row_blocks:
            cols = scratch("cols", (last - first, *kernel), x.dtype)
            im2col(
                x, first, channels.start + c,
                win.output, win.stride, pad_top_left, win.dilation, cols,
            )  # fmt: skip
            K, some = kernel[1] * kernel[2], slopes[first:last, filters]
            term = scratch("dW", (K, some.shape[1]), x.dtype)
            np.matmul(cols.reshape(-1, K).T, some, out=term)
            total += term.reshape(total.shape)
            yield

    parallel_for(sum_up, parts, uses_blas=True)


def input_gradient(dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx = col2im(dz @ W.T), an image's windows in order.

    Each image is a part of its own, and where they are few, so are ranges of its channels.
    """
    win = geometry.window
    Cg = W.shape[2]
    slopes = rows(dz)
    ranges = split_range(
        Cg, -(-Cg * max(geometry.N, 1) // _EVEN_BLOCKS), least=min(_LEAST_CHANNELS, Cg)
    )
    most = max(last - first for first, last in ranges)
    row_blocks = _row_blocks(geometry.cells_per_image, win.cells * most, geometry.F, dz.itemsize)

    def scatter(part: tuple[int, Range]) -> Generator[None]:
        n, (c, c_end) = part
        K, start = win.cells * (c_end - c), n * geometry.cells_per_image
        for channels, _ in geometry.group_slices():
            dx[n, :, :, channels.start + c : channels.start + c_end] = 0
        weights = W[:, :, c:c_end].reshape(K, geometry.F)
        for first, last in row_blocks:
            some = slopes[start + first : start + last]
            cols = scratch("cols", (last - first, *win.kernel, c_end - c), dz.dtype)
            for channels, filters in geometry.group_slices():
                np.matmul(some[:, filters], weights[:, filters].T, out=cols.reshape(-1, K))
                col2im(
                    read_only(cols), start + first, channels.start + c,
                    win.output, win.stride, win.pad_top_left, win.dilation, dx,
                )  # fmt: skip
            yield

    parallel_for(scatter, product(range(geometry.N), ranges), uses_blas=True)


def _row_blocks(total: int, K: int, F: int, itemsize: int) -> list[Range]:
    """Cut ``total`` rows of columns, each K numbers to be multiplied with F filters."""
    most = min(_MOST_ROWS, _BLOCK_BYTES // max(K * itemsize, 1), _BLOCK_WORK // max(K * F, 1))
    count = -(-total // max(most, LEAST_ROWS))
    count += -count % _EVEN_BLOCKS
    while count > 1 and total < count * min(most, _ENOUGH_ROWS):
        count //= 2
    return split_range(total, -(-total // max(count, 1)), least=LEAST_ROWS)
