"""One check of the battery, as a value: of a function, of a layer, of layers and a loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.check import gradcheck
from tinycnn.checking.report import GradientReport
from tinycnn.checking.values import separated
from tinycnn.layers import Layer
from tinycnn.model import Sequential

Function = Callable[..., Any]  # of arrays

OPS_AND_LAYERS = 1e-7  # worst relative error of an op or a layer
NETWORKS = 1e-6  # and of a whole network


@dataclass(frozen=True)
class GradientCase:
    """One check of the battery: ``run(**options)`` gives its report, ``bound`` what must hold."""

    name: str
    bound: float
    run: Callable[..., GradientReport]


def function_case(name: str, forward: Function, backward: Function, *arrays: Array) -> GradientCase:
    """Check a pair of functions, at ``arrays``."""

    def run(**options: Any) -> GradientReport:
        return gradcheck((forward, backward), *arrays, **options)

    return GradientCase(name, OPS_AND_LAYERS, run)


def layer_case(
    layer: Layer,
    shape: tuple[int, ...],
    rng: np.random.Generator,
    draw: Callable[..., Array] = separated,
    words: str = "",
    *,
    training: bool = False,
) -> GradientCase:
    """Check a layer at an x of ``shape``; what the summary says of it, and ``words``, name the case."""
    facts = ", ".join(f"{key} {value}" for key, value in layer.facts().items())
    name = ", ".join(part for part in (facts, words) if part)
    x = draw(rng, shape)

    def run(**options: Any) -> GradientReport:
        return gradcheck(layer, x, training=training, **options)

    kind = type(layer).__name__
    return GradientCase(f"{kind}: {name}" if name else kind, OPS_AND_LAYERS, run)


def loss_case(
    layers: list[Layer], shape: tuple[int, ...], rng: np.random.Generator, words: str
) -> GradientCase:
    """Check layers and the loss of labels, at an x of ``shape``."""
    model = Sequential(layers, shape[1:], dtype="float64", rng=int(rng.integers(2**31)))
    x, labels = separated(rng, shape), rng.integers(0, model.shapes[-1][0], shape[0])

    def run(**options: Any) -> GradientReport:
        return gradcheck(model, x, labels=labels, **options)

    return GradientCase(f"layers with the loss: {words}", OPS_AND_LAYERS, run)
