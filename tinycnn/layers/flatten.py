"""Images to rows."""

from __future__ import annotations

import math
from typing import Any

from tinycnn.arrays import Array
from tinycnn.layers.base import Layer
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape

__all__ = ["Flatten"]


class Flatten(Layer):
    """(H, W, C) to ``(H*W*C,)``, row-major. `Dense` does this by itself."""

    stem = "flatten"
    smooth = True

    def output_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def forward(self, params: Params, x: Array, context: ForwardContext) -> tuple[Array, Any]:
        return x.reshape(len(x), math.prod(x.shape[1:])), x.shape

    def backward(
        self, params: Params, dz: Array, saved: Any, context: BackwardContext
    ) -> tuple[Array | None, Params]:
        return dz.reshape(saved), {}
