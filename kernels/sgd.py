"""The optimizer's update, one pass over flat buffers."""

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
    rate: float,
    momentum: float,
    ends: Any,
    decays: Any,
) -> None:
    """Update elements ``first`` to ``last`` of flat buffers of one dtype, in place.

    v = momentum * v - rate * (g + decay * w), then w = w + v. Parameter p ends before element
    ``ends[p]``, where the next one begins, and has the decay ``decays[p]``.
    """
    start = first
    for p in range(len(ends)):
        stop, decay = min(ends[p], last), decays[p]
        if stop <= start:
            continue
        w, g, v = weights[start:stop], gradients[start:stop], velocities[start:stop]
        for e in range(stop - start):
            v[e] = momentum * v[e] - rate * (g[e] + decay * w[e])
            w[e] += v[e]
        start = stop
