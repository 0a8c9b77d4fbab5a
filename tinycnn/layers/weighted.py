"""What layers share that multiply by weights and add a bias."""

from __future__ import annotations

import numpy as np

from tinycnn import initializers
from tinycnn.arrays import Array
from tinycnn.initializers import Initializer
from tinycnn.layers.base import Layer, given_initializer
from tinycnn.layers.context import BackwardContext, Shape
from tinycnn.validation import check_choice


class WeightedLayer(Layer):
    """A layer with weights ``W`` (..., F) and, unless ``bias`` is False, a bias ``b`` (F,)."""

    def __init__(
        self,
        *,
        bias: bool,
        weight_initializer: Initializer | None,
        bias_initializer: Initializer | None,
        name: str | None,
    ) -> None:
        super().__init__(name=name)
        check_choice(bias, (True, False), "bias")
        self.bias = bool(bias)
        self.weight_initializer = given_initializer(weight_initializer, initializers.He())
        self.bias_initializer = given_initializer(bias_initializer, initializers.Constant(0.0))

    def initializer(self, parameter: str) -> Initializer:
        return self.weight_initializer if parameter == "W" else self.bias_initializer

    def weights_and_bias(self, W: Shape) -> dict[str, Shape]:
        """The shapes of the parameters, where the weights have the shape ``W``."""
        return {"W": W, "b": W[-1:]} if self.bias else {"W": W}

    def places(self, context: BackwardContext) -> tuple[Array, Array] | None:
        """Where an op is to write dW and db; None: to new arrays."""
        if not context.out:
            return None
        dW = context.out["W"]
        return dW, context.out["b"] if self.bias else np.empty(dW.shape[-1], dW.dtype)

    def named(self, dW: Array, db: Array) -> dict[str, Array]:
        """The gradients by name."""
        return {"W": dW, "b": db} if self.bias else {"W": dW}
