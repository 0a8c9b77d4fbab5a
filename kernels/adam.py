"""A step of Adam, one pass over flat buffers."""

from __future__ import annotations

import math
from typing import Any

from tinycnn.kernels.jit import kernel


@kernel
def adam(
    weights: Any,
    gradients: Any,
    means: Any,
    squares: Any,
    first: int,
    last: int,
    beta1: float,
    beta2: float,
    scale: float,
    epsilon: float,
    ends: Any,
    rates: Any,
    decays: Any,
    keeps: Any,
) -> None:
    """Update elements ``first`` to ``last`` of flat buffers of one dtype, in place and in that dtype.

        s = g + decay * w
        m = beta1 * m + (1 - beta1) * s
        q = beta2 * q + (1 - beta2) * s**2
        w = keep * w - rate * m / (scale * sqrt(q) + epsilon)

    m stands in ``means``, q in ``squares``. Their corrections at the start are part of ``rates`` and of
    ``scale``. Parameter p ends before element ``ends[p]``, where the next one begins; ``rates[p]``,
    ``decays[p]`` and ``keeps[p]`` are its own.
    """
    real = weights.dtype.type
    b1, rest1, b2, rest2 = real(beta1), real(1 - beta1), real(beta2), real(1 - beta2)
    wide, least, start = real(scale), real(epsilon), first
    for p in range(len(ends)):
        stop = min(ends[p], last)
        if stop <= start:
            continue
        rate, decay, keep = real(rates[p]), real(decays[p]), real(keeps[p])
        w, g = weights[start:stop], gradients[start:stop]
        m, q = means[start:stop], squares[start:stop]
        for e in range(stop - start):
            slope = g[e] + decay * w[e]
            m[e] = b1 * m[e] + rest1 * slope
            q[e] = b2 * q[e] + rest2 * (slope * slope)
            w[e] = keep * w[e] - rate * m[e] / (wide * math.sqrt(q[e]) + least)
        start = stop
