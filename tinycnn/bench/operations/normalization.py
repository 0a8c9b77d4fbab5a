"""Normalisation: of channels by their neighbours, and of the batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.bench.operations.operation import IMAGES, Axes, Operation, register, spread

_EPSILON = 1e-3


@dataclass(frozen=True)
class _Maps(Operation):
    N: int
    size: int
    C: int

    axes: ClassVar[Axes] = {"x": IMAGES, "y": IMAGES}
    fixed = ((1, 55, 96), (8, 27, 256), (32, 28, 6), (128, 8, 64), (8, 14, 1024))

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        # At least 8 cells of a channel: of fewer, a batch's variance says little.
        return cls(spread(rng, 128, 2), spread(rng, 224, 2), spread(rng, 1024))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"x": (self.N, self.size, self.size, self.C)}


@register
@dataclass(frozen=True)
class SweptLRN(_Maps):
    """`ops.local_response_norm`."""

    name = "local_response_norm"

    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        return ops.local_response_norm(inputs["x"], alpha_over_size=True), None

    def backward(
        self, dy: Array, inputs: Mapping[str, Array], y: Array, saved: Any
    ) -> dict[str, Array]:
        return {"x": ops.local_response_norm_backward(dy, inputs["x"], alpha_over_size=True)}

    def torch(self, inputs: Mapping[str, Any]) -> Any:
        from torch.nn.functional import local_response_norm

        return local_response_norm(inputs["x"], 5, k=2.0)


@register
@dataclass(frozen=True)
class SweptBatchNormalization(_Maps):
    """`ops.moments` and `ops.batch_normalization`, as in training."""

    name = "batch_normalization"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {**super().shapes(), "gamma": (self.C,), "beta": (self.C,)}

    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        x, gamma, beta = inputs.values()
        mean, variance = ops.moments(x)
        y = ops.batch_normalization(x, gamma, beta, mean, variance, epsilon=_EPSILON)
        return y, (mean, variance)

    def backward(
        self, dy: Array, inputs: Mapping[str, Array], y: Array, saved: Any
    ) -> dict[str, Array]:
        gradients = ops.batch_normalization_backward(
            dy, inputs["x"], inputs["gamma"], *saved, epsilon=_EPSILON
        )
        return dict(zip(inputs, gradients, strict=True))

    def torch(self, inputs: Mapping[str, Any]) -> Any:
        from torch.nn.functional import batch_norm

        x, gamma, beta = inputs.values()
        return batch_norm(x, None, None, gamma, beta, training=True, eps=_EPSILON)
