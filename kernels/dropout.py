"""Dropout's mask from a counter-based generator (no state, so any part can be drawn on its own)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel


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
    bound, D = np.uint64(threshold), mask.shape[1]
    kept = mask.reshape(mask.size)
    words = np.empty((4, (D + 3) // 4), np.uint32)
    w0, w1, w2, w3 = words[0], words[1], words[2], words[3]
    for row in range(first, last):
        _draw(key, np.uint64(layer), np.uint64(first_sample + row), words)
        for block in range(D // 4):
            at = row * D + 4 * block
            kept[np.uintp(at)] = w0[np.uintp(block)] >= bound
            kept[np.uintp(at + 1)] = w1[np.uintp(block)] >= bound
            kept[np.uintp(at + 2)] = w2[np.uintp(block)] >= bound
            kept[np.uintp(at + 3)] = w3[np.uintp(block)] >= bound
        for cell in range(D // 4 * 4, D):
            kept[np.uintp(row * D + cell)] = words[cell % 4, cell // 4] >= bound


@kernel
def _draw(key: Any, layer: Any, sample: Any, words: Any) -> None:
    """Write the four words of each Philox block of a row: ``words`` (4, blocks), uint32."""
    low_half, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    w0, w1, w2, w3 = words[0], words[1], words[2], words[3]
    for block in range(words.shape[1]):
        c0, c1, c2, c3 = np.uint64(block), sample & low_half, sample >> half, layer
        # Written out: the compiler makes no vectors of a loop that has a loop inside.
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, key, np.uint64(0))
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, key, np.uint64(1))
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, key, np.uint64(2))
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, key, np.uint64(3))
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, key, np.uint64(4))
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, key, np.uint64(5))
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, key, np.uint64(6))
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, key, np.uint64(7))
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, key, np.uint64(8))
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, key, np.uint64(9))
        w0[np.uintp(block)], w1[np.uintp(block)] = c0, c1
        w2[np.uintp(block)], w3[np.uintp(block)] = c2, c3


@kernel
def _round(c0: Any, c1: Any, c2: Any, c3: Any, key: Any, number: Any) -> Any:
    """One of Philox's ten rounds, with the keys of its number; words are uint64 below 2**32."""
    low_half, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    k0 = ((key & low_half) + number * np.uint64(0x9E3779B9)) & low_half
    k1 = ((key >> half) + number * np.uint64(0xBB67AE85)) & low_half
    p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
    return (p1 >> half) ^ c1 ^ k0, p1 & low_half, (p0 >> half) ^ c3 ^ k1, p0 & low_half


@kernel
def scale_kept(x: Any, mask: Any, scale: Any, first: int, last: int, y: Any) -> None:
    """Write y = x * scale where ``mask`` is True and 0 elsewhere, to cells ``first`` to ``last``.

    ``x``, ``mask`` and ``y`` are flat; ``scale`` has x's type. What is dropped is 0 even where it is
    infinite or NaN.
    """
    cells, kept, target = x[first:last], mask[first:last], y[first:last]
    for e in range(last - first):
        target[e] = cells[e] * scale if kept[e] else scale - scale
