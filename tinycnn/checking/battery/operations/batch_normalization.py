"""Batch normalisation: with the batch's moments, through which a gradient goes too, and with given ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.checking.battery.case import GradientCase, function_case, layer_case
from tinycnn.checking.battery.catalogue import LAYERS, OPS
from tinycnn.checking.values import separated
from tinycnn.layers import BatchNormalization

ROWS, IMAGES = (5, 3), (2, 3, 2, 4)


@OPS.register(10)
def batch_normalization(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Of rows and of images, in training and in inference."""
    for words, shape in (("rows", ROWS), ("images", IMAGES)):
        channels = shape[-1:]
        arrays = [separated(rng, each) for each in (shape, channels, channels)]
        running = separated(rng, channels), separated(rng, channels) ** 2
        yield _batch_normalization(f"{words}, in training", arrays, None)
        yield _batch_normalization(f"{words}, in inference", arrays, running)


def _batch_normalization(
    words: str, arrays: Sequence[Array], running: tuple[Array, Array] | None
) -> GradientCase:
    def forward(x: Array, gamma: Array, beta: Array) -> Array:
        return ops.batch_normalization(x, gamma, beta, *(running or ops.moments(x)))

    def backward(dy: Array, x: Array, gamma: Array, beta: Array) -> Any:
        moments = running or ops.moments(x)
        training = running is None
        return ops.batch_normalization_backward(dy, x, gamma, *moments, training=training)

    return function_case(f"batch_normalization: {words}", forward, backward, *arrays)


@LAYERS.register(5)
def layers(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Of rows and of images, in inference and in training."""
    for shape in (ROWS, IMAGES):
        words = f"{len(shape)} axes, in"
        yield layer_case(BatchNormalization(), shape, rng, words=f"{words} inference")
        layer = BatchNormalization(epsilon=0.1)
        yield layer_case(layer, shape, rng, words=f"{words} training", training=True)
