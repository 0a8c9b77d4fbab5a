"""ReLU as a layer of its own."""

from __future__ import annotations

from typing import Any

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.layers.base import Layer
from tinycnn.layers.context import Context, Params, Shape


class ReLU(Layer):
    """max(0, x) as a layer of its own."""

    stem = "relu"
    activation = "relu"

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        y = ops.relu(x)
        return y, y

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        return ops.relu_backward(dy, saved), {}

    def logits(self, params: Params, x: Array, saved: Any, context: Context) -> Array | None:
        return x
