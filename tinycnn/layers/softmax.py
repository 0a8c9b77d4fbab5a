"""Softmax as a layer of its own."""

from __future__ import annotations

from typing import Any

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.layers.base import Layer
from tinycnn.layers.context import Context, Params, Shape


class Softmax(Layer):
    """Probabilities over the last axis."""

    stem = "softmax"
    activation = "softmax"

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        y = ops.softmax(x)
        return y, y

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        return (dy if context.at_logits else ops.softmax_backward(dy, saved)), {}

    def logits(self, params: Params, x: Array, saved: Any, context: Context) -> Array | None:
        return x
