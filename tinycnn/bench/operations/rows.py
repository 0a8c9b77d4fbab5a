"""What works on rows: dense layers, softmax, the loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.bench import work
from tinycnn.bench.operations.operation import Axes, Operation, register, spread


@register
@dataclass(frozen=True)
class SweptDense(Operation):
    """`ops.dense`."""

    N: int
    D: int
    F: int

    name = "dense"
    axes: ClassVar[Axes] = {"W": (1, 0)}
    fixed = (
        (1, 784, 100), (32, 100, 10), (1, 9216, 1024), (32, 1024, 1024), (128, 256, 256), (128, 84, 10),
        (4096, 64, 64), (8, 3136, 128), (1, 10, 10),
    )  # fmt: skip

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        return cls(spread(rng, 4096), spread(rng, 9216), spread(rng, 4096))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"x": (self.N, self.D), "W": (self.D, self.F), "b": (self.F,)}

    def cost(self) -> int:
        return super().cost() + self.N * self.D * self.F

    def largest(self) -> int:
        return max(super().largest(), self.N * self.F)

    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        return ops.dense(*inputs.values()), None

    def backward(
        self, dy: Array, inputs: Mapping[str, Array], y: Array, saved: Any
    ) -> dict[str, Array]:
        gradients = ops.dense_backward(dy, inputs["x"], inputs["W"])
        return {name: g for name, g in zip("xWb", gradients, strict=True) if g is not None}

    def torch(self, inputs: Mapping[str, Any]) -> Any:
        from torch.nn.functional import linear

        return linear(*inputs.values())


@dataclass(frozen=True)
class _Classes(Operation):
    N: int
    F: int

    fixed = ((1, 10), (32, 10), (128, 10), (32, 1000), (1024, 1000), (4096, 3))

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        return cls(spread(rng, 16384), spread(rng, 8192))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"x": (self.N, self.F)}


@register
@dataclass(frozen=True)
class SweptSoftmax(_Classes):
    """`ops.softmax`."""

    name = "softmax"

    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        return ops.softmax(inputs["x"]), None

    def backward(
        self, dy: Array, inputs: Mapping[str, Array], y: Array, saved: Any
    ) -> dict[str, Array]:
        return {"x": ops.softmax_backward(dy, y)}

    def torch(self, inputs: Mapping[str, Any]) -> Any:
        return inputs["x"].softmax(1)


@register
@dataclass(frozen=True)
class SweptCrossEntropy(_Classes):
    """`ops.cross_entropy`, which gives the loss and its gradient in one call."""

    name = "cross_entropy"
    directions = ("forward",)

    def inputs(self) -> dict[str, Array]:
        return {**super().inputs(), "labels": work.labels(self.N, self.F)}

    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        loss, gradient = ops.cross_entropy(inputs["x"], inputs["labels"])
        return gradient, loss

    def torch(self, inputs: Mapping[str, Any]) -> Any:
        import torch

        with torch.inference_mode(False):
            x = inputs["x"].requires_grad_()
            loss = torch.nn.functional.cross_entropy(x, inputs["labels"])
            (gradient,) = torch.autograd.grad(loss, x)
            return gradient


@register
@dataclass(frozen=True)
class SweptMeanSquaredError(_Classes):
    """`ops.mean_squared_error`, which gives the loss and its gradient in one call."""

    name = "mean_squared_error"
    directions = ("forward",)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"x": (self.N, self.F), "targets": (self.N, self.F)}

    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        loss, gradient = ops.mean_squared_error(inputs["x"], inputs["targets"])
        return gradient, loss

    def torch(self, inputs: Mapping[str, Any]) -> Any:
        import torch

        with torch.inference_mode(False):
            x = inputs["x"].requires_grad_()
            (gradient,) = torch.autograd.grad(torch.nn.functional.mse_loss(x, inputs["targets"]), x)
            return gradient
