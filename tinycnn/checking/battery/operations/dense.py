"""Dense layers, and what makes rows of images for them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import prod
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.checking.battery.case import GradientCase, function_case, layer_case
from tinycnn.checking.battery.catalogue import LAYERS, OPS
from tinycnn.checking.values import separated
from tinycnn.layers import Dense, Flatten


@OPS.register(4)
def dense(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Of vectors and of images, without an activation and with a ReLU."""
    for end, activation in (("", None), (", ReLU", "relu")):
        for words, x in (("vectors", (3, 5)), ("images, flattened", (2, 3, 2, 2))):
            arrays = [separated(rng, shape) for shape in (x, (prod(x[1:]), 4), (4,))]
            yield _dense(words + end, arrays, activation)


def _dense(words: str, arrays: list[Array], activation: str | None) -> GradientCase:
    forward = partial(ops.dense, activation=activation)

    def backward(dy: Array, x: Array, W: Array, b: Array) -> Any:
        return ops.dense_backward(dy, x, W, activation=activation, y=forward(x, W, b))

    return function_case(f"dense: {words}", forward, backward, *arrays)


@LAYERS.register(6)
def layers(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Of images, and of vectors with each activation."""
    yield layer_case(Dense(4), (3, 2, 3), rng)
    yield layer_case(Dense(4, activation="relu"), (3, 5), rng, words="ReLU")
    yield layer_case(Dense(4, activation="softmax"), (3, 5), rng, words="softmax")


@LAYERS.register(7)
def flatten(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Images made rows."""
    yield layer_case(Flatten(), (2, 3, 2, 2), rng)
