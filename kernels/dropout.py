"""Dropout's mask from a counter-based generator (no state, so any part can be drawn on its own)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels._jit import kernel


@kernel
def dropout_mask(
    key: Any, layer: int, first_sample: int, first: int, last: int, threshold: int, mask: Any
) -> None:
    """Draw rows ``first`` to ``last`` of ``mask`` (N, D): True where a cell is kept.

    Cell d of row n is kept when word d % 4 of the Philox-4x32-10 block

        counter (d // 4, low and high half of first_sample + n, layer),  key (low, high half of key)

    is at least ``threshold`` (the rate times 2**32). ``key`` is a uint64. Generator: Salmon et al.,
    "Parallel random numbers: as easy as 1, 2, 3", 2011.
    """
    low_half = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    bound = np.uint64(threshold)
    D = mask.shape[1]
    for row in range(first, last):
        sample = np.uint64(first_sample + row)
        for block in range((D + 3) // 4):
            c0, c1 = np.uint64(block), sample & low_half
            c2, c3 = sample >> half, np.uint64(layer)
            k0, k1 = key & low_half, key >> half
            for _ in range(10):
                p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
                c0, c1 = (p1 >> half) ^ c1 ^ k0, p1 & low_half
                c2, c3 = (p0 >> half) ^ c3 ^ k1, p0 & low_half
                k0 = (k0 + np.uint64(0x9E3779B9)) & low_half
                k1 = (k1 + np.uint64(0xBB67AE85)) & low_half
            for word in range(min(4, D - 4 * block)):
                value = c0 if word == 0 else c1 if word == 1 else c2 if word == 2 else c3
                mask[row, 4 * block + word] = value >= bound


@kernel
def scale_kept(x: Any, mask: Any, scale: Any, first: int, last: int, y: Any) -> None:
    """Write y = x * scale where ``mask`` is True and 0 elsewhere, to cells ``first`` to ``last``.

    ``x``, ``mask`` and ``y`` are flat; ``scale`` has x's type. What is dropped is 0 even where it is
    infinite or NaN.
    """
    cells, kept, target = x[first:last], mask[first:last], y[first:last]
    for e in range(last - first):
        target[e] = cells[e] * scale if kept[e] else scale - scale
