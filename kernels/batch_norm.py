"""Batch normalisation: sums over a channel's cells, and each cell from what they gave; in float64 inside.

Rows lie side by side as wider ones, whose numbers for each channel are repeated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.rows import fold, four, repeat, rows_side_by_side


@kernel
def add_squared_deviations(x: Any, mean: Any, first: int, last: int, sums: Any) -> None:
    """Add (x - mean)**2 of rows ``first`` to ``last`` (not included) of ``x`` (rows, C) to ``sums`` (C,).

    ``mean`` and ``sums`` are float64.
    """
    C = x.shape[1]
    width = rows_side_by_side(C) * C
    source, end = x.reshape(x.size), last * C
    u, total = repeat(mean, width), np.zeros(width)
    at = first * C
    while at + 4 * width <= end:  # four at once: the sums are read and written once for them
        r0, r1, r2, r3 = four(source, at, width)
        for e in range(width):
            d0, d1, d2, d3 = r0[e] - u[e], r1[e] - u[e], r2[e] - u[e], r3[e] - u[e]
            total[e] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)
        at += 4 * width
    while at < end:
        row = source[at : at + width]
        for e in range(min(width, end - at)):
            total[e] += (row[e] - u[e]) ** 2
        at += width
    fold(total, sums)


@kernel
def add_gradients(
    dy: Any, x: Any, mean: Any, first: int, last: int, dbeta: Any, products: Any
) -> None:
    """Add dy to ``dbeta``, and dy * (x - mean) to ``products``, of rows ``first`` to ``last`` (not included).

    ``dy`` and ``x`` are (rows, C); ``mean dbeta products`` (C,) are float64.
    """
    C = x.shape[1]
    width = rows_side_by_side(C) * C
    source, upstream, end = x.reshape(x.size), dy.reshape(dy.size), last * C
    u, total, added = repeat(mean, width), np.zeros(width), np.zeros(width)
    at = first * C
    while at + 4 * width <= end:
        r0, r1, r2, r3 = four(source, at, width)
        g0, g1, g2, g3 = four(upstream, at, width)
        for e in range(width):
            added[e] += (np.float64(g0[e]) + g1[e]) + (np.float64(g2[e]) + g3[e])
            total[e] += (g0[e] * (r0[e] - u[e]) + g1[e] * (r1[e] - u[e])) + (
                g2[e] * (r2[e] - u[e]) + g3[e] * (r3[e] - u[e])
            )
        at += 4 * width
    while at < end:
        row, above = source[at : at + width], upstream[at : at + width]
        for e in range(min(width, end - at)):
            added[e] += above[e]
            total[e] += above[e] * (row[e] - u[e])
        at += width
    fold(added, dbeta)
    fold(total, products)


@kernel
def scale_deviations(
    x: Any, mean: Any, scale: Any, shift: Any, first: int, last: int, y: Any
) -> None:
    """y = (x - mean) * scale + shift for rows ``first`` to ``last`` (not included) of ``x`` (rows, C).

    ``mean scale shift`` (C,) are float64.
    """
    C = x.shape[1]
    width = rows_side_by_side(C) * C
    source, target, end = x.reshape(x.size), y.reshape(y.size), last * C
    u, s, t = repeat(mean, width), repeat(scale, width), repeat(shift, width)
    for at in range(first * C, end, width):
        row, to = source[at : at + width], target[at : at + width]
        for e in range(min(width, end - at)):
            to[e] = (row[e] - u[e]) * s[e] + t[e]


@kernel
def scale_deviations_backward(
    dy: Any,
    x: Any,
    dy_mean: Any,
    mean: Any,
    scale: Any,
    slope: Any,
    first: int,
    last: int,
    dx: Any,
) -> None:
    """dx = (dy - dy_mean) * scale - (x - mean) * slope for rows ``first`` to ``last`` (not included).

    ``dy x dx`` are (rows, C); ``dy_mean mean scale slope`` (C,) are float64.
    """
    C = x.shape[1]
    width = rows_side_by_side(C) * C
    upstream, source, target = dy.reshape(dy.size), x.reshape(x.size), dx.reshape(dx.size)
    u, v = repeat(dy_mean, width), repeat(mean, width)
    s, t, end = repeat(scale, width), repeat(slope, width), last * C
    for at in range(first * C, end, width):
        row, above = source[at : at + width], upstream[at : at + width]
        to = target[at : at + width]
        for e in range(min(width, end - at)):
            to[e] = (above[e] - u[e]) * s[e] - (row[e] - v[e]) * t[e]
