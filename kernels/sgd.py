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
    decay: float,
) -> None:
    """Update elements ``first`` to ``last`` of flat buffers of one dtype, in place.

    v = momentum * v - rate * (g + decay * w), then w = w + v.
    """
    w, g, v = weights[first:last], gradients[first:last], velocities[first:last]
    for e in range(last - first):
        v[e] = momentum * v[e] - rate * (g[e] + decay * w[e])
        w[e] += v[e]
