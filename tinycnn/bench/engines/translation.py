"""Our layouts, channels last, in those of engines that have channels first."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError
from tinycnn.layers import Conv2D, MaxPool2D


def channels_first(x: Array) -> Array:
    """(N, H, W, C) as (N, C, H, W); rows (N, D) stay."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


def channels_last(y: Array) -> Array:
    """(N, C, H, W) as (N, H, W, C); rows (N, D) stay."""
    return np.ascontiguousarray(np.moveaxis(y, 1, -1))


def conv_weights(W: Array) -> Array:
    """(KH, KW, C, F) as (F, C, KH, KW)."""
    return np.ascontiguousarray(W.transpose(3, 2, 0, 1))


def dense_weights(
    W: Array, shape: tuple[int, ...], *, channels_last: bool = False, back: bool = False
) -> Array:
    """(D, F) for inputs of ``shape`` that come as (C, H, W) unless ``channels_last``; or ``back``."""
    if len(shape) == 1 or channels_last:
        return W
    H, W_in, C = shape
    sizes, order = ((C, H, W_in), (1, 2, 0, 3)) if back else ((H, W_in, C), (2, 0, 1, 3))
    return np.ascontiguousarray(W.reshape(*sizes, -1).transpose(order)).reshape(W.shape)


def padding_of(layer: Conv2D | MaxPool2D) -> int:
    """The padding, where it is the same on all sides."""
    if not isinstance(layer.padding, int):
        raise ArgumentError(f"only padding by one int is translated, got {layer.padding!r}")
    return layer.padding
