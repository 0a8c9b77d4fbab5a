"""The mean over windows, and where its gradient goes: for every dtype and size."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.windows import extent


@kernel
def avg_pool2d(
    x: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    limit: tuple[int, int],
    include_pad: bool,
    y: Any,
) -> None:
    """Write the mean of each window to rows ``first`` to ``last`` of the N*OH rows of ``y`` (N, OH, OW, C).

    ``limit`` is (H + bottom padding, W + right padding), where windows end at the latest. The sum is
    over the cells inside the image; the divisor counts these alone, or with ``include_pad`` the
    cells of the padding too.
    """
    H, W, C = x.shape[1:]
    OH, OW = y.shape[1:3]
    source, target = x.reshape(x.size), y.reshape(y.size)
    to = first * OW * C
    for row in range(first, last):
        n, oh = row // OH, row % OH
        h0, h1, rows = extent(oh, kernel[0], stride[0], padding[0], H, limit[0], include_pad)
        for ow in range(OW):
            w0, w1, columns = extent(ow, kernel[1], stride[1], padding[1], W, limit[1], include_pad)
            at = ((n * H + h0) * W + w0) * C
            for c in range(C):
                total = y.dtype.type(0)
                for h in range(h1 - h0):
                    for w in range(w1 - w0):
                        total += source[np.uintp(at + (h * W + w) * C + c)]
                target[np.uintp(to + c)] = total / y.dtype.type(rows * columns)
            to += C


@kernel
def avg_pool2d_backward(
    dy: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    limit: tuple[int, int],
    include_pad: bool,
    dx: Any,
) -> None:
    """Give each cell of a window the window's gradient divided by what `avg_pool2d` divided by.

    Images ``first`` to ``last`` of ``dx`` (N, H, W, C) are overwritten; ``dy`` is (N, OH, OW, C).
    """
    H, W, C = dx.shape[1:]
    OH, OW = dy.shape[1:3]
    source, target = dy.reshape(dy.size), dx.reshape(dx.size)
    for e in range(first * H * W * C, last * H * W * C):
        target[np.uintp(e)] = 0
    at = first * OH * OW * C
    for n in range(first, last):
        for oh in range(OH):
            h0, h1, rows = extent(oh, kernel[0], stride[0], padding[0], H, limit[0], include_pad)
            for ow in range(OW):
                w0, w1, columns = extent(
                    ow, kernel[1], stride[1], padding[1], W, limit[1], include_pad
                )
                for c in range(C):
                    share = source[np.uintp(at + c)] / dy.dtype.type(rows * columns)
                    for h in range(h0, h1):
                        for w in range(w0, w1):
                            target[np.uintp(((n * H + h) * W + w) * C + c)] += share
                at += C
