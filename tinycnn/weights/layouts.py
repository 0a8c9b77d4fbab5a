"""Rows over the cells of an image: in this engine pixel by pixel, in others channel by channel."""

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
