"""Cases of the battery: every layer in all its configurations, and layers with their loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.battery.case import OPS_AND_LAYERS, GradientCase
from tinycnn.checking.battery.configurations import CONVOLUTIONS, DILATED, NORMS, POOLS
from tinycnn.checking.check import gradcheck
from tinycnn.checking.report import GradientReport
from tinycnn.checking.values import separated, tied
from tinycnn.layers import (
    AveragePool2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.model import Sequential

Draw = Callable[..., Array]


def layer_cases(seed: int = 0) -> list[GradientCase]:
    """Each built-in layer: at values well apart, with ties where it has kinks, with its loss."""
    rng = np.random.default_rng(seed)
    cases = [
        _layer(Conv2D(W[-1], W[:2], **options), x, rng) for x, W, options in CONVOLUTIONS.values()
    ]
    cases += [
        _layer(Conv2D(W[-1], W[:2], activation="relu", **options), x, rng, words="ReLU")
        for x, W, options in CONVOLUTIONS.values()
    ]
    for shape, options in (POOLS | DILATED).values():
        cases += [
            _layer(MaxPool2D(**options), shape, rng),
            _layer(MaxPool2D(**options), shape, rng, tied, "ties"),
        ]
    for shape, options in POOLS.values():
        cases += [
            _layer(AveragePool2D(**options, count_include_pad=include), shape, rng)
            for include in (True, False)
        ]
    cases += [_layer(LocalResponseNorm(**options), (2, 2, 3, 7), rng) for options in NORMS.values()]
    for shape in ((5, 3), (2, 3, 2, 4)):
        words = f"{len(shape)} axes"
        cases += [
            _layer(BatchNormalization(), shape, rng, words=f"{words}, in inference"),
            _layer(
                BatchNormalization(epsilon=0.1),
                shape,
                rng,
                words=f"{words}, in training",
                training=True,
            ),
        ]
    cases += [
        _layer(Dense(4), (3, 2, 3), rng),
        _layer(Dense(4, activation="relu"), (3, 5), rng, words="ReLU"),
        _layer(Dense(4, activation="softmax"), (3, 5), rng, words="softmax"),
        _layer(Flatten(), (2, 3, 2, 2), rng),
        _layer(GlobalAveragePool2D(), (2, 3, 4, 2), rng),
        _layer(ReLU(), (2, 3, 4), rng),
        _layer(ReLU(), (2, 3, 4), rng, tied, "zeros and ties"),
        _layer(Softmax(), (3, 5), rng),
        _layer(Dropout(0.5), (3, 8), rng, words="in inference"),
        _layer(Dropout(0.3), (3, 8), rng, words="in training", training=True),
        _loss(
            [Dense(4, activation="softmax")],
            (5, 6),
            rng,
            "layers with the loss: Dense with softmax",
        ),
        _loss([Softmax()], (5, 6), rng, "layers with the loss: Softmax"),
        _loss([Dense(4)], (5, 6), rng, "layers with the loss: Dense, taken for logits"),
    ]
    return cases


def _layer(
    layer: Layer,
    shape: tuple[int, ...],
    rng: np.random.Generator,
    draw: Draw = separated,
    words: str = "",
    *,
    training: bool = False,
) -> GradientCase:
    facts = ", ".join(f"{key} {value}" for key, value in layer.facts().items())
    name = ", ".join(part for part in (facts, words) if part)
    x = draw(rng, shape)

    def run(**options: Any) -> GradientReport:
        return gradcheck(layer, x, training=training, **options)

    return GradientCase(
        f"{type(layer).__name__}: {name}" if name else type(layer).__name__, OPS_AND_LAYERS, run
    )


def _loss(
    layers: list[Layer], shape: tuple[int, ...], rng: np.random.Generator, name: str
) -> GradientCase:
    model = Sequential(layers, shape[1:], dtype="float64", rng=int(rng.integers(2**31)))
    x, labels = separated(rng, shape), rng.integers(0, model.shapes[-1][0], shape[0])

    def run(**options: Any) -> GradientReport:
        return gradcheck(model, x, labels=labels, **options)

    return GradientCase(name, OPS_AND_LAYERS, run)
