"""A dense layer of packed weights: products in registers, then bias and rectifier, a panel at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.microkernels import product_2, product_4
from tinycnn.kernels.simd import LANES, at_least, load, read_only, splat, store

# Columns of a panel of weights: as many as a tile of 6 rows leaves registers for.
PANEL = (4 if LANES == 16 else 2) * LANES
_product = product_4 if LANES == 16 else product_2
# Weights of this many inputs, 32 KB, stay in L1 while all rows are multiplied with them.
_DEPTH = 8192 // PANEL


@kernel
def pack_weights(W: Any, first: int, last: int, panels: Any) -> None:
    """Copy ``W`` (K, F) to ``panels`` (ceil(F / PANEL), K, PANEL), panels ``first`` to ``last`` of it.

    panels[p, k, c] = W[k, p*PANEL + c]    or 0 beyond the last column
    """
    K, F = W.shape
    source, target = W.reshape(W.size), panels.reshape(panels.size)
    # Row by row of W: a panel alone would read a few lines here and there.
    for k in range(K):
        for p in range(first, last):
            at, to = k * F + p * PANEL, (p * K + k) * PANEL
            if (p + 1) * PANEL <= F:
                for c in range(0, PANEL, LANES):
                    store(target, to + c, load(source, at + c))
            else:
                for c in range(PANEL):
                    target[to + c] = source[at + c] if p * PANEL + c < F else 0


@kernel
def dense(
    x: Any,
    K: int,
    first_row: int,
    last_row: int,
    panels: Any,
    bias: Any,
    relu: bool,
    first: int,
    last: int,
    y: Any,
    F: int,
) -> None:
    """y = x @ W + bias, rectified if ``relu``: some rows, and the columns of some panels of W.

    ``x`` (N, K) and ``y`` (N, F) are flat, ``panels`` is what `pack_weights` wrote, ``bias`` has a
    number for each of its columns. Each sum runs over k from 0 up, then comes the bias: a row's result does
    not depend on the other rows.
    """
    rows = last_row - first_row
    source, weights = read_only(x), read_only(panels.reshape(panels.size))
    sums = np.empty(rows * PANEL, np.float32)
    least = splat(0 if relu else -np.inf)
    for p in range(first, last):
        for k in range(0, K, _DEPTH):
            _product(
                rows, source, first_row * K + k, K, 1, min(_DEPTH, K - k), first_row * K + k,
                weights, (p * K + k) * PANEL, PANEL, sums, 0, PANEL, k > 0,
            )  # fmt: skip
        for f in range(p * PANEL, min((p + 1) * PANEL, F), LANES):
            b = load(bias, f)
            for row in range(rows):
                at, to = row * PANEL + f - p * PANEL, (first_row + row) * F + f
                z = at_least(load(sums, at) + b, least)
                if f + LANES <= F:
                    store(y, to, z)
                else:
                    store(sums, at, z)
                    for lane in range(F - f):
                        y[to + lane] = sums[at + lane]
