"""Cases of the battery: each function of `tinycnn.ops` that has a gradient, in all its configurations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.checking.battery.case import OPS_AND_LAYERS, GradientCase
from tinycnn.checking.battery.configurations import CONVOLUTIONS, DILATED, NORMS, POOLS
from tinycnn.checking.check import gradcheck
from tinycnn.checking.report import GradientReport
from tinycnn.checking.values import separated, tied

Function = Callable[..., Any]


def op_cases(seed: int = 0) -> list[GradientCase]:
    """Each function of `tinycnn.ops` that has a gradient."""
    rng = np.random.default_rng(seed)
    return [
        *_convolutions(rng),
        *_pools(rng),
        *_dense(rng),
        *_cellwise(rng),
        *_batch_norms(rng),
        *_unrolled(rng),
    ]


def _pair(name: str, forward: Function, backward: Function, *arrays: Array) -> GradientCase:
    def run(**options: Any) -> GradientReport:
        return gradcheck((forward, backward), *arrays, **options)

    return GradientCase(name, OPS_AND_LAYERS, run)


def _convolutions(rng: np.random.Generator) -> Iterator[GradientCase]:
    for named, (x_shape, W_shape, options) in CONVOLUTIONS.items():
        for activation in (None, "relu"):
            given = {**options, "activation": activation}

            def forward(x: Array, W: Array, b: Array, given: Any = given) -> Array:
                return ops.conv2d(x, W, b, **given)

            def backward(dy: Array, x: Array, W: Array, b: Array, given: Any = given) -> Any:
                y = ops.conv2d(x, W, b, **given)
                return ops.conv2d_backward(dy, x, W, y=y, **given)

            shapes = (x_shape, W_shape, W_shape[-1:])
            arrays = [separated(rng, shape) for shape in shapes]
            words = f"{named}, ReLU" if activation else named
            yield _pair(f"conv2d: {words}", forward, backward, *arrays)


def _pools(rng: np.random.Generator) -> Iterator[GradientCase]:
    for named, (shape, options) in (POOLS | DILATED).items():

        def forward(x: Array, options: Any = options) -> Array:
            return ops.max_pool2d(x, **options)[0]

        def backward(dy: Array, x: Array, options: Any = options) -> Array:
            argmax = ops.max_pool2d(x, **options)[1]
            return ops.max_pool2d_backward(dy, argmax, x.shape, **options)

        yield _pair(f"max_pool2d: {named}", forward, backward, separated(rng, shape))
        yield _pair(f"max_pool2d: {named}, ties", forward, backward, tied(rng, shape))
    for named, (shape, given) in POOLS.items():
        for include in (True, False):
            options = {**given, "count_include_pad": include}

            def average(x: Array, options: Any = options) -> Array:
                return ops.avg_pool2d(x, **options)

            def share(dy: Array, x: Array, options: Any = options) -> Array:
                return ops.avg_pool2d_backward(dy, x.shape, **options)

            words = named if include else f"{named}, padding not counted"
            yield _pair(f"avg_pool2d: {words}", average, share, separated(rng, shape))


def _dense(rng: np.random.Generator) -> Iterator[GradientCase]:
    for activation in (None, "relu"):

        def forward(x: Array, W: Array, b: Array, activation: Any = activation) -> Array:
            return ops.dense(x, W, b, activation=activation)

        def backward(dy: Array, x: Array, W: Array, b: Array, activation: Any = activation) -> Any:
            y = ops.dense(x, W, b, activation=activation)
            return ops.dense_backward(dy, x, W, activation=activation, y=y)

        for named, x_shape in (("vectors", (3, 5)), ("images, flattened", (2, 3, 2, 2))):
            D = int(np.prod(x_shape[1:]))
            arrays = [separated(rng, shape) for shape in (x_shape, (D, 4), (4,))]
            words = f"{named}, ReLU" if activation else named
            yield _pair(f"dense: {words}", forward, backward, *arrays)


def _cellwise(rng: np.random.Generator) -> Iterator[GradientCase]:
    def rectify(dy: Array, x: Array) -> Array:
        return ops.relu_backward(dy, ops.relu(x))

    yield _pair("relu", ops.relu, rectify, separated(rng, (3, 4, 5)))
    yield _pair("relu: zeros and ties", ops.relu, rectify, tied(rng, (3, 4, 5)))
    for axis in (-1, 1):

        def softmax(x: Array, axis: int = axis) -> Array:
            return ops.softmax(x, axis)

        def softmax_backward(dy: Array, x: Array, axis: int = axis) -> Array:
            return ops.softmax_backward(dy, ops.softmax(x, axis), axis)

        x = separated(rng, (3, 4, 5))
        yield _pair(f"softmax: axis {axis}", softmax, softmax_backward, x)
    labels = np.array([2, 0, 4])

    def loss(logits: Array) -> Any:
        return np.array(ops.cross_entropy(logits, labels)[0])

    def slope(dy: Array, logits: Array) -> Any:
        return np.multiply(dy, ops.cross_entropy(logits, labels)[1])

    for factor in (1, 10):
        logits = factor * separated(rng, (3, 5))
        yield _pair(f"cross_entropy: logits to {2 * factor}", loss, slope, logits)

    def drop(x: Array) -> Array:
        return ops.dropout(x, 0.4, 7, first_sample=2)[0]

    def drop_backward(dy: Array, x: Array) -> Array:
        return ops.dropout_backward(dy, ops.dropout(x, 0.4, 7, first_sample=2)[1], 0.4)

    yield _pair("dropout: rate 0.4, its mask replayed", drop, drop_backward, separated(rng, (4, 9)))
    for named, options in NORMS.items():

        def norm(x: Array, options: Any = options) -> Array:
            return ops.local_response_norm(x, **options)

        def norm_backward(dy: Array, x: Array, options: Any = options) -> Array:
            return ops.local_response_norm_backward(dy, x, **options)

        x = separated(rng, (2, 2, 3, 7))
        yield _pair(f"local_response_norm: {named}", norm, norm_backward, x)


def _batch_norms(rng: np.random.Generator) -> Iterator[GradientCase]:
    """With the batch's mean and variance, through which a gradient goes too, and with given ones."""
    for words, shape in (("rows", (5, 3)), ("images", (2, 3, 2, 4))):
        x, gamma, beta = (
            separated(rng, shape),
            separated(rng, shape[-1:]),
            separated(rng, shape[-1:]),
        )
        running = separated(rng, shape[-1:]), separated(rng, shape[-1:]) ** 2
        for training in (True, False):

            def forward(*arrays: Array, training: bool = training, running: Any = running) -> Array:
                of = ops.moments(arrays[0]) if training else running
                return ops.batch_normalization(*arrays, *of)

            def backward(
                dy: Array,
                x: Array,
                gamma: Array,
                beta: Array,
                training: bool = training,
                running: Any = running,
            ) -> Any:
                of = ops.moments(x) if training else running
                return ops.batch_normalization_backward(dy, x, gamma, *of, training=training)

            when = "in training" if training else "in inference"
            name = f"batch_normalization: {words}, {when}"
            yield _pair(name, forward, backward, x, gamma, beta)


def _unrolled(rng: np.random.Generator) -> Iterator[GradientCase]:
    """im2col and col2im: linear, and each the other's gradient."""
    shape, kernel = (2, 6, 5, 2), (3, 2)
    options: dict[str, Any] = {"stride": (2, 1), "padding": ((1, 0), (0, 1)), "dilation": (1, 2)}

    def unroll(x: Array) -> Array:
        return ops.im2col(x, kernel, **options)

    def roll(cols: Array) -> Array:
        return ops.col2im(cols, shape, kernel, **options)

    x = separated(rng, shape)
    cols = separated(rng, unroll(x).shape)
    yield _pair("im2col", unroll, lambda dy, x: roll(dy), x)
    yield _pair("col2im", roll, lambda dy, cols: unroll(dy), cols)
