"""The maximum over windows with its argmax, and where its gradient goes: for every dtype and size."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel


@kernel
def cells_inside(start: int, length: int, dilation: int, limit: int) -> tuple[int, int]:
    """Range of the ``length`` cells of a window on an axis that lie in 0 to ``limit``; one of them does."""
    if (
        start >= 0 and start + (length - 1) * dilation < limit
    ):  # most are inside: a division takes long
        return 0, length
    return -(min(start, 0) // dilation), min(length, -((start - limit) // dilation))


@kernel
def max_pool2d(
    x: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    y: Any,
    argmax: Any,
) -> None:
    """Write the maximum of each window to ``y`` and its index i*KW + j within the window to ``argmax``.

    ``x`` is (N, H, W, C), ``y`` and ``argmax`` (an unsigned integer type) are (N, OH, OW, C); rows
    ``first`` to ``last`` of the N*OH output rows are written. Only cells inside the image
    count; of equal ones the first in row-major order is taken, and NaN counts as larger than everything.
    """
    H, W, C = x.shape[1:]
    OH, OW = y.shape[1:3]
    KH, KW = kernel
    for row in range(first, last):
        n, oh = row // OH, row % OH
        top = oh * stride[0] - padding[0]
        i_first, i_last = cells_inside(top, KH, dilation[0], H)
        # All windows' first row, then all their second: memory is read as one stream.
        for i in range(i_first, i_last):
            h = top + i * dilation[0]
            for ow in range(OW):
                left = ow * stride[1] - padding[1]
                j_first, j_last = cells_inside(left, KW, dilation[1], W)
                best, index = y[n, oh, ow], argmax[n, oh, ow]
                if i == i_first:
                    cell = x[n, h, left + j_first * dilation[1]]
                    for c in range(C):
                        best[c] = cell[c]
                        index[c] = i * KW + j_first
                    j_first += 1
                for j in range(j_first, j_last):
                    cell = x[n, h, left + j * dilation[1]]
                    for c in range(C):
                        # A NaN is not at most the best, so it is taken; a NaN that is the best stays.
                        stays = cell[c] <= best[c] or best[c] != best[c]
                        best[c] = best[c] if stays else cell[c]
                        index[c] = index[c] if stays else i * KW + j


@kernel
def max_pool2d_backward(
    dy: Any,
    argmax: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    dx: Any,
) -> None:
    """Give each window's gradient to its argmax; a cell that is the argmax of several gets their sum.

    Images ``first`` to ``last`` of ``dx`` (N, H, W, C) are overwritten; ``dy`` and ``argmax`` are
    (N, OH, OW, C).
    """
    H, W, C = dx.shape[1:]
    OH, OW = dy.shape[1:3]
    KW = kernel[1]
    # Where the cells of a window are, counted from its first.
    down, right = np.empty(kernel[0] * KW, np.int64), np.empty(kernel[0] * KW, np.int64)
    reach, cells = ((kernel[0] - 1) * dilation[0], (KW - 1) * dilation[1]), np.uintp(down.size)
    offsets = np.empty(down.size, np.int64)
    for k in range(down.size):
        down[k], right[k] = k // KW * dilation[0], k % KW * dilation[1]
        offsets[k] = (down[k] * W + right[k]) * C
    slopes, indices, target = dy.reshape(dy.size), argmax.reshape(argmax.size), dx.reshape(dx.size)
    for n in range(first, last):
        cleared = 0
        for oh in range(OH):
            top = oh * stride[0] - padding[0]
            # A row becomes 0 just before it gets its first gradient: it is then in the cache.
            stop = min(top + (kernel[0] - 1) * dilation[0] + 1, H)
            for e in range((n * H + cleared) * W * C, (n * H + stop) * W * C):
                target[np.uintp(e)] = 0
            cleared = max(cleared, stop)
            rows_inside = top >= 0 and top + reach[0] < H
            at, window = (n * OH + oh) * OW * C, ((n * H + top) * W - padding[1]) * C
            for ow in range(OW):
                left = ow * stride[1] - padding[1]
                # No wrong argmax may write outside dx.
                inside = rows_inside and left >= 0 and left + reach[1] < W
                for c in range(C):
                    number = np.uintp(indices[np.uintp(at + c)])
                    if number < cells and (
                        inside or (0 <= top + down[number] < H and 0 <= left + right[number] < W)
                    ):
                        target[np.uintp(window + offsets[number] + c)] += slopes[np.uintp(at + c)]
                at, window = at + C, window + stride[1] * C
        for e in range((n * H + cleared) * W * C, (n + 1) * H * W * C):
            target[np.uintp(e)] = 0
