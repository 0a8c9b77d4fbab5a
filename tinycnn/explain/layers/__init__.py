"""The built-in layers explained, a file each: imported, they register what is known of them."""

from tinycnn.explain.layers import (
    average_pool2d,
    conv2d,
    dense,
    dropout,
    flatten,
    identity,
    local_response_norm,
    max_pool2d,
    relu,
    softmax,
)

__all__ = [
    "average_pool2d",
    "conv2d",
    "dense",
    "dropout",
    "flatten",
    "identity",
    "local_response_norm",
    "max_pool2d",
    "relu",
    "softmax",
]
