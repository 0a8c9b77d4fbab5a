"""Convolution, and the column matrix that it can be multiplied with."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.checking.battery.case import Function, GradientCase, function_case, layer_case
from tinycnn.checking.battery.catalogue import LAYERS, OPS
from tinycnn.checking.values import separated
from tinycnn.layers import Conv2D

# The shapes of x and W, and options.
CONFIGURATIONS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "plain": ((2, 5, 6, 2), (3, 2, 2, 3), {}),
    "1 x 1": ((2, 3, 4, 3), (1, 1, 3, 2), {}),
    "kernel as large as the image": ((2, 3, 4, 2), (3, 4, 2, 3), {}),
    "stride 2 x 3": ((2, 7, 8, 2), (3, 2, 2, 3), {"stride": (2, 3)}),
    "padding on four sides": ((1, 4, 5, 2), (3, 3, 2, 2), {"padding": ((1, 0), (2, 3))}),
    "padding same, even kernel": ((1, 5, 4, 2), (2, 4, 2, 2), {"padding": "same"}),
    "dilation 2 x 3": ((1, 7, 8, 2), (3, 2, 2, 2), {"dilation": (2, 3)}),
    "3 groups": ((2, 4, 5, 6), (3, 3, 2, 6), {"groups": 3}),
    "everything at once": (
        (2, 9, 10, 4),
        (3, 2, 2, 4),
        {"stride": (2, 1), "padding": ((1, 2), (0, 1)), "dilation": (1, 2), "groups": 2},
    ),
}


@OPS.register(1)
def conv2d(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Each configuration, without an activation and with a ReLU."""
    for name, (x, W, options) in CONFIGURATIONS.items():
        for words, activation in ((name, None), (f"{name}, ReLU", "relu")):
            arrays = [separated(rng, shape) for shape in (x, W, W[-1:])]
            yield _conv2d(words, arrays, {**options, "activation": activation})


def _conv2d(words: str, arrays: list[Array], options: dict[str, Any]) -> GradientCase:
    forward: Function = partial(ops.conv2d, **options)

    def backward(dy: Array, x: Array, W: Array, b: Array) -> Any:
        return ops.conv2d_backward(dy, x, W, y=forward(x, W, b), **options)

    return function_case(f"conv2d: {words}", forward, backward, *arrays)


@OPS.register(11)
def im2col_and_col2im(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Linear, and each the other's gradient."""
    shape, kernel = (2, 6, 5, 2), (3, 2)
    options: dict[str, Any] = {"stride": (2, 1), "padding": ((1, 0), (0, 1)), "dilation": (1, 2)}
    unroll: Function = partial(ops.im2col, kernel=kernel, **options)
    roll: Function = partial(ops.col2im, x_shape=shape, kernel=kernel, **options)
    x = separated(rng, shape)
    cols = separated(rng, unroll(x).shape)
    yield function_case("im2col", unroll, lambda dy, x: roll(dy), x)
    yield function_case("col2im", roll, lambda dy, cols: unroll(dy), cols)


@LAYERS.register(1)
def layers(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Each configuration without an activation, then each with a ReLU."""
    for words, activation in (("", None), ("ReLU", "relu")):
        for x, W, options in CONFIGURATIONS.values():
            layer = Conv2D(W[-1], W[:2], activation=activation, **options)
            yield layer_case(layer, x, rng, words=words)
