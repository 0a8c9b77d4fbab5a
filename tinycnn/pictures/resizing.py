"""Pictures made larger or smaller: the short side fits, then the middle is cut out."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array

Size = tuple[int, int]  # rows, columns
# Products, zeros among them, that take less time all at once than row by row.
_FEW = 1 << 18


def covering(size: Size, wanted: Size) -> Size:
    """The size at which a picture of ``size``, its proportions kept, just covers ``wanted``."""
    (h, w), (H, W) = size, wanted
    if H * w >= W * h:  # H / h is the larger of the two factors
        return H, max(_quotient(w * H, h), W)
    return max(_quotient(h * W, w), H), W


def _quotient(a: int, b: int) -> int:
    return (2 * a + b) // (2 * b)


def middle(pixels: Array, size: Size, wanted: Size) -> Array:
    """The middle ``wanted`` pixels of ``pixels`` (h, w, C) uint8 resized to ``size``, rounded.

    A smaller picture's pixel is the mean of the area that it covers; a larger one's lies on the line
    between the two nearest. The sums are of whole numbers below 2**53, so float64 holds them exactly.
    """
    if pixels.shape[:2] == size:
        top, left = ((new - cut) // 2 for new, cut in zip(size, wanted, strict=True))
        return np.array(pixels[top : top + wanted[0], left : left + wanted[1]])  # else mapped
    (row, rows), (column, columns) = (
        _shares(old, new, (new - cut) // 2, cut)
        for old, new, cut in zip(pixels.shape[:2], size, wanted, strict=True)
    )
    part = pixels[row : row + rows.shape[1], column : column + columns.shape[1]]
    few = part.size * len(rows) <= _FEW
    summed = columns @ (
        np.tensordot(rows, part.astype(np.float64), 1)
        if few
        else np.stack([_summed(part, shares) for shares in rows])
    )
    whole = np.outer(rows.sum(axis=1), columns.sum(axis=1))
    rounded: Array = np.rint(summed / whole[..., None]).astype(np.uint8)
    return rounded


def _shares(old: int, new: int, first: int, count: int) -> tuple[int, Array]:
    """How much of each old pixel goes into the new ones from ``first`` on, ``count`` of them.

    Whole numbers (count, used), and the first of the old pixels that are used. Of a line of length
    old * new, an old pixel covers ``new`` and a new one ``old``.
    """
    start = max(first * old // new - 1, 0)
    stop = min((first + count) * old // new + 2, old)
    i, j = np.arange(first, first + count)[:, None], np.arange(start, stop)
    if new <= old:
        overlap = np.minimum((i + 1) * old, (j + 1) * new) - np.maximum(i * old, j * new)
        return start, np.maximum(overlap, 0).astype(np.float64)
    apart = np.abs((2 * i + 1) * old - (2 * j + 1) * new)  # of the middles, in half units
    return start, np.maximum(2 * new - apart, 0).astype(np.float64)


def _summed(pixels: Array, shares: Array) -> Array:
    """The sum of rows of ``pixels``, each times its share; only those that have one are read."""
    used = np.flatnonzero(shares)
    rows = slice(int(used[0]), int(used[-1]) + 1)
    total: Array = np.tensordot(shares[rows], pixels[rows].astype(np.float64), 1)
    return total
