"""ReLU and softmax."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.checking.battery.case import GradientCase, function_case, layer_case
from tinycnn.checking.battery.catalogue import LAYERS, OPS
from tinycnn.checking.values import separated, tied
from tinycnn.layers import ReLU, Softmax


@OPS.register(5)
def relu(rng: np.random.Generator) -> Iterator[GradientCase]:
    """At values well apart, and at zeros."""
    for name, draw in (("relu", separated), ("relu: zeros and ties", tied)):
        x = draw(rng, (3, 4, 5))
        yield function_case(name, ops.relu, lambda dy, x: ops.relu_backward(dy, ops.relu(x)), x)


@OPS.register(6)
def softmax(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Over the last axis, and over one between."""
    for axis in (-1, 1):
        yield _softmax(axis, separated(rng, (3, 4, 5)))


def _softmax(axis: int, x: Array) -> GradientCase:
    forward, back = partial(ops.softmax, axis=axis), partial(ops.softmax_backward, axis=axis)
    return function_case(f"softmax: axis {axis}", forward, lambda dy, x: back(dy, forward(x)), x)


@LAYERS.register(9)
def layers(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Both as layers of their own."""
    yield layer_case(ReLU(), (2, 3, 4), rng)
    yield layer_case(ReLU(), (2, 3, 4), rng, tied, "zeros and ties")
    yield layer_case(Softmax(), (3, 5), rng)
