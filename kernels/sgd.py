"""A step of gradient descent with momentum, one pass over flat buffers."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel


@kernel
def sgd_momentum(
    weights: Any,
    gradients: Any,
    velocities: Any,
    first: int,
    last: int,
    momentum: float,
    nesterov: bool,
    ends: Any,
    rates: Any,
    decays: Any,
    keeps: Any,
) -> None:
    """Update elements ``first`` to ``last`` of flat buffers of one dtype, in place.

        s = g + decay * w;    v = momentum * v - rate * s;    w = keep * w + v

    With ``nesterov`` the last is w = keep * w + momentum * v - rate * s. Parameter p ends before element
    ``ends[p]``, where the next one begins; ``rates[p]``, ``decays[p]`` and ``keeps[p]`` are its own.
    """
    start = first
    for p in range(len(ends)):
        stop, rate, decay, keep = min(ends[p], last), rates[p], decays[p], keeps[p]
        if stop <= start:
            continue
        w, g, v = weights[start:stop], gradients[start:stop], velocities[start:stop]
        real = w.dtype.type
        kept = real(keep)  # w in the buffers' dtype: half the time
        if nesterov:
            for e in range(stop - start):
                slope = g[e] + decay * w[e]
                v[e] = momentum * v[e] - rate * slope
                w[e] = kept * w[e] + real(momentum * v[e] - rate * slope)
        else:
            for e in range(stop - start):
                v[e] = momentum * v[e] - rate * (g[e] + decay * w[e])
                w[e] = kept * w[e] + v[e]
        start = stop
