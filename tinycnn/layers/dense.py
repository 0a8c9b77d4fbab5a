"""A fully connected layer."""

from __future__ import annotations

import math
from typing import Any

from tinycnn import initializers, ops
from tinycnn.arrays import Array
from tinycnn.initializers import Initializer
from tinycnn.layers.activation import Activation
from tinycnn.layers.base import Layer, given_initializer
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape
from tinycnn.validation import MOST_CELLS, check_int


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
        activation: str | Activation | None = None,
        weight_initializer: Initializer | None = None,
        bias_initializer: Initializer | None = None,
        name: str | None = None,
    ) -> None:
        self.units = check_int(units, "units", most=MOST_CELLS)
        self.activation = activation  # type: ignore[assignment]
        self.weight_initializer = given_initializer(weight_initializer, initializers.He())
        self.bias_initializer = given_initializer(bias_initializer, initializers.Constant(0.0))
        self.name = name

    def output_shape(self, input_shape: Shape) -> Shape:
        return (self.units,)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"W": (math.prod(input_shape), self.units), "b": (self.units,)}

    def initializer(self, parameter: str) -> Initializer:
        return self.weight_initializer if parameter == "W" else self.bias_initializer

    def forward(self, params: Params, x: Array, context: ForwardContext) -> tuple[Array, Any]:
        return ops.dense(x, params["W"], params["b"], activation=self.activation.op_name), x

    def backward(
        self, params: Params, dz: Array, saved: Any, context: BackwardContext
    ) -> tuple[Array | None, Params]:
        dx, dW, db = ops.dense_backward(
            dz,
            saved,
            params["W"],
            need_dx=context.need_dx,
            out=(context.out["W"], context.out["b"]) if context.out else None,
        )
        return dx, {"W": dW, "b": db}

    def multiply_adds(self, input_shape: Shape) -> int:
        return math.prod(input_shape) * self.units

    def facts(self) -> dict[str, str]:
        return {"filters": str(self.units)}
