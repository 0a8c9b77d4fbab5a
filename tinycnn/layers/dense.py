"""A fully connected layer."""

from __future__ import annotations

import math
from typing import Any

from tinycnn import initializers, ops
from tinycnn.arrays import Array
from tinycnn.initializers import Initializer
from tinycnn.layers.base import Layer, given_initializer
from tinycnn.layers.context import Context, Params, Shape
from tinycnn.validation import MOST_CELLS, check_choice, check_int


class Dense(Layer):
    """Fully connected: any input, flattened row-major to D cells, to ``units``.

    ``activation`` is None, "relu" or "softmax". Parameters: ``W`` (D, units) and ``b`` (units,),
    drawn as in `Conv2D`.
    """

    stem = "dense"

    def __init__(
        self,
        units: int,
        *,
        activation: str | None = None,
        weight_initializer: Initializer | None = None,
        bias_initializer: Initializer | None = None,
        name: str | None = None,
    ) -> None:
        check_choice(activation, (None, "relu", "softmax"), "activation")
        self.units = check_int(units, "units", most=MOST_CELLS)
        self.activation = activation
        self.weight_initializer = given_initializer(weight_initializer, initializers.He())
        self.bias_initializer = given_initializer(bias_initializer, initializers.Constant(0.0))
        self.name = name

    def output_shape(self, input_shape: Shape) -> Shape:
        return (self.units,)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"W": (math.prod(input_shape), self.units), "b": (self.units,)}

    def initializer(self, parameter: str) -> Initializer:
        return self.weight_initializer if parameter == "W" else self.bias_initializer

    def forward(self, params: Params, x: Array, context: Context) -> tuple[Array, Any]:
        if self.activation == "softmax":  # the loss wants its logits
            z = ops.dense(x, params["W"], params["b"])
            y = ops.softmax(z)
            return y, (x, y, z)
        y = ops.dense(x, params["W"], params["b"], activation=self.activation)
        return y, (x, y, None if self.activation else y)

    def backward(
        self, params: Params, dy: Array, saved: Any, context: Context
    ) -> tuple[Array | None, Params]:
        x, y, _ = saved
        dx, dW, db = ops.dense_backward(
            dy,
            x,
            params["W"],
            activation=None if context.at_logits else self.activation,
            y=y,
            need_dx=context.need_dx,
            out=(context.out["W"], context.out["b"]) if context.out else None,
        )
        return dx, {"W": dW, "b": db}

    def logits(self, params: Params, x: Array, saved: Any, context: Context) -> Array | None:
        kept: Array | None = saved[2]
        return ops.dense(x, params["W"], params["b"]) if kept is None else kept

    def multiply_adds(self, input_shape: Shape) -> int:
        return math.prod(input_shape) * self.units

    def facts(self) -> dict[str, str]:
        return {"filters": str(self.units)}
