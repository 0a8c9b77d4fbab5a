"""A dense layer's products for a few images: rows of the weights are read once, as they lie.

To hand such products to BLAS, or to pack what they read, takes as long as they do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel

# Each product is a multiply-add, and the compiler may add up a row's in vectors.
_FASTMATH = {"contract", "reassoc"}


@kernel(fastmath=_FASTMATH)
def rows_product(x: Any, W: Any, y: Any) -> None:
    """y = x @ W, of ``x`` (N, D) and ``W`` (D, F)."""
    (N, D), F = x.shape, W.shape[1]
    weights, target = W.reshape(W.size), y.reshape(y.size)
    four = D // 4 * 4
    for n in range(N):
        to = n * F
        for f in range(F):
            target[np.uintp(to + f)] = 0
        for d in range(0, four, 4):  # so that y is read and written a quarter as often
            x0, x1, x2, x3 = x[n, d], x[n, d + 1], x[n, d + 2], x[n, d + 3]
            for f in range(F):
                at = np.uintp(d * F + f)
                target[np.uintp(to + f)] += (
                    x0 * weights[at] + x1 * weights[at + np.uintp(F)]
                    + x2 * weights[at + np.uintp(2 * F)] + x3 * weights[at + np.uintp(3 * F)]
                )  # fmt: skip
        for d in range(four, D):
            for f in range(F):
                target[np.uintp(to + f)] += x[n, d] * weights[np.uintp(d * F + f)]


@kernel(fastmath=_FASTMATH)
def rows_weight_gradient(dz: Any, x: Any, dW: Any) -> None:
    """dW = x.T @ dz, of ``x`` (N, D) and ``dz`` (N, F)."""
    (N, D), F = x.shape, dz.shape[1]
    slopes, target = dz.reshape(dz.size), dW.reshape(dW.size)
    for d in range(D):
        for f in range(F):
            target[np.uintp(d * F + f)] = x[0, d] * slopes[np.uintp(f)] if N > 0 else 0
        for n in range(1, N - 1, 2):  # two at a time, so that dW is read and written half as often
            x0, x1 = x[n, d], x[n + 1, d]
            for f in range(F):
                at = np.uintp(n * F + f)
                target[np.uintp(d * F + f)] += x0 * slopes[at] + x1 * slopes[at + np.uintp(F)]
        if N > 1 and N % 2 == 0:
            for f in range(F):
                target[np.uintp(d * F + f)] += x[N - 1, d] * slopes[np.uintp((N - 1) * F + f)]


@kernel(fastmath=_FASTMATH)
def rows_input_gradient(dz: Any, W: Any, dx: Any) -> None:
    """dx = dz @ W.T, of ``dz`` (N, F) and ``W`` (D, F)."""
    (N, F), D = dz.shape, W.shape[0]
    slopes, weights = dz.reshape(dz.size), W.reshape(W.size)
    for d in range(D):
        for n in range(N):
            total = dz.dtype.type(0)
            for f in range(F):
                total += slopes[np.uintp(n * F + f)] * weights[np.uintp(d * F + f)]
            dx[n, d] = total
