"""Sums of squares: of an array, for its norm, and of what separates two, for a loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel


@kernel(fastmath={"contract", "reassoc"})  # added up in vectors
def sum_of_squares(x: Any, first: int, last: int) -> float:
    """The sum of x**2 over elements ``first`` to ``last`` (not included) of a flat ``x``, in float64."""
    total, some = 0.0, x[first:last]
    for e in range(len(some)):
        number = np.float64(some[e])
        total += number * number
    return total


@kernel(fastmath={"contract", "reassoc"})
def squared_errors(y: Any, targets: Any, first: int, last: int, count: int, dy: Any) -> float:
    """The sum of (y - targets)**2 over elements ``first`` to ``last`` (not included), in float64.

    All arrays are flat. It writes dy = 2 * (y - targets) / count.
    """
    total, slope = 0.0, 2 / count
    a, b, d = y[first:last], targets[first:last], dy[first:last]
    for e in range(len(a)):
        error = np.float64(a[e]) - b[e]
        total += error * error
        d[e] = slope * error
    return total
