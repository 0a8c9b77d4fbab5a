"""A dense layer's products in float32 for inference: of packed weights, or of weights as they lie.

Those of many rows take so long that weights as they lie are packed meanwhile, a part at a time: they need no
copy that is kept, and take a tenth longer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.panels import PANEL, product_of
from tinycnn.kernels.simd import (
    LANES,
    at_least,
    load,
    load_first,
    prefetch,
    read_only,
    splat,
    store,
)

# Packed weights of this many inputs, 32 KB, stay in L1 while all rows are multiplied with them.
_PACKED_DEPTH = 8192 // PANEL
# Rows from which on weights as they lie are packed for them alone,
WORTH_PACKING = 8
# in parts of a panel, of so many inputs: two of them stay in L2.
_PART = 256
# Rows that are multiplied with a part before more of the next is packed: meanwhile memory answers.
_GROUP = 12


@kernel
def dense(
    x: Any,
    K: int,
    first_row: int,
    last_row: int,
    panels: Any,
    panel_row: int,
    bias: Any,
    relu: bool,
    first: int,
    last: int,
    y: Any,
    F: int,
) -> None:
    """y = x @ W + bias, rectified if ``relu``: some rows, and columns ``first`` to ``last``.

    ``x`` (N, K), ``bias`` (F,) and ``y`` (N, F) are flat. ``panels`` is what `pack_weights` wrote, or W
    itself; ``panel_row`` is the numbers of its rows, PANEL or F. Each sum runs over k from 0 up, then comes
    the bias: a row's result does not depend on the other rows, nor on where the weights lie. Last rows
    and columns are not included; columns are whole panels, but for W's last.
    """
    rows = last_row - first_row
    source, weights = read_only(x), read_only(panels.reshape(panels.size))
    packed = panel_row == PANEL
    sums = np.empty(rows * PANEL, np.float32)
    parts = np.empty(0 if packed else 2 * _PART * PANEL, np.float32)
    least = splat(0 if relu else -np.inf)
    panel = K * PANEL if packed else PANEL
    for p in range(-(-first // PANEL), -(-last // PANEL)):
        columns = min(PANEL, F - p * PANEL)
        if not packed and (rows >= WORTH_PACKING or columns < PANEL):
            _product_packing(
                rows, source, first_row * K, K, weights, p * PANEL, F, columns, parts, sums
            )
        else:
            for k in range(0, K, _PACKED_DEPTH):
                product_of(
                    columns, rows, source, first_row * K + k, K, 1, min(_PACKED_DEPTH, K - k),
                    first_row * K + k, weights, p * panel + k * panel_row, panel_row,
                    sums, 0, PANEL, k > 0,
                )  # fmt: skip
        for f in range(p * PANEL, p * PANEL + columns, LANES):
            b = load_first(bias, f, min(LANES, F - f))
            for row in range(rows):
                at, to = row * PANEL + f - p * PANEL, (first_row + row) * F + f
                z = at_least(load(sums, at) + b, least)
                if f + LANES <= F:
                    store(y, to, z)
                else:
                    store(sums, at, z)
                    for lane in range(F - f):
                        y[to + lane] = sums[at + lane]


@kernel
def _product_packing(
    rows: int, x: Any, x0: int, K: int, weights: Any, at: int, F: int, columns: int,
    parts: Any, sums: Any,
) -> None:  # fmt: skip
    """Write ``sums`` (rows, PANEL) of x, from ``x0`` on, by the weights' ``columns`` that begin at ``at``.

    While rows are multiplied with one part of these, the next one is brought and packed: ``parts`` holds two.
    """
    groups = -(-rows // _GROUP)
    now, then = 0, _PART * PANEL
    _pack(weights, at, F, columns, 0, min(_PART, K), parts, now)
    for k in range(0, K, _PART):
        following, depth = at + (k + _PART) * F, max(min(_PART, K - k - _PART), 0)
        for group in range(groups):
            first, last = group * depth // groups, (group + 1) * depth // groups
            for row in range(first, last):
                for c in range(0, columns, LANES):
                    prefetch(weights, following + row * F + c)
            top, bottom = group * rows // groups, (group + 1) * rows // groups
            a = x0 + top * K + k
            product_of(
                columns, bottom - top, x, a, K, 1, min(_PART, K - k), a, read_only(parts), now, PANEL,
                sums, top * PANEL, PANEL, k > 0,
            )  # fmt: skip
            _pack(weights, following, F, columns, first, last, parts, then)
        now, then = then, now


@kernel
def _pack(
    weights: Any, at: int, F: int, columns: int, first: int, last: int, parts: Any, to: int
) -> None:
    """Copy rows ``first`` to ``last`` of the columns to a part that begins at ``to``, with zeros beyond."""
    for row in range(first, last):
        for c in range(0, PANEL, LANES):
            count = max(min(LANES, columns - c), 0)
            some = load_first(weights, at + row * F + c if count else 0, count)
            store(parts, to + row * PANEL + c, some)
