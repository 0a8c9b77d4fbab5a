"""A picture fitted to a network's input: resized, its middle cut out, in grey or in colours."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.pictures.resizing import Size, middle

_LUMA = np.array([19595, 38470, 7471])  # 0.299, 0.587 and 0.114 of 2**16


def fitted(values: Array, size: Size, shape: tuple[int, ...]) -> Array:
    """``values`` (h, w, 1 or 3) resized to ``size``, the middle of ``shape`` (H, W, 1 or 3) cut out.

    Colours become grey by their luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601); a grey picture is the
    same in each of three channels.
    """
    cut = middle(values, size, (shape[0], shape[1]))
    if cut.shape[2] == shape[2]:
        return cut
    if shape[2] == 3:
        return np.repeat(cut, 3, axis=2)
    grey: Array = ((cut @ _LUMA + (1 << 15)) >> 16).astype(np.uint8)
    return grey[:, :, None]
