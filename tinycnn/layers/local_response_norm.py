"""Local response normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.layers.context import BackwardContext, ForwardContext, Params, Shape
from tinycnn.layers.image import ImageLayer, changed
from tinycnn.validation import lrn_coefficients

__all__ = ["LocalResponseNorm"]


class LocalResponseNorm(ImageLayer):
    """Local response normalisation across channels; arguments as in `ops.local_response_norm`."""

    stem = "norm"
    smooth = True

    def __init__(
        self,
        *,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 2.0,
        alpha_over_size: bool = False,
        name: str | None = None,
    ) -> None:
        lrn_coefficients(size, alpha, beta, k, alpha_over_size)
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k
        self.alpha_over_size = alpha_over_size
        self.name = name

    @property
    def options(self) -> Mapping[str, Any]:
        """The arguments of `ops.local_response_norm`."""
        names = ("size", "alpha", "beta", "k", "alpha_over_size")
        return MappingProxyType({name: getattr(self, name) for name in names})

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.image_shape(input_shape)

    def forward(self, params: Params, x: Array, context: ForwardContext) -> tuple[Array, Any]:
        return ops.local_response_norm(x, **self.options), x

    def backward(
        self, params: Params, dz: Array, saved: Any, context: BackwardContext
    ) -> tuple[Array | None, Params]:
        return ops.local_response_norm_backward(dz, saved, **self.options), {}

    def facts(self) -> dict[str, str]:
        size, alpha, beta, k, alpha_over_size = self.options.values()
        usual = changed(alpha=(alpha, 1e-4), beta=(beta, 0.75)).get("details")
        dialect = "a = alpha/size" if alpha_over_size else "a = alpha"
        details = f"k {k:g}, {dialect}" + (f", {usual}" if usual else "")
        return {"filters": f"n {size}", "details": details}
