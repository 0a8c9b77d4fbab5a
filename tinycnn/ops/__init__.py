"""The mathematics: pure functions, each forward with its backward, checked at the door.

Names load on first use, so that what only knows shapes never pays for Numba. All functions take
arrays of any strides, order and byte order and never write to them; float64 stays float64, other
real input is computed in float32. Each says which errors of `tinycnn.errors` it raises; besides,
an array that takes more memory than there is raises TooLargeError.
"""

# Below the docstring written by `python -m tools`, from the files' __all__; do not edit.

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinycnn.ops.activations import relu, relu_backward, softmax, softmax_backward
    from tinycnn.ops.batch_norm import batch_normalization, batch_normalization_backward, moments
    from tinycnn.ops.convolution.conv2d import conv2d, conv2d_backward
    from tinycnn.ops.fully_connected import dense, dense_backward
    from tinycnn.ops.losses import cross_entropy, mean_squared_error
    from tinycnn.ops.normalization import local_response_norm, local_response_norm_backward
    from tinycnn.ops.pooling import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward
    from tinycnn.ops.regularization import dropout, dropout_backward
    from tinycnn.ops.unrolling import col2im, im2col

_HOME = {
    "relu": "activations",
    "relu_backward": "activations",
    "softmax": "activations",
    "softmax_backward": "activations",
    "batch_normalization": "batch_norm",
    "batch_normalization_backward": "batch_norm",
    "moments": "batch_norm",
    "conv2d": "convolution.conv2d",
    "conv2d_backward": "convolution.conv2d",
    "dense": "fully_connected",
    "dense_backward": "fully_connected",
    "cross_entropy": "losses",
    "mean_squared_error": "losses",
    "local_response_norm": "normalization",
    "local_response_norm_backward": "normalization",
    "avg_pool2d": "pooling",
    "avg_pool2d_backward": "pooling",
    "max_pool2d": "pooling",
    "max_pool2d_backward": "pooling",
    "dropout": "regularization",
    "dropout_backward": "regularization",
    "col2im": "unrolling",
    "im2col": "unrolling",
}
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
    "mean_squared_error",
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
