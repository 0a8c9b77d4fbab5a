"""A dense layer's product for a few images: rows of the weights are read as they lie.

To hand such a product to BLAS, which is to be limited first, takes as long as the product.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel


@kernel(fastmath={"contract"})  # each product is a multiply-add
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
