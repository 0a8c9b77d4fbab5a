"""Batch normalisation."""

from __future__ import annotations

from typing import Any

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.errors import ShapeError
from tinycnn.initializers import Constant, Initializer
from tinycnn.layers.base import Layer
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape
from tinycnn.layers.image import changed
from tinycnn.validation import check_number

__all__ = ["BatchNormalization"]


class BatchNormalization(Layer):
    """Normalise each channel of (H, W, C) or (C,): y = gamma * (x - m) / sqrt(v + epsilon) + beta.

    In training, m and v are the batch's mean and biased variance over N, H and W (`ops.moments`), and
    samples change each other's result. In inference they are the running ones, the state ``mean`` (C,),
    which begins at 0, and ``variance`` (C,), which begins at 1; each training step makes them
    ``momentum`` * old + (1 - ``momentum``) * the batch's, ``momentum`` being from 0 up and below 1. As in
    Keras, the biased variance goes into the running one; PyTorch's takes the unbiased one, v * M/(M - 1)
    for M cells, and calls 1 - ``momentum`` momentum. A batch of no samples leaves the state alone.
    ``epsilon`` is above 0, and where v is 0, as for one cell a channel, y is beta. Parameters: ``gamma``
    (C,), ones, and ``beta`` (C,), zeros. Source: Ioffe and Szegedy, "Batch normalization", 2015.
    """

    stem = "batchnorm"
    smooth = True

    def __init__(
        self, *, momentum: float = 0.99, epsilon: float = 1e-3, name: str | None = None
    ) -> None:
        self.momentum = check_number(momentum, "momentum", below=1)
        self.epsilon = check_number(epsilon, "epsilon", above=0)
        self.name = name

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) not in (1, 3):
            raise ShapeError(
                f"takes images (H, W, C) or rows (C,), but its input has shape {tuple(input_shape)}"
            )
        return input_shape

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"gamma": input_shape[-1:], "beta": input_shape[-1:]}

    def state_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"mean": input_shape[-1:], "variance": input_shape[-1:]}

    def initializer(self, parameter: str) -> Initializer:
        return Constant(1.0 if parameter in ("gamma", "variance") else 0.0)

    def forward(self, params: Params, x: Array, context: ForwardContext) -> tuple[Array, Any]:
        state = context.state
        moments = ops.moments(x) if context.training else (state["mean"], state["variance"])
        y = ops.batch_normalization(
            x, params["gamma"], params["beta"], *moments, epsilon=self.epsilon
        )
        return y, (x, *moments)

    def next_state(self, state: Params, saved: Any) -> Params:
        x, *moments = saved
        if not len(x):
            return state
        old, new = self.momentum, 1 - self.momentum
        return {
            name: old * array + new * batch
            for (name, array), batch in zip(state.items(), moments, strict=True)
        }

    def backward(
        self, params: Params, dz: Array, saved: Any, context: BackwardContext
    ) -> tuple[Array | None, Params]:
        x, *moments = saved
        dx, dgamma, dbeta = ops.batch_normalization_backward(
            dz, x, params["gamma"], *moments, epsilon=self.epsilon, training=context.training
        )
        return dx, {"gamma": dgamma, "beta": dbeta}

    def channel_map(self, arrays: Params) -> tuple[Array, Array, Array]:
        from tinycnn.ops.batch_norm import (
            channel_scales,
        )  # it loads Numba, which a summary needs not

        gamma, beta, mean, variance = (
            arrays[name].astype(float) for name in ("gamma", "beta", "mean", "variance")
        )
        return mean, channel_scales(gamma, variance, self.epsilon)[1], beta

    def facts(self) -> dict[str, str]:
        return changed(momentum=(self.momentum, 0.99), epsilon=(self.epsilon, 1e-3))
