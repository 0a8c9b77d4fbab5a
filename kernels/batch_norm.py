"""Batch normalisation: sums over a channel's cells, and each cell from what they gave; in float64 inside.

Rows lie side by side as wider ones, whose numbers for each channel are repeated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.rows import fold, four, number_of, repeat, width_of


@kernel
def moments_of_rows(x: Any, first: int, last: int, parts: Any) -> None:
    """Write how many rows there are, their mean, and the sum of (x - mean)**2 to one of ``parts``, float64.

    Rows ``first`` to ``last`` (not included) of ``x`` (rows, C) are one of as many ranges as there are parts,
    (parts, 3, C). One pass adds up how far numbers are from the first row's, and the squares: that row
    belongs to them, so their mean is near it where numbers are large beside their spread.
    """
    C = x.shape[1]
    width = width_of(last - first, C)
    source, at, end = x.reshape(x.size), first * C, last * C
    u, total, squares = repeat(x[first], width), np.zeros(width), np.zeros(width)
    while at + 4 * width <= end:  # four at once: the sums are read and written once for them
        r0, r1, r2, r3 = four(source, at, width)
        for e in range(width):
            d0, d1, d2, d3 = r0[e] - u[e], r1[e] - u[e], r2[e] - u[e], r3[e] - u[e]
            total[e] += (d0 + d1) + (d2 + d3)
            squares[e] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)
        at += 4 * width
    while at < end:
        row = source[at : at + width]
        for e in range(min(width, end - at)):
            d = row[e] - u[e]
            total[e] += d
            squares[e] += d * d
        at += width
    count, mean, deviations = parts[number_of(first, len(x), len(parts))]
    mean[:], deviations[:], count[:] = 0, 0, last - first
    fold(total, mean)
    fold(squares, deviations)
    for c in range(C):
        away = mean[c] / count[c]
        deviations[c] -= mean[c] * away
        if deviations[c] < 0:
            deviations[c] = 0
        mean[c] = u[c] + away


@kernel
def join_moments(parts: Any, mean: Any, variance: Any) -> None:
    """Mean and variance (C,) of all rows, from what `moments_of_rows` wrote of some each: (parts, 3, C).

    The first part's mean, plus how far the others' are from it; their squares, plus those of how far each
    mean is from that of all: Chan, Golub and LeVeque, 1983, formula 1.5. 0 where there are none.
    """
    mean[:], variance[:], rows = 0, 0, np.zeros(mean.size)
    if len(parts) == 0:
        return
    for k in range(len(parts)):
        for c in range(mean.size):
            rows[c] += parts[k, 0, c]
            mean[c] += parts[k, 0, c] * (parts[k, 1, c] - parts[0, 1, c])
    for c in range(mean.size):
        mean[c] = parts[0, 1, c] + mean[c] / rows[c]
    for k in range(len(parts)):
        for c in range(mean.size):
            variance[c] += parts[k, 2, c] + parts[k, 0, c] * (parts[k, 1, c] - mean[c]) ** 2
    for c in range(mean.size):
        variance[c] /= rows[c]


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
    dy_mean[:], slope[:] = 0, 0
    for block in range(len(sums)):
        for c in range(scale.size):
            dy_mean[c] += sums[block, 0, c]
            slope[c] += sums[block, 1, c]
    for c in range(scale.size):
        total, products = dy_mean[c], slope[c] * inverse[c]
        dgamma[c], dbeta[c] = products, total
        dy_mean[c], slope[c] = total / rows, scale[c] * inverse[c] * (products / rows)


@kernel
def add_gradients(dy: Any, x: Any, mean: Any, first: int, last: int, parts: Any) -> None:
    """Add up dy, and dy * (x - mean), of rows ``first`` to ``last`` (not included), in one of ``parts``.

    ``dy`` and ``x`` are (rows, C), and cut into as many ranges as there are parts; ``mean`` (C,) and
    ``parts`` (parts, 2, C), zeros, are float64.
    """
    C = x.shape[1]
    width = width_of(last - first, C)
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
    dbeta, products = parts[number_of(first, len(x), len(parts))]
    fold(added, dbeta)
    fold(total, products)


@kernel
def scale_deviations(
    x: Any, mean: Any, scale: Any, shift: Any, first: int, last: int, y: Any
) -> None:
    """y = (x - mean) * scale + shift for rows ``first`` to ``last`` (not included) of ``x`` (rows, C).

    ``mean`` and ``scale`` (C,) are float64, ``shift`` is of the dtype of x.
    """
    C = x.shape[1]
    width = width_of(last - first, C)
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
    width = width_of(last - first, C)
    upstream, source, target = dy.reshape(dy.size), x.reshape(x.size), dx.reshape(dx.size)
    u, v = repeat(dy_mean, width), repeat(mean, width)
    s, t, end = repeat(scale, width), repeat(slope, width), last * C
    for at in range(first * C, end, width):
        row, above = source[at : at + width], upstream[at : at + width]
        to = target[at : at + width]
        for e in range(min(width, end - at)):
            to[e] = (above[e] - u[e]) * s[e] - (row[e] - v[e]) * t[e]
