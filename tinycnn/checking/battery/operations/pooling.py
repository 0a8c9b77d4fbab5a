"""Maxima and means of windows, and of whole images."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.checking.battery.case import Function, GradientCase, function_case, layer_case
from tinycnn.checking.battery.catalogue import LAYERS, OPS
from tinycnn.checking.values import separated, tied
from tinycnn.layers import AveragePool2D, GlobalAveragePool2D, MaxPool2D

# x's shape and options.
CONFIGURATIONS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "plain": ((2, 4, 6, 2), {"kernel": 2}),
    "overlapping, 3 with stride 2": ((2, 7, 7, 2), {"kernel": 3, "stride": 2}),
    "kernel 3 x 2, stride 1 x 3": ((1, 5, 8, 2), {"kernel": (3, 2), "stride": (1, 3)}),
    "cells between the windows": ((1, 8, 7, 2), {"kernel": 2, "stride": 3}),
    "padding": ((1, 5, 6, 2), {"kernel": 3, "stride": 2, "padding": ((1, 0), (1, 1))}),
    "ceil mode": ((2, 6, 6, 2), {"kernel": 3, "stride": 2, "ceil_mode": True}),
    "ceil mode and padding": (
        (1, 7, 6, 2),
        {"kernel": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    ),
}
DILATED = {"dilation 2": ((1, 7, 8, 2), {"kernel": (2, 3), "stride": 1, "dilation": 2})}
MAXIMA = CONFIGURATIONS | DILATED


@OPS.register(2)
def max_pool2d(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Each configuration, at values well apart and at ties."""
    for name, (shape, options) in MAXIMA.items():
        for words, draw in ((name, separated), (f"{name}, ties", tied)):
            yield _max_pool2d(words, draw(rng, shape), options)


def _max_pool2d(words: str, x: Array, options: dict[str, Any]) -> GradientCase:
    pool: Function = partial(ops.max_pool2d, **options)
    back: Function = partial(ops.max_pool2d_backward, x_shape=x.shape, **options)
    return function_case(
        f"max_pool2d: {words}", lambda x: pool(x)[0], lambda dy, x: back(dy, pool(x)[1]), x
    )


@OPS.register(3)
def avg_pool2d(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Each configuration, with padding counted and not."""
    for name, (shape, options) in CONFIGURATIONS.items():
        for words, include in ((name, True), (f"{name}, padding not counted", False)):
            x = separated(rng, shape)
            yield _avg_pool2d(words, x, {**options, "count_include_pad": include})


def _avg_pool2d(words: str, x: Array, options: dict[str, Any]) -> GradientCase:
    back: Function = partial(ops.avg_pool2d_backward, x_shape=x.shape, **options)
    forward = partial(ops.avg_pool2d, **options)
    return function_case(f"avg_pool2d: {words}", forward, lambda dy, x: back(dy), x)


@LAYERS.register(2)
def maxima(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Each configuration, at values well apart and at ties."""
    for shape, options in MAXIMA.values():
        yield layer_case(MaxPool2D(**options), shape, rng)
        yield layer_case(MaxPool2D(**options), shape, rng, tied, "ties")


@LAYERS.register(3)
def means(rng: np.random.Generator) -> Iterator[GradientCase]:
    """Each configuration, with padding counted and not."""
    for shape, options in CONFIGURATIONS.values():
        for include in (True, False):
            yield layer_case(AveragePool2D(**options, count_include_pad=include), shape, rng)


@LAYERS.register(8)
def global_mean(rng: np.random.Generator) -> Iterator[GradientCase]:
    """The mean of each channel."""
    yield layer_case(GlobalAveragePool2D(), (2, 3, 4, 2), rng)
