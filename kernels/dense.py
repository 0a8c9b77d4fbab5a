"""A dense layer's products in float32, with weights as they lie, for training; weights packed for inference.

Tiles of a product stay in registers (`microkernels`), and each weight is brought into the cache once.
Sums run in the order of their index, whatever the blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.panels import PANEL, product, product_of, width_of
from tinycnn.kernels.simd import (
    LANES,
    load,
    load_first,
    read_only,
    store,
    stream,
    stream_end,
)

# Rows of W that are worked on together. Forward: each gives a few cache lines to a panel, and rows of
# 16 KB all want the same few places in L2, so 128 lose a sixth. Backward: what they make of one panel
# stays in L1.
_FORWARD_ROWS = 64
_ROWS = 48
# Columns of W at a time: the part of dz that meets them, up to 64 KB, stays in L2.
_DEPTH = 256


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
            for c in range(0, PANEL, LANES):
                count = max(min(LANES, F - p * PANEL - c), 0)
                store(target, to + c, load_first(source, at + c if count else 0, count))


@kernel
def dense_product(
    x: Any, W: Any, b: Any, relu: bool, first_row: int, last_row: int, first: int, last: int, y: Any
) -> None:
    """Write rows ``first_row`` to ``last_row``, columns ``first`` to ``last`` (not included), of x @ W + b.

    ``x`` is (N, D), ``W`` (D, F), ``y`` (N, F), ``b`` (F,) or empty, for none; with ``relu`` and a bias what
    is below zero becomes zero, NaN stays. ``first`` and ``last`` are multiples of PANEL, but for the last
    column.
    """
    N, D, F = last_row - first_row, x.shape[1], W.shape[1]
    source, weights = read_only(x.reshape(x.size)), read_only(W.reshape(W.size))
    target, start, to = y.reshape(y.size), first_row * D, first_row * F
    whole = first + (last - first) // PANEL * PANEL
    for k in range(0, D if first < whole else 0, _FORWARD_ROWS):
        rows, a = min(_FORWARD_ROWS, D - k), start + k
        for f in range(first, whole, PANEL):
            product(N, source, a, D, 1, rows, a, weights, k * F + f, F, target, to + f, F, k > 0)
    if whole < last:
        _last_columns(source, start, N, D, weights, F, whole, last, target, to)
    for n in range(N if b.size else 0):
        for f in range(first, last):
            z = target[np.uintp(to + n * F + f)] + b[np.uintp(f)]
            target[np.uintp(to + n * F + f)] = 0 if relu and z <= 0 else z


@kernel
def _last_columns(
    source: Any,
    start: int,
    N: int,
    D: int,
    weights: Any,
    F: int,
    whole: int,
    last: int,
    target: Any,
    to: int,
) -> None:
    """The product's columns ``whole`` to ``last``, fewer than a panel has."""
    columns, width = last - whole, width_of(last - whole)
    depth = _FORWARD_ROWS * PANEL // width
    if columns == width:  # vectors as they lie
        for k in range(0, D, depth):
            rows, a = min(depth, D - k), start + k
            product_of(
                columns, N, source, a, D, 1, rows, a, weights, k * F + whole, F, target, to + whole, F, k > 0
            )  # fmt: skip
        return
    # They are a panel of their own, no wider than need be, and so much the deeper.
    rest, sums = np.empty(depth * width, np.float32), np.empty(N * width, np.float32)
    for k in range(0, D, depth):
        rows, a = min(depth, D - k), start + k
        for row in range(rows):
            for f in range(0, width, LANES):
                count = max(min(LANES, columns - f), 0)
                at = (k + row) * F + whole + f if count else 0
                store(rest, row * width + f, load_first(weights, at, count))
        product_of(
            columns, N, source, a, D, 1, rows, a, read_only(rest), 0, width, sums, 0, width, k > 0
        )
    for n in range(N):
        for f in range(columns):
            target[np.uintp(to + n * F + whole + f)] = sums[np.uintp(n * width + f)]


@kernel
def dense_weight_gradient(x: Any, panels: Any, first: int, last: int, dW: Any) -> None:
    """Write rows ``first`` to ``last`` (not included) of dW = x.T @ dz.

    ``x`` is (N, D), ``panels`` dz (N, F) as `dense.pack_weights` wrote it, ``dW`` (D, F).
    """
    (N, D), F = x.shape, dW.shape[1]
    source, slopes = x.reshape(x.size), read_only(panels.reshape(panels.size))
    target = dW.reshape(dW.size)
    # Nobody reads dW before all of it is there; where lines are whole, they go past the caches.
    streamed = F % LANES == 0 and dW.ctypes.data % (4 * LANES) == 0
    some = np.empty(N * _ROWS, np.float32)
    sums = np.empty(_ROWS * PANEL, np.float32)
    for k in range(first, last, _ROWS):
        rows = min(_ROWS, last - k)
        for n in range(N):
            for row in range(rows):
                some[np.uintp(n * rows + row)] = source[np.uintp(n * D + k + row)]
        for p in range(len(panels)):
            columns, at, to = min(PANEL, F - p * PANEL), p * N * PANEL, k * F + p * PANEL
            if columns == PANEL and not streamed:
                product(
                    rows, read_only(some), 0, 1, rows, N, 0, slopes, at, PANEL, target, to, F, False
                )
                continue
            product_of(
                columns, rows, read_only(some), 0, 1, rows, N, 0, slopes, at, PANEL,
                sums, 0, PANEL, False,
            )  # fmt: skip
            for row in range(rows):
                if streamed:
                    for f in range(0, columns, LANES):
                        stream(target, to + f, load(read_only(sums), row * PANEL + f))
                else:
                    for f in range(columns):
                        target[np.uintp(to + f)] = sums[np.uintp(row * PANEL + f)]
                to += F
    stream_end()


@kernel
def pack_images(dz: Any, panels: Any) -> None:
    """Copy ``dz`` (N, F) to ``panels`` (ceil(N / width), F, width), where images are side by side.

    panels[p, f, m] = dz[p*width + m, f]    or 0 beyond the last image
    """
    N, F = dz.shape
    count, _, width = panels.shape
    for p in range(count):
        # Some columns at a time: their part of the panel stays in L1 while all images write to it.
        for start in range(0, F, _ROWS):
            stop = min(start + _ROWS, F)
            for m in range(width):
                n = p * width + m
                if n < N:
                    for f in range(start, stop):
                        panels[p, np.uintp(f), m] = dz[n, np.uintp(f)]
                else:
                    for f in range(start, stop):
                        panels[p, np.uintp(f), m] = 0


@kernel
def dense_input_gradient(panels: Any, W: Any, first: int, last: int, dx: Any) -> None:
    """Write columns ``first`` to ``last`` (not included) of dx = dz @ W.T.

    ``panels`` is dz as `pack_images` wrote it, PANEL or NARROW images in each, ``W`` (D, F), ``dx``
    (N, D).
    """
    (N, D), F, (count, _, width) = dx.shape, W.shape[1], panels.shape
    weights, slopes = read_only(W.reshape(W.size)), read_only(panels.reshape(panels.size))
    target = dx.reshape(dx.size)
    sums = np.empty(count * _ROWS * width, np.float32)
    for k in range(first, last, _ROWS):
        rows = min(_ROWS, last - k)
        for f in range(0, F, _DEPTH):
            depth = min(_DEPTH, F - f)
            for p in range(count):
                b, c = (p * F + f) * width, p * _ROWS * width
                at = k * F + f
                following = at + depth if p == 0 and f + depth < F else at
                product_of(
                    width, rows, weights, at, F, 1, depth, following, slopes, b, width,
                    sums, c, width, f > 0,
                )  # fmt: skip
        for n in range(N):
            at = n // width * _ROWS * width + n % width
            for row in range(rows):
                target[np.uintp(n * D + k + row)] = sums[np.uintp(at + row * width)]
