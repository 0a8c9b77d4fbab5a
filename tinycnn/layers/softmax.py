"""Softmax as a layer of its own."""

from __future__ import annotations

from typing import Any

from tinycnn.arrays import Array
from tinycnn.layers.activation import SOFTMAX, Activation
from tinycnn.layers.base import Layer
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape

__all__ = ["Softmax"]


class Softmax(Layer):
    """Probabilities over the last axis."""

    stem = "softmax"
    smooth = True
    activation: Activation = SOFTMAX

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, params: Params, x: Array, context: ForwardContext) -> tuple[Array, Any]:
        return x, None  # z: the pass applies the softmax

    def backward(
        self, params: Params, dz: Array, saved: Any, context: BackwardContext
    ) -> tuple[Array | None, Params]:
        return dz, {}
