"""Local response normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.checking.battery.case import GradientCase, function_case, layer_case
from tinycnn.checking.battery.catalogue import LAYERS, OPS
from tinycnn.checking.values import separated
from tinycnn.layers import LocalResponseNorm

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "the paper's": {},
    "alpha over size": {"alpha": 0.5, "k": 1.0, "alpha_over_size": True},
    "strong": {"size": 3, "alpha": 0.7, "beta": 0.5, "k": 1.5},
    "one channel alone": {"size": 1, "alpha": 0.3},
    "wider than the channels": {"size": 9, "alpha": 0.2, "beta": 1.25},
}
SHAPE = (2, 2, 3, 7)


@OPS.register(9)
def local_response_norm(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Each configuration."""
    for name, options in CONFIGURATIONS.items():
        yield _local_response_norm(name, separated(rng, SHAPE), options)


def _local_response_norm(name: str, x: Array, options: dict[str, Any]) -> GradientCase:
    forward = partial(ops.local_response_norm, **options)
    backward = partial(ops.local_response_norm_backward, **options)
    return function_case(f"local_response_norm: {name}", forward, backward, x)


@LAYERS.register(4)
def layers(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Each configuration."""
    for options in CONFIGURATIONS.values():
        yield layer_case(LocalResponseNorm(**options), SHAPE, rng)
