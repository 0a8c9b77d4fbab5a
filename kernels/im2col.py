"""Windows unrolled into rows of a matrix, and the adjoint that adds them back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel


@kernel
def im2col(
    x: Any,
    first: int,
    channel: int,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    cols: Any,
) -> None:
    """Unroll the windows of output cells ``first``, ``first + 1``, ... into the rows of ``cols``.

    ``x`` is (N, H, W, C), ``size`` is (OH, OW) and output cell number (n*OH + oh)*OW + ow sees

        cols[cell - first, i, j, c] = x[n, oh*sh - top + i*dh, ow*sw - left + j*dw, channel + c]

    with zero outside the image. ``cols`` is (cells, KH, KW, channels): its shape says how many
    cells, which kernel and how many channels, from ``channel`` on, are wanted.
    """
    H, W, C = x.shape[1:]
    cells, KH, KW, channels = cols.shape
    OH, OW = size
    # Neighbouring columns of an undilated window over all channels lie side by side in memory, so
    # a whole kernel row is one run; otherwise each kernel column is a run of its own.
    runs, length = KW, channels
    if dilation[1] == 1 and channels == C:
        runs, length = 1, KW * C
    source = x.reshape(x.size)
    target = cols.reshape(cols.size)
    t = 0
    for cell in range(first, first + cells):
        n = cell // (OH * OW)
        top = cell // OW % OH * stride[0] - padding[0]
        left = cell % OW * stride[1] - padding[1]
        for i in range(KH):
            h = top + i * dilation[0]
            row = (n * H + h) * W * C
            for run in range(runs):
                start = (left + run * dilation[1]) * C + channel
                low = min(max(-start, 0), length)
                high = max(min(W * C - start, length), low)
                if h < 0 or h >= H:
                    low, high = length, length
                # Unsigned, because Numba tests each signed index for being negative, and a loop
                # that does is not vectorised: 5 times slower.
                for e in range(low):
                    target[np.uintp(t + e)] = 0
                for e in range(low, high):
                    target[np.uintp(t + e)] = source[np.uintp(row + start + e)]
                for e in range(high, length):
                    target[np.uintp(t + e)] = 0
                t += length


@kernel
def col2im(
    cols: Any,
    first: int,
    channel: int,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    dx: Any,
) -> None:
    """Add every cell of ``cols`` to the cell of ``dx`` that `im2col` would have read it from.

    Overlapping windows add up, what came from the padding is dropped. ``dx`` is (N, H, W, C); cells
    are taken in order, so the sum's order does not depend on how the cells are cut into calls.
    """
    H, W, C = dx.shape[1:]
    cells, KH, KW, channels = cols.shape
    OH, OW = size
    runs, length = KW, channels
    if dilation[1] == 1 and channels == C:
        runs, length = 1, KW * C
    source = cols.reshape(cols.size)
    target = dx.reshape(dx.size)
    s = 0
    for cell in range(first, first + cells):
        n = cell // (OH * OW)
        top = cell // OW % OH * stride[0] - padding[0]
        left = cell % OW * stride[1] - padding[1]
        for i in range(KH):
            h = top + i * dilation[0]
            row = (n * H + h) * W * C
            for run in range(runs):
                start = (left + run * dilation[1]) * C + channel
                if 0 <= h < H:
                    for e in range(max(-start, 0), min(W * C - start, length)):
                        target[np.uintp(row + start + e)] += source[np.uintp(s + e)]
                s += length
