"""A fully connected layer."""

from __future__ import annotations

import math
from typing import Any

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.initializers import Initializer
from tinycnn.layers.activation import Activation
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape
from tinycnn.layers.weighted import WeightedLayer
from tinycnn.validation import MOST_CELLS, check_int

__all__ = ["Dense"]


class Dense(WeightedLayer):
    """Fully connected: any input, flattened row-major to D cells, to ``units``.

    ``activation`` is None, "relu" or "softmax". Parameters: ``W`` (D, units) and ``b`` (units,),
    drawn as in `Conv2D`.
    """

    stem = "dense"
    smooth = True

    def __init__(
        self,
        units: int,
        *,
        activation: str | Activation | None = None,
        bias: bool = True,
        weight_initializer: Initializer | None = None,
        bias_initializer: Initializer | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            bias=bias,
            weight_initializer=weight_initializer,
            bias_initializer=bias_initializer,
            name=name,
        )
        self.units = check_int(units, "units", most=MOST_CELLS)
        self.activation = activation  # type: ignore[assignment]

    def output_shape(self, input_shape: Shape) -> Shape:
        return (self.units,)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return self.weights_and_bias((math.prod(input_shape), self.units))

    def forward(self, params: Params, x: Array, context: ForwardContext) -> tuple[Array, Any]:
        return ops.dense(x, params["W"], params.get("b"), activation=self.activation.op_name), x

    def backward(
        self, params: Params, dz: Array, saved: Any, context: BackwardContext
    ) -> tuple[Array | None, Params]:
        dx, dW, db = ops.dense_backward(
            dz,
            saved,
            params["W"],
            need_dx=context.need_dx,
            out=self.places(context),
        )
        return dx, self.named(dW, db)

    def multiply_adds(self, input_shape: Shape) -> int:
        return math.prod(input_shape) * self.units

    def facts(self) -> dict[str, str]:
        return {"filters": str(self.units)}
