"""Maximum and average over windows, and where their gradients go."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel


@kernel
def _inside(start: int, length: int, dilation: int, limit: int) -> tuple[int, int]:
    """Range of the ``length`` cells of a window on an axis that lie in 0 to ``limit``."""
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
    winner: Any,
) -> None:
    """Write the maximum of each window to ``y`` and its index i*KW + j within the window to ``winner``.

    ``x`` is (N, H, W, C), ``y`` and ``winner`` (an unsigned integer type) are (N, OH, OW, C); rows
    ``first`` to ``last`` of the N*OH output rows are written. Only cells inside the image compete, the
    first maximum in row-major order wins, and NaN wins over everything.
    """
    H, W, C = x.shape[1:]
    OH, OW = y.shape[1:3]
    KH, KW = kernel
    for row in range(first, last):
        n, oh = row // OH, row % OH
        top = oh * stride[0] - padding[0]
        i_first, i_last = _inside(top, KH, dilation[0], H)
        # All windows' first row, then all their second: memory is read as one stream.
        for i in range(i_first, i_last):
            h = top + i * dilation[0]
            for ow in range(OW):
                left = ow * stride[1] - padding[1]
                j_first, j_last = _inside(left, KW, dilation[1], W)
                best, index = y[n, oh, ow], winner[n, oh, ow]
                if i == i_first:
                    cell = x[n, h, left + j_first * dilation[1]]
                    for c in range(C):
                        best[c] = cell[c]
                        index[c] = i * KW + j_first
                    j_first += 1
                for j in range(j_first, j_last):
                    cell = x[n, h, left + j * dilation[1]]
                    for c in range(C):
                        # A NaN is not at most the best, so it wins; a NaN that leads stays.
                        stays = cell[c] <= best[c] or best[c] != best[c]
                        best[c] = best[c] if stays else cell[c]
                        index[c] = index[c] if stays else i * KW + j


@kernel
def max_pool2d_backward(
    dy: Any,
    winner: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    dx: Any,
) -> None:
    """Give each window's gradient to its winner; a cell that won several windows gets their sum.

    Images ``first`` to ``last`` of ``dx`` (N, H, W, C) are overwritten; ``dy`` and ``winner`` are
    (N, OH, OW, C).
    """
    H, W, C = dx.shape[1:]
    OH, OW = dy.shape[1:3]
    KH, KW = kernel
    for n in range(first, last):
        cleared = 0
        for oh in range(OH):
            top = oh * stride[0] - padding[0]
            i_first, i_last = _inside(top, KH, dilation[0], H)
            # A row becomes 0 just before it gets its first gradient: it is then in the cache.
            reach = top + (i_last - 1) * dilation[0] + 1
            if reach > cleared:
                dx[n, cleared:reach] = 0
                cleared = reach
            # All windows' first row, then all their second: memory is read as one stream.
            for i in range(i_first, i_last):
                h = top + i * dilation[0]
                for ow in range(OW):
                    left = ow * stride[1] - padding[1]
                    j_first, j_last = _inside(left, KW, dilation[1], W)
                    gradient, index = dy[n, oh, ow], winner[n, oh, ow]
                    # To ask each cell whether it won beats writing to where the winner points: it is
                    # vectorised, and no wrong winner can write outside dx.
                    for j in range(j_first, j_last):
                        cell = dx[n, h, left + j * dilation[1]]
                        number = winner.dtype.type(i * KW + j)
                        for c in range(C):
                            won = index[c] == number
                            cell[c] = cell[c] + gradient[c] if won else cell[c]
        dx[n, cleared:] = 0


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
