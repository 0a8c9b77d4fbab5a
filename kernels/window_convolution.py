"""Convolution from windows where they lie in a map, for weights that stay in the cache as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.border import copy_with_border
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, read_only
from tinycnn.kernels.window_products import window_products

# Outputs that are worked on together: what they read stays in the cache for all filters.
_CELLS = 512


@kernel
def window_convolution(
    x: Any,
    size: tuple[int, int, int],
    W: Any,
    b: Any,
    relu: bool,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    y: Any,
    y_place: tuple[int, int, int, int],
    output: tuple[int, int],
) -> None:
    """Write y = b + x convolved with W, rectified if ``relu``: rows ``first`` to ``last`` of the N*OH rows.

    Arrays are flat, float32. ``x`` is (N, H, W, C), each image of ``size`` (H, W, C) and zero outside, ``W``
    is (KH, KW, C, F), ``b`` (F,). ``output`` is y's (OH, OW), and its ``y_place`` (start, image, row, column)
    says that cell (n, h, w, f) is y[start + n*image + h*row + w*column + f]. Each sum runs over the window
    in row-major order, then comes the bias.
    """
    H, width, C = size
    (KH, KW), (OH, OW), F = kernel, output, b.size
    reach, right = (KH - 1) * dilation[0] + 1, (OW - 1) * stride[1] + (KW - 1) * dilation[1] + 1
    inside = padding == (0, 0) and (OH - 1) * stride[0] + reach <= H and right <= width
    row = (width if inside else right) * C
    together = min(max(_CELLS // OW, 1), OH)
    cells = together * OW
    # A vector reads on beyond a cell's numbers, also beyond the last cell's.
    weights, bias = np.zeros(W.size + LANES, np.float32), np.zeros(F + LANES, np.float32)
    # To assign slices would take Numba a second and more, for the words of errors that cannot be.
    for e in range(W.size):
        weights[e] = W[e]
    for f in range(F):
        bias[f] = b[f]
    room = np.empty(0 if inside else ((together - 1) * stride[0] + reach) * row, np.float32)
    windows, outputs = np.empty(cells, np.int64), np.empty(cells, np.int64)
    for i in range(together):
        for j in range(OW):
            windows[i * OW + j] = i * stride[0] * row + j * stride[1] * C
            outputs[i * OW + j] = i * y_place[2] + j * y_place[3]
    offsets = np.empty(KH * KW * C, np.int64)
    for i in range(KH):
        for j in range(KW):
            for c in range(C):
                offsets[(i * KW + j) * C + c] = i * dilation[0] * row + j * dilation[1] * C + c
    r = first
    while r < last:
        n, oh = r // OH, r % OH
        rows = min(together, OH - oh, last - r)
        top = oh * stride[0] - padding[0]
        start, source = (n * H + top) * row, x
        if not inside:
            seen = ((rows - 1) * stride[0] + reach, right)
            copy_with_border(x, (H, width, C), n, n + 1, (-top, padding[1]), seen, C, room)
            start, source = 0, read_only(room)
        window_products(
            source, start, windows[: rows * OW], offsets, read_only(weights), F, read_only(bias), relu,
            False, y, y_place[0] + n * y_place[1] + oh * y_place[2], outputs[: rows * OW],
        )  # fmt: skip
        r += rows
