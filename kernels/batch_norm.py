"""Batch normalisation: sums over a channel's cells, and each cell from what they gave; in float64 inside.

Rows lie side by side as wider ones, whose numbers for each channel are repeated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.bias import bias_gradient
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
def moments_of_rows(x: Any, first: int, last: int, part: Any) -> None:
    """Write how many rows there are, their mean, and the sum of (x - mean)**2 to ``part`` (3, C), float64.

    Rows ``first`` to ``last`` (not included) of ``x`` (rows, C) are read twice: they should fit in a cache.
    """
    count, mean, squares = part
    mean[:], squares[:], count[:] = 0, 0, last - first
    bias_gradient(x, first, last, part, 1)
    for c in range(mean.size):
        mean[c] /= count[c]
    add_squared_deviations(x, mean, first, last, squares)


@kernel
def join_moments(parts: Any, mean: Any, variance: Any) -> None:
    """Mean and variance (C,) of all rows, from what `moments_of_rows` wrote of some each: (parts, 3, C).

    The first part's mean, plus how far the others' are from it; their squares, plus those of how far each
    mean is from that of all: Chan, Golub and LeVeque, 1983, formula 1.5. 0 where there are none.
    """
    mean[:], variance[:] = 0, 0
    for c in range(mean.size if len(parts) else 0):
        rows, away = 0.0, 0.0
        for part in parts:
            rows += part[0, c]
            away += part[0, c] * (part[1, c] - parts[0, 1, c])
        mean[c] = parts[0, 1, c] + away / rows
        for part in parts:
            variance[c] += part[2, c] + part[0, c] * (part[1, c] - mean[c]) ** 2
        variance[c] /= rows


@kernel
def channel_scales(gamma: Any, variance: Any, epsilon: float, inverse: Any, scale: Any) -> bool:
    """inverse = 1 / sqrt(variance + epsilon) and scale = gamma * inverse, (C,) in float64.

    False where a variance is below 0.
    """
    good = True
    for c in range(gamma.size):
        good &= not variance[c] < 0
        inverse[c] = 1 / np.sqrt(variance[c] + epsilon)
        scale[c] = gamma[c] * inverse[c]
    return good


@kernel
def gradient_factors(
    sums: Any,
    inverse: Any,
    scale: Any,
    rows: int,
    dgamma: Any,
    dbeta: Any,
    dy_mean: Any,
    slope: Any,
) -> None:
    """What `add_gradients` added up for blocks of rows, ``sums`` (blocks, 2, C), comes to: (C,) each.

    dbeta = sum of dy                  dgamma = inverse * sum of dy * (x - mean)
    dy_mean = dbeta / rows             slope = scale * inverse * dgamma / rows
    """
    for c in range(scale.size):
        total, products = 0.0, 0.0
        for block in range(len(sums)):
            total += sums[block, 0, c]
            products += sums[block, 1, c]
        products *= inverse[c]
        dgamma[c], dbeta[c] = products, total
        dy_mean[c], slope[c] = total / rows, scale[c] * inverse[c] * (products / rows)


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
