"""A picture fitted to a network's input: resized, its middle cut out, in grey or in colours."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.pictures.resizing import Size, middle

_LUMA = np.array([19595, 38470, 7471])  # 0.299, 0.587 and 0.114 of 2**16
LUMA = _LUMA / 2**16
"""What red, green and blue are in a pixel's grey (ITU-R BT.601)."""


def fitted(values: Array, size: Size, shape: tuple[int, ...]) -> Array:
    """``values`` (h, w, 1 or 3) resized to ``size``, the middle of ``shape`` (H, W, 1 or 3) cut out.

    `coloured` says how it becomes grey, or coloured.
    """
    return coloured(middle(values, size, (shape[0], shape[1])), shape[2])


def coloured(values: Array, channels: int) -> Array:
    """Pictures (..., H, W, 1 or 3) in 1 or 3 ``channels``; as they are where they have as many.

    Colours become grey by their luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded where they are
    bytes; a grey picture is the same in each of three channels.
    """
    if values.shape[-1] == channels:
        return values
    if channels == 3:
        return np.repeat(values, 3, axis=-1)
    if values.dtype != np.uint8:
        luma: Array = (values * LUMA.astype(values.dtype)).sum(axis=-1, keepdims=True)
        return luma
    grey: Array = ((values @ _LUMA + (1 << 15)) >> 16).astype(np.uint8)
    return grey[..., None]
