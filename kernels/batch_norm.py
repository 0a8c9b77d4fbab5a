"""Batch normalisation: sums over a channel's cells, in float64, and each cell from what they gave.

Rows lie side by side as wider ones, whose numbers for each channel are repeated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.rows import fold, number_of, repeat, width_of
from tinycnn.kernels.simd import fma, lanes_of, load, load_first, load_wide, store, store_first

# Of numbers that float32 works with as well as float64.
_SMALL, _LARGE = 2.0**-100, 2.0**100


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
    u = repeat(x[first], width, parts)
    total, squares, lanes = np.zeros(u.size), np.zeros(u.size), lanes_of(u)
    # Four rows at once, for which the sums are read and written once. What a row's last vector reads beyond
    # its end goes to sums that nobody wants.
    whole = -(-width // lanes) * lanes
    while at + 4 * width <= end and at + 3 * width + whole <= x.size:
        for e in range(0, width, lanes):
            m, away, squared = load(u, e), load(total, e), load(squares, e)
            for k in range(4):
                d = load_wide(source, at + k * width + e) - m
                away += d
                squared = fma(d, d, squared)
            store(total, e, away)
            store(squares, e, squared)
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
    fold(total[:width], mean)
    fold(squares[:width], deviations)
    for c in range(C):
        beyond = mean[c] / count[c]
        deviations[c] -= mean[c] * beyond
        if deviations[c] < 0:
            deviations[c] = 0
        mean[c] = u[c] + beyond


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
    u, at = repeat(mean, width, parts), first * C
    total, added, lanes = np.zeros(u.size), np.zeros(u.size), lanes_of(u)
    whole = -(-width // lanes) * lanes
    while at + 4 * width <= end and at + 3 * width + whole <= x.size:
        for e in range(0, width, lanes):
            m, slopes, product = load(u, e), load(added, e), load(total, e)
            for k in range(4):
                place = at + k * width + e
                slope = load_wide(upstream, place)
                slopes += slope
                product = fma(slope, load_wide(source, place) - m, product)
            store(added, e, slopes)
            store(total, e, product)
        at += 4 * width
    while at < end:
        row, above = source[at : at + width], upstream[at : at + width]
        for e in range(min(width, end - at)):
            added[e] += above[e]
            total[e] += above[e] * (row[e] - u[e])
        at += width
    dbeta, products = parts[number_of(first, len(x), len(parts))]
    fold(added[:width], dbeta)
    fold(total[:width], products)


@kernel
def scale_deviations(
    x: Any, mean: Any, scale: Any, shift: Any, first: int, last: int, y: Any
) -> None:
    """y = (x - mean) * scale + shift for rows ``first`` to ``last`` (not included) of ``x`` (rows, C).

    ``mean`` and ``scale`` (C,) are float64, ``shift`` is of the dtype of x. That is worked in, with the mean
    in two parts, unless a channel's numbers may be too large or too small for it.
    """
    C = x.shape[1]
    width = width_of(last - first, C)
    source, target, end = x.reshape(x.size), y.reshape(y.size), last * C
    if not (_is_ordinary(mean) and _is_ordinary(scale) and _is_ordinary(shift)):
        for at in range(first * C, end):
            c = at % C
            target[at] = (source[at] - mean[c]) * scale[c] + shift[c]
        return
    high, low = repeat(mean, width, x), repeat(_rest(mean, x), width, x)
    s, t, lanes = repeat(scale, width, x), repeat(shift, width, x), lanes_of(source)
    for at in range(first * C, end, 4 * width):  # what belongs to channels is read once for four
        for e in range(0, width, lanes):
            m, n, f, b = load(high, e), load(low, e), load(s, e), load(t, e)
            for k in range(4):
                place = at + k * width + e
                count = min(width - e, end - place)
                if count >= lanes:
                    store(target, place, fma((load(source, place) - m) - n, f, b))
                elif count > 0:
                    d = (load_first(source, place, count) - m) - n
                    store_first(target, place, count, fma(d, f, b))


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

    ``dy x dx`` are (rows, C); ``dy_mean mean scale slope`` (C,) are float64. Worked out as
    `scale_deviations`.
    """
    C = x.shape[1]
    width = width_of(last - first, C)
    upstream, source, target = dy.reshape(dy.size), x.reshape(x.size), dx.reshape(dx.size)
    end = last * C
    if not (
        _is_ordinary(dy_mean) and _is_ordinary(mean) and _is_ordinary(scale) and _is_ordinary(slope)
    ):
        for at in range(first * C, end):
            c = at % C
            own = (upstream[at] - dy_mean[c]) * scale[c]
            target[at] = own - (source[at] - mean[c]) * slope[c]
        return
    high, low = repeat(mean, width, x), repeat(_rest(mean, x), width, x)
    dy_high, dy_low = repeat(dy_mean, width, x), repeat(_rest(dy_mean, x), width, x)
    s, t, lanes = repeat(scale, width, x), repeat(slope, width, x), lanes_of(source)
    for at in range(first * C, end, 4 * width):
        for e in range(0, width, lanes):
            m, n, a, b = load(high, e), load(low, e), load(dy_high, e), load(dy_low, e)
            f, g = load(s, e), load(t, e)
            for k in range(4):
                place = at + k * width + e
                count = min(width - e, end - place)
                if count >= lanes:
                    own = ((load(upstream, place) - a) - b) * f
                    store(target, place, fma(n - (load(source, place) - m), g, own))
                elif count > 0:
                    own = ((load_first(upstream, place, count) - a) - b) * f
                    away = n - (load_first(source, place, count) - m)
                    store_first(target, place, count, fma(away, g, own))


@kernel
def _is_ordinary(values: Any) -> bool:
    """Whether sums and products of float32 with all these are in its range, and lose nothing at its ends."""
    ordinary = True
    for c in range(values.size):
        size = abs(values[c])
        ordinary &= size == 0 or _SMALL <= size <= _LARGE
    return ordinary


@kernel
def _rest(values: Any, like: Any) -> Any:
    """What float64 has beyond the nearest numbers of the dtype of ``like``."""
    rest = np.empty(values.size)
    for c in range(values.size):
        rest[c] = values[c] - like.dtype.type(values[c])
    return rest
