"""Convolution from windows where they lie in a map, for weights that stay in the cache as they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.border import copy_with_border
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, at_least, load, read_only, splat, store
from tinycnn.kernels.window_products import window_products

# Numbers of y that are worked out together: their sums, 16 KB, stay in L1.
_SUMS = 4096


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
    counts, steps = (KH, KW, C), (dilation[0] * row, dilation[1] * C, 1)
    if dilation[1] == 1:
        counts, steps = (1, KH, KW * C), (0, dilation[0] * row, 1)
    line = -(-F // LANES) * LANES
    together = min(max(_SUMS // (OW * line), 1), OH)
    cells = together * OW
    # A vector reads on beyond a cell's numbers, also beyond the last cell's.
    weights, bias = np.zeros(W.size + line, np.float32), np.zeros(line, np.float32)
    # To assign slices would take Numba a second and more, for the words of errors that cannot be.
    for e in range(W.size):
        weights[e] = W[e]
    for f in range(F):
        bias[f] = b[f]
    zero = splat(0.0)
    room = np.empty(0 if inside else ((together - 1) * stride[0] + reach) * row, np.float32)
    sums, places = np.empty(cells * line, np.float32), np.empty(cells, np.int64)
    for cell in range(cells):
        places[cell] = cell // OW * stride[0] * row + cell % OW * stride[1] * C
    images, r = x.reshape(x.size // (H * width * C), H, width, C), first
    while r < last:
        n, oh = r // OH, r % OH
        rows = min(together, OH - oh, last - r)
        for at in range(0, rows * OW * line, LANES):
            store(sums, at, zero)
        top = oh * stride[0] - padding[0]
        if inside:
            start = (n * H + top) * row
            window_products(
                places[: rows * OW], x, start, counts, steps, read_only(weights), F, sums, line
            )
        else:
            seen = ((rows - 1) * stride[0] + reach, right)
            copy_with_border(images, n, n + 1, (-top, padding[1]), seen, C, room)
            window_products(
                places[: rows * OW],
                read_only(room),
                0,
                counts,
                steps,
                read_only(weights),
                F,
                sums,
                line,
            )
        to = y_place[0] + n * y_place[1] + oh * y_place[2]
        for i in range(rows):
            _finish(sums, i * OW * line, OW, read_only(bias), relu, y, to, y_place[3], F)
            to += y_place[2]
        r += rows


@kernel
def _finish(
    sums: Any, at: int, cells: int, bias: Any, relu: bool, y: Any, to: int, column: int, F: int
) -> None:
    """Write the sums of a row of cells, plus bias; without a gap, a last vector lies under the next one."""
    least, line, end = splat(0 if relu else -np.inf), len(bias), to + cells * column
    for _ in range(cells):
        for f in range(0, F, LANES):
            z = at_least(load(read_only(sums), at + f) + load(bias, f), least)
            if to + f + LANES <= (end if column == F else to + F):
                store(y, to + f, z)
            else:
                store(sums, at + f, z)
                for lane in range(F - f):
                    y[np.uintp(to + f + lane)] = sums[np.uintp(at + f + lane)]
        at += line
        to += column
