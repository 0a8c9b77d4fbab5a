"""The naive twin of every kernel: same name, same arguments, too plain to be wrong.

Each twin is its kernel's definition in Python loops. It adds up in float64 and rounds once, when
the result is stored, so where a kernel adds up in float32 the two differ by that rounding. Nothing
here is shared with the kernels, and nothing is fast.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


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
    """Row r of ``cols`` is the window of output cell first + r; zero outside the image."""
    H, W = x.shape[1:3]
    OH, OW = size
    cells, KH, KW, channels = cols.shape
    for r in range(cells):
        n, oh, ow = (first + r) // (OH * OW), (first + r) // OW % OH, (first + r) % OW
        for i in range(KH):
            for j in range(KW):
                h = oh * stride[0] - padding[0] + i * dilation[0]
                w = ow * stride[1] - padding[1] + j * dilation[1]
                inside = 0 <= h < H and 0 <= w < W
                for c in range(channels):
                    cols[r, i, j, c] = x[n, h, w, channel + c] if inside else 0


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
    """Add each cell of ``cols`` to the cell of ``dx`` that it was read from; drop the padding's."""
    H, W = dx.shape[1:3]
    OH, OW = size
    cells, KH, KW, channels = cols.shape
    total = dx.astype(np.float64)
    for r in range(cells):
        n, oh, ow = (first + r) // (OH * OW), (first + r) // OW % OH, (first + r) % OW
        for i in range(KH):
            for j in range(KW):
                h = oh * stride[0] - padding[0] + i * dilation[0]
                w = ow * stride[1] - padding[1] + j * dilation[1]
                inside = 0 <= h < H and 0 <= w < W
                for c in range(channels if inside else 0):
                    total[n, h, w, channel + c] += float(cols[r, i, j, c])
    dx[...] = total


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
    """Scan the window's cells inside the image: the first maximum wins, or the first NaN if any."""
    H, W, C = x.shape[1:]
    OH, OW = y.shape[1:3]
    KH, KW = kernel
    for row in range(first, last):
        n, oh = row // OH, row % OH
        for ow in range(OW):
            for c in range(C):
                best: float | None = None
                index = 0
                for i in range(KH):
                    for j in range(KW):
                        h = oh * stride[0] - padding[0] + i * dilation[0]
                        w = ow * stride[1] - padding[1] + j * dilation[1]
                        if 0 <= h < H and 0 <= w < W:
                            v = float(x[n, h, w, c])
                            if best is None or v > best or (math.isnan(v) and not math.isnan(best)):
                                best, index = v, i * KW + j
                y[n, oh, ow, c] = best
                winner[n, oh, ow, c] = index


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
    """Add each ``dy`` to the one cell that ``winner`` names."""
    OH, OW, C = dy.shape[1:]
    for n in range(first, last):
        total = np.zeros(dx.shape[1:])
        for oh in range(OH):
            for ow in range(OW):
                for c in range(C):
                    i, j = divmod(int(winner[n, oh, ow, c]), kernel[1])
                    h = oh * stride[0] - padding[0] + i * dilation[0]
                    w = ow * stride[1] - padding[1] + j * dilation[1]
                    total[h, w, c] += float(dy[n, oh, ow, c])
        dx[n] = total


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
    """Divide the sum of the window's cells in the image by their number, or with the padding's."""
    H, W, C = x.shape[1:]
    OH, OW = y.shape[1:3]
    for row in range(first, last):
        n, oh = row // OH, row % OH
        for ow in range(OW):
            for c in range(C):
                total, count = 0.0, 0
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        h = oh * stride[0] - padding[0] + i
                        w = ow * stride[1] - padding[1] + j
                        inside = 0 <= h < H and 0 <= w < W
                        if inside:
                            total += float(x[n, h, w, c])
                        if inside or (include_pad and h < limit[0] and w < limit[1]):
                            count += 1
                y[n, oh, ow, c] = total / count


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
    """Add dy, over the number that the mean divides by, to each cell that the window sees."""
    H, W, C = dx.shape[1:]
    OH, OW = dy.shape[1:3]
    for n in range(first, last):
        total = np.zeros((H, W, C))
        for oh in range(OH):
            for ow in range(OW):
                seen, count = [], 0
                for i in range(kernel[0]):
                    for j in range(kernel[1]):
                        h = oh * stride[0] - padding[0] + i
                        w = ow * stride[1] - padding[1] + j
                        inside = 0 <= h < H and 0 <= w < W
                        if inside:
                            seen.append((h, w))
                        if inside or (include_pad and h < limit[0] and w < limit[1]):
                            count += 1
                for h, w in seen:
                    for c in range(C):
                        total[h, w, c] += float(dy[n, oh, ow, c]) / count
        dx[n] = total


def local_response_norm(
    x: Any, first: int, last: int, size: int, a: float, beta: float, k: float, y: Any
) -> None:
    """Divide x[c] by (k + a * the sum of squares of the ``size`` channels around c) to the beta."""
    C = x.shape[1]
    for row in range(first, last):
        for c in range(C):
            s = k
            for other in range(C):
                if abs(other - c) <= size // 2:
                    s += a * float(x[row, other]) ** 2
            y[row, c] = float(x[row, c]) * s**-beta


def local_response_norm_backward(
    dy: Any, x: Any, first: int, last: int, size: int, a: float, beta: float, k: float, dx: Any
) -> None:
    """dx[c] is the sum over outputs e of dy[e] times the derivative of y[e] = x[e] * s[e]**-beta.

    By the product rule that derivative is s[e]**-beta, if e = c, plus, for the channels e around c,
    x[e] * -beta * s[e]**(-beta - 1) times the derivative of s[e], which is 2*a*x[c].
    """
    C = x.shape[1]
    for row in range(first, last):
        s = [k] * C
        for e in range(C):
            for c in range(C):
                if abs(e - c) <= size // 2:
                    s[e] += a * float(x[row, c]) ** 2
        for c in range(C):
            total = float(dy[row, c]) * s[c] ** -beta
            for e in range(C):
                if abs(e - c) <= size // 2:
                    slope = -beta * s[e] ** (-beta - 1) * 2 * a * float(x[row, c])
                    total += float(dy[row, e]) * float(x[row, e]) * slope
            dx[row, c] = total


def dropout_mask(
    key: Any, layer: int, first_sample: int, first: int, last: int, threshold: int, mask: Any
) -> None:
    """Keep cell d of a sample where word d % 4 of Philox block d // 4 reaches ``threshold``."""
    keys = int(key) % 2**32, int(key) // 2**32
    for row in range(first, last):
        sample = first_sample + row
        for d in range(mask.shape[1]):
            counter = d // 4, sample % 2**32, sample // 2**32, layer
            mask[row, d] = philox(counter, keys)[d % 4] >= threshold


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Philox-4x32-10: four random 32-bit words for four counter words and two key words.

    Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c0, 2**32)
        high1, low1 = divmod(0xCD9E8D57 * c2, 2**32)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return c0, c1, c2, c3


def sgd_momentum(
    weights: Any,
    gradients: Any,
    velocities: Any,
    first: int,
    last: int,
    rate: float,
    momentum: float,
    decay: float,
) -> None:
    """v = momentum * v - rate * (g + decay * w), then w = w + v with the v that was stored."""
    for e in range(first, last):
        slope = float(gradients[e]) + decay * float(weights[e])
        velocities[e] = momentum * float(velocities[e]) - rate * slope
        weights[e] = float(weights[e]) + float(velocities[e])


def add_bias(y: Any, b: Any, relu: bool) -> None:
    """z = y + b, then max(0, z) if ``relu`` (so NaN stays)."""
    rows, F = y.shape
    for row in range(rows):
        for f in range(F):
            z = float(y[row, f]) + float(b[f])
            y[row, f] = 0.0 if relu and z <= 0 else z


def relu_backward(dy: Any, y: Any, dz: Any) -> None:
    """``dy`` where ``y`` is not zero or less (so NaN lets it pass), else zero."""
    rows, F = dz.shape
    for row in range(rows):
        for f in range(F):
            dz[row, f] = 0 if y[row, f] <= 0 else dy[row, f]
