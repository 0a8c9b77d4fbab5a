"""The mean over windows, and where its gradient goes."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel


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
    for row in range(first, last):
        n, oh = row // OH, row % OH
        top = oh * stride[0] - padding[0]
        bottom = min(top + kernel[0], limit[0])
        h0, h1 = max(top, 0), min(bottom, H)
        y[n, oh] = 0
        # All windows' first row, then all their second: memory is read as one stream.
        for h in range(h0, h1):
            for ow in range(OW):
                left = ow * stride[1] - padding[1]
                for w in range(max(left, 0), min(left + kernel[1], W)):
                    for c in range(C):
                        y[n, oh, ow, c] += x[n, h, w, c]
        for ow in range(OW):
            left = ow * stride[1] - padding[1]
            right = min(left + kernel[1], limit[1])
            w0, w1 = max(left, 0), min(right, W)
            count = (bottom - top) * (right - left) if include_pad else (h1 - h0) * (w1 - w0)
            for c in range(C):
                y[n, oh, ow, c] /= count


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
    for n in range(first, last):
        dx[n] = 0
        for oh in range(OH):
            top = oh * stride[0] - padding[0]
            bottom = min(top + kernel[0], limit[0])
            for ow in range(OW):
                left = ow * stride[1] - padding[1]
                right = min(left + kernel[1], limit[1])
                h0, h1, w0, w1 = max(top, 0), min(bottom, H), max(left, 0), min(right, W)
                count = (bottom - top) * (right - left) if include_pad else (h1 - h0) * (w1 - w0)
                for h in range(h0, h1):
                    for w in range(w0, w1):
                        for c in range(C):
                            dx[n, h, w, c] += dy[n, oh, ow, c] / count
