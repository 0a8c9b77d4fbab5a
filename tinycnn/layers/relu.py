"""ReLU as a layer of its own."""

from __future__ import annotations

from typing import Any

from tinycnn.arrays import Array
from tinycnn.layers.activation import RELU
from tinycnn.layers.base import Layer
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape

__all__ = ["ReLU"]


class ReLU(Layer):
    """max(0, x) as a layer of its own."""

    stem = "relu"
    smooth = True
    activation = RELU

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, params: Params, x: Array, context: ForwardContext) -> tuple[Array, Any]:
        return self.activation.forward(x), None

    def backward(
        self, params: Params, dz: Array, saved: Any, context: BackwardContext
    ) -> tuple[Array | None, Params]:
        return dz, {}
