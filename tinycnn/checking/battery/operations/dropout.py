"""Dropout, its mask drawn once more for each pass."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tinycnn import ops
from tinycnn.checking.battery.case import GradientCase, function_case, layer_case
from tinycnn.checking.battery.catalogue import LAYERS, OPS
from tinycnn.checking.values import separated
from tinycnn.layers import Dropout


@OPS.register(8)
def dropout(rng: np.random.Generator) -> Iterator[GradientCase]:
    """One mask, from a key."""
    drop = partial(ops.dropout, rate=0.4, rng=7, first_sample=2)
    yield function_case(
        "dropout: rate 0.4, its mask replayed",
        lambda x: drop(x)[0],
        lambda dy, x: ops.dropout_backward(dy, drop(x)[1], 0.4),
        separated(rng, (4, 9)),
    )


@LAYERS.register(10)
def layers(rng: np.random.Generator) -> Iterator[GradientCase]:
    """In inference, where it is the identity, and in training."""
    yield layer_case(Dropout(0.5), (3, 8), rng, words="in inference")
    yield layer_case(Dropout(0.3), (3, 8), rng, words="in training", training=True)
