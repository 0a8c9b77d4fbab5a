"""Gradients of a dense layer of few images: each weight is read once and its gradient written once."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel


@kernel(fastmath={"reassoc", "contract"})
def dense_gradients(dz: Any, x: Any, W: Any, first: int, last: int, dW: Any, dx: Any) -> None:
    """Write rows ``first`` to ``last`` (not included) of dW = x.T @ dz, and those columns of dx = dz @ W.T.

    ``dz`` is (N, F), ``x`` (N, D), ``W`` and ``dW`` (D, F), ``dx`` (N, D), or (0, D) where none is wanted.
    """
    N, F = len(x), W.shape[1]
    slopes, weights, target = dz.reshape(dz.size), W.reshape(W.size), dW.reshape(dW.size)
    for d in range(first, last):
        row = d * F
        for f in range(F):
            target[np.uintp(row + f)] = 0
        for n in range(N):
            cell = x[n, d]
            for f in range(F):
                target[np.uintp(row + f)] += cell * slopes[np.uintp(n * F + f)]
        for n in range(len(dx)):
            total = dx.dtype.type(0)
            for f in range(F):
                total += slopes[np.uintp(n * F + f)] * weights[np.uintp(row + f)]
            dx[n, d] = total
