"""A dense layer's three products in float32, with the weights as they lie: for training, where they change.

Tiles of a product stay in registers (`microkernels`), and each weight is brought into the cache once.
Sums run in the order of their index, whatever the blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.dense import PANEL, _product
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.microkernels import product_2
from tinycnn.kernels.simd import LANES, load, read_only, stream, stream_end

# Rows of W that are worked on together. Forward: each gives a few cache lines to a panel, and rows of
# 16 KB all want the same few places in L2, so 128 lose a sixth. Backward: what they make of one panel
# stays in L1.
_FORWARD_ROWS = 64
_ROWS = 48
# Columns of W at a time: the part of dz that meets them, up to 64 KB, stays in L2.
_DEPTH = 256
# Images of a narrow panel.
NARROW = 2 * LANES


@kernel
def dense_product(x: Any, W: Any, first: int, last: int, y: Any) -> None:
    """Write columns ``first`` to ``last`` (not included) of y = x @ W.

    ``x`` is (N, D), ``W`` (D, F), ``y`` (N, F). ``first`` and ``last`` are multiples of PANEL, but for the
    last column.
    """
    (N, D), F = x.shape, W.shape[1]
    source, weights, target = x.reshape(x.size), W.reshape(W.size), y.reshape(y.size)
    whole = first + (last - first) // PANEL * PANEL
    rest = np.zeros(_FORWARD_ROWS * PANEL, np.float32)
    sums = np.empty(N * PANEL, np.float32)
    for k in range(0, D, _FORWARD_ROWS):
        rows = min(_FORWARD_ROWS, D - k)
        for f in range(first, whole, PANEL):
            _product(N, source, k, D, 1, rows, k, weights, k * F + f, F, target, f, F, k > 0)
        if whole < last:
            for row in range(rows):
                for f in range(whole, last):
                    rest[row * PANEL + f - whole] = weights[(k + row) * F + f]
            _product(N, source, k, D, 1, rows, k, rest, 0, PANEL, sums, 0, PANEL, k > 0)
    for n in range(N):
        for f in range(whole, last):
            target[n * F + f] = sums[n * PANEL + f - whole]


@kernel
def dense_weight_gradient(x: Any, panels: Any, first: int, last: int, dW: Any) -> None:
    """Write rows ``first`` to ``last`` (not included) of dW = x.T @ dz.

    ``x`` is (N, D), ``panels`` dz (N, F) as `dense.pack_weights` wrote it, ``dW`` (D, F).
    """
    (N, D), F = x.shape, dW.shape[1]
    source, slopes, target = x.reshape(x.size), panels.reshape(panels.size), dW.reshape(dW.size)
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
                _product(
                    rows, read_only(some), 0, 1, rows, N, 0, slopes, at, PANEL, target, to, F, False
                )
                continue
            _product(
                rows, read_only(some), 0, 1, rows, N, 0, slopes, at, PANEL, sums, 0, PANEL, False
            )
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
def turn_into_panels(dz: Any, panels: Any) -> None:
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

    ``panels`` is dz as `turn_into_panels` wrote it, PANEL or NARROW images in each, ``W`` (D, F), ``dx``
    (N, D).
    """
    (N, D), F, (count, _, width) = dx.shape, W.shape[1], panels.shape
    weights, slopes, target = W.reshape(W.size), panels.reshape(panels.size), dx.reshape(dx.size)
    sums = np.empty(count * _ROWS * width, np.float32)
    for k in range(first, last, _ROWS):
        rows = min(_ROWS, last - k)
        for f in range(0, F, _DEPTH):
            depth = min(_DEPTH, F - f)
            for p in range(count):
                b, c = (p * F + f) * width, p * _ROWS * width
                at = k * F + f
                following = at + depth if p == 0 and f + depth < F else at
                if width == NARROW:
                    product_2(
                        rows, weights, at, F, 1, depth, following, slopes, b, width,
                        sums, c, width, f > 0,
                    )  # fmt: skip
                else:
                    _product(
                        rows, weights, at, F, 1, depth, following, slopes, b, width,
                        sums, c, width, f > 0,
                    )  # fmt: skip
        for n in range(N):
            at = n // width * _ROWS * width + n % width
            for row in range(rows):
                target[np.uintp(n * D + k + row)] = sums[np.uintp(at + row * width)]
