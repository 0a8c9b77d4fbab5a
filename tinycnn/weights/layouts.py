"""The orders in which engines keep numbers: rows over the cells of an image, and filters.

Rows go pixel by pixel in this engine, channel by channel in others. The weights of a convolution are
(KH, KW, C // groups, F) here, and (F, C // groups, KH, KW) there.
"""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.layers import Shape


def channels_first(rows: Array, image: Shape) -> Array:
    """Rows (H*W*C, ...) over an ``image`` (H, W, C) in the order (C*H*W, ...); over (D,) they stay."""
    if len(image) == 1:
        return rows
    cells = rows.reshape(*image, *rows.shape[1:])
    return np.ascontiguousarray(np.moveaxis(cells, 2, 0)).reshape(rows.shape)


def channels_last(rows: Array, image: Shape) -> Array:
    """Rows (C*H*W, ...) over an ``image`` (H, W, C) in the order (H*W*C, ...); over (D,) they stay."""
    if len(image) == 1:
        return rows
    H, W, C = image
    cells = rows.reshape(C, H, W, *rows.shape[1:])
    return np.ascontiguousarray(np.moveaxis(cells, 0, 2)).reshape(rows.shape)


# The axes of our weights of a convolution as others have them.
FILTERS_FIRST = (3, 2, 0, 1)


def filters_first(W: Array) -> Array:
    """Weights (KH, KW, C, F) as (F, C, KH, KW)."""
    return np.ascontiguousarray(W.transpose(FILTERS_FIRST))


def filters_last(W: Array) -> Array:
    """Weights (F, C, KH, KW) as (KH, KW, C, F)."""
    return np.ascontiguousarray(W.transpose(np.argsort(FILTERS_FIRST)))
