"""Pictures made larger or smaller: the short side fits, then the middle is cut out."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array

Size = tuple[int, int]  # rows, columns


def covering(size: Size, wanted: Size) -> Size:
    """The size at which a picture of ``size``, its proportions kept, just covers ``wanted``."""
    (h, w), (H, W) = size, wanted
    if H * w >= W * h:  # H / h is the larger of the two factors
        return H, max(_quotient(w * H, h), W)
    return max(_quotient(h * W, w), H), W


def _quotient(a: int, b: int) -> int:
    return (2 * a + b) // (2 * b)


def middle(pixels: Array, size: Size, wanted: Size) -> Array:
    """The middle ``wanted`` pixels of ``pixels`` (h, w, C) resized to ``size``, of uint8 rounded.

    A smaller picture's pixel is the mean of the area that it covers; a larger one's lies on the line
    between the two nearest. The sums of whole numbers are exact; floats are added in float64, in their order.
    """
    pixels = np.asarray(pixels)  # no longer one that is mapped
    (rows, row_shares), (columns, column_shares) = (
        _shares(old, new, (new - cut) // 2, cut)
        for old, new, cut in zip(pixels.shape[:2], size, wanted, strict=True)
    )
    first, last = int(columns.min()), int(columns.max())
    summed = _summed(pixels[:, first : last + 1], rows, row_shares, 255)
    most = 255 * int(row_shares.sum(axis=1).max())
    summed = _summed(summed.swapaxes(0, 1), columns - first, column_shares, most).swapaxes(0, 1)
    whole = np.outer(row_shares.sum(axis=1), column_shares.sum(axis=1))
    means: Array = summed / whole[..., None]
    return (np.rint(means) if pixels.dtype == np.uint8 else means).astype(pixels.dtype)


def _shares(old: int, new: int, first: int, count: int) -> tuple[Array, Array]:
    """Which old pixels go into the new ones from ``first`` on, and how much of each: both (count, some).

    The shares are whole numbers. Of a line of length old * new, an old pixel covers ``new`` and a new one
    ``old``; of a larger picture distances count, between the pixels' middles and in half units.
    """
    i = np.arange(first, first + count)[:, None]
    if new <= old:
        j = i * old // new + np.arange(-(-old // new) + 1)
        shares = np.minimum((i + 1) * old, (j + 1) * new) - np.maximum(i * old, j * new)
    else:
        j = ((2 * i + 1) * old - new) // (2 * new) + np.arange(2)
        shares = 2 * new - np.abs((2 * i + 1) * old - (2 * j + 1) * new)
    inside = (j >= 0) & (j < old)
    return j.clip(0, old - 1), np.where(inside, np.maximum(shares, 0), 0)


def _summed(pixels: Array, places: Array, shares: Array, most: int) -> Array:
    """Of rows of ``pixels``, whole up to ``most``, those at ``places`` (n, some), times their shares."""
    whole = np.int32 if most * int(shares.sum(axis=1).max()) < 2**31 else np.int64
    shares = shares.astype(np.float64 if pixels.dtype.kind == "f" else whole)[..., None, None]
    total: Array = pixels[places[:, 0]] * shares[:, 0]
    for k in range(1, places.shape[1]):
        total += pixels[places[:, k]] * shares[:, k]
    return total
