"""Hypothesis strategies: the arguments of convolutions, pools and dense layers, with their arrays.

A window is drawn first, then what fits it. Needs hypothesis, which the extra "test" brings.
"""

from __future__ import annotations

from tinycnn.errors import MissingExtraError

try:
    import hypothesis  # noqa: F401
except ImportError as error:
    raise MissingExtraError(
        "tc.testing.strategies needs hypothesis: pip install 'tinycnn[test]'"
    ) from error

from tinycnn.testing.strategies.arguments import (
    Arguments,
    conv_arguments,
    dense_arguments,
    pool_arguments,
)
from tinycnn.testing.strategies.drawn_arrays import arrays, dtypes, generators, images
from tinycnn.testing.strategies.operations import Convolution, Pooling, convolutions, pools
from tinycnn.testing.strategies.sliding_windows import SlidingWindow, pool_windows, windows

__all__ = [
    "Arguments",
    "Convolution",
    "Pooling",
    "SlidingWindow",
    "arrays",
    "conv_arguments",
    "convolutions",
    "dense_arguments",
    "dtypes",
    "generators",
    "images",
    "pool_arguments",
    "pool_windows",
    "pools",
    "windows",
]
