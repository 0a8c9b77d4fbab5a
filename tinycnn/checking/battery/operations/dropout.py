"""Dropout, its mask drawn once more for each pass."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.checking.battery.case import GradientCase, function_case, layer_case
from tinycnn.checking.battery.catalogue import LAYERS, OPS
from tinycnn.checking.values import separated
from tinycnn.layers import Dropout


@OPS.register(8)
def dropout(rng: np.random.Generator) -> Iterator[GradientCase]:
    """One mask, from a key."""

    def forward(x: Array) -> Array:
        return ops.dropout(x, 0.4, 7, first_sample=2)[0]

    def backward(dy: Array, x: Array) -> Array:
        return ops.dropout_backward(dy, ops.dropout(x, 0.4, 7, first_sample=2)[1], 0.4)

    x = separated(rng, (4, 9))
    yield function_case("dropout: rate 0.4, its mask replayed", forward, backward, x)


@LAYERS.register(10)
def layers(rng: np.random.Generator) -> Iterator[GradientCase]:
    """In inference, where it is the identity, and in training."""
    yield layer_case(Dropout(0.5), (3, 8), rng, words="in inference")
    yield layer_case(Dropout(0.3), (3, 8), rng, words="in training", training=True)
