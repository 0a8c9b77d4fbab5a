"""The mathematics: pure functions, each forward with its backward, checked at the door.

Names load on first use, so that what only knows shapes never pays for Numba. All functions take
arrays of any strides, order and byte order and never write to them; float64 stays float64, other
real input is computed in float32. Each says which errors of `tinycnn.errors` it raises; besides,
an array that takes more memory than there is raises TooLargeError.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinycnn.ops.activations import relu, relu_backward, softmax, softmax_backward
    from tinycnn.ops.batch_norm import (
        batch_normalization,
        batch_normalization_backward,
        moments,
    )
    from tinycnn.ops.convolution.conv2d import conv2d, conv2d_backward
    from tinycnn.ops.fully_connected import dense, dense_backward
    from tinycnn.ops.losses import cross_entropy
    from tinycnn.ops.normalization import local_response_norm, local_response_norm_backward
    from tinycnn.ops.pooling import (
        avg_pool2d,
        avg_pool2d_backward,
        max_pool2d,
        max_pool2d_backward,
    )
    from tinycnn.ops.regularization import dropout, dropout_backward
    from tinycnn.ops.unrolling import col2im, im2col

_HOMES = {
    "activations": ("relu", "relu_backward", "softmax", "softmax_backward"),
    "batch_norm": ("moments", "batch_normalization", "batch_normalization_backward"),
    "convolution.conv2d": ("conv2d", "conv2d_backward"),
    "fully_connected": ("dense", "dense_backward"),
    "normalization": ("local_response_norm", "local_response_norm_backward"),
    "losses": ("cross_entropy",),
    "pooling": ("max_pool2d", "max_pool2d_backward", "avg_pool2d", "avg_pool2d_backward"),
    "regularization": ("dropout", "dropout_backward"),
    "unrolling": ("im2col", "col2im"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "avg_pool2d",
    "avg_pool2d_backward",
    "batch_normalization",
    "batch_normalization_backward",
    "col2im",
    "conv2d",
    "conv2d_backward",
    "cross_entropy",
    "dense",
    "dense_backward",
    "dropout",
    "dropout_backward",
    "im2col",
    "local_response_norm",
    "local_response_norm_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "moments",
    "relu",
    "relu_backward",
    "softmax",
    "softmax_backward",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
