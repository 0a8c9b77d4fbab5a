"""Cross-entropy, and layers that it takes its logits or its probabilities from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.checking.battery.case import GradientCase, function_case, loss_case
from tinycnn.checking.battery.catalogue import LAYERS, OPS
from tinycnn.checking.values import separated
from tinycnn.layers import Dense, Softmax


@OPS.register(7)
def cross_entropy(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Of small logits and of large ones, and of labels that are not all."""
    labels = np.array([2, 0, 4])

    def loss(logits: Array) -> Any:
        return np.array(ops.cross_entropy(logits, labels)[0])

    def slope(dy: Array, logits: Array) -> Any:
        return np.multiply(dy, ops.cross_entropy(logits, labels)[1])

    for factor in (1, 10):
        logits = factor * separated(rng, (3, 5))
        yield function_case(f"cross_entropy: logits to {2 * factor}", loss, slope, logits)
    options: dict[str, Any] = {"label_smoothing": 0.1, "class_weights": [0.5, 1, 2, 0, 3]}

    def smoothed(logits: Array) -> Any:
        return np.array(ops.cross_entropy(logits, labels, **options)[0])

    def smoothed_slope(dy: Array, logits: Array) -> Any:
        return np.multiply(dy, ops.cross_entropy(logits, labels, **options)[1])

    yield function_case("cross_entropy: smoothed and weighted", smoothed, smoothed_slope, logits)


@OPS.register(12)
def mean_squared_error(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Of feature maps."""
    targets = separated(rng, (2, 3, 3, 2))

    def loss(y: Array) -> Any:
        return np.array(ops.mean_squared_error(y, targets)[0])

    def slope(dy: Array, y: Array) -> Any:
        return np.multiply(dy, ops.mean_squared_error(y, targets)[1])

    yield function_case("mean_squared_error: of maps", loss, slope, separated(rng, targets.shape))


@LAYERS.register(11)
def layers(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Networks of one layer, with labels."""
    yield loss_case([Dense(4, activation="softmax")], (5, 6), rng, "Dense with softmax")
    yield loss_case([Softmax()], (5, 6), rng, "Softmax")
    yield loss_case([Dense(4)], (5, 6), rng, "Dense, taken for logits")
