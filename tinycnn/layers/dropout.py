"""Dropout."""

from __future__ import annotations

from typing import Any

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.layers.base import Layer
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape
from tinycnn.validation import check_number

__all__ = ["Dropout"]


class Dropout(Layer):
    """Drop cells with probability ``rate`` in training and scale up the rest; else the identity."""

    stem = "dropout"
    smooth = True

    def __init__(self, rate: float = 0.5, *, name: str | None = None) -> None:
        self.rate = check_number(rate, "rate", below=1)
        self.name = name

    @property
    def draws(self) -> bool:  # type: ignore[override]
        return self.rate > 0

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward(self, params: Params, x: Array, context: ForwardContext) -> tuple[Array, Any]:
        if not context.training:
            return x, None
        return ops.dropout(
            x, self.rate, context.rng, first_sample=context.first_sample, layer=context.layer
        )

    def backward(
        self, params: Params, dz: Array, saved: Any, context: BackwardContext
    ) -> tuple[Array | None, Params]:
        return (dz if saved is None else ops.dropout_backward(dz, saved, self.rate)), {}

    def facts(self) -> dict[str, str]:
        return {"filters": f"rate {self.rate:g}"}
