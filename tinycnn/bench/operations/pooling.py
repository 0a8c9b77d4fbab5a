"""Pools: maxima and means of windows; a mean of the whole map is a window as large as that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.bench.operations.operation import IMAGES, Axes, Operation, register, spread


@dataclass(frozen=True)
class _Pool(Operation):
    N: int
    size: int
    C: int
    kernel: int
    stride: int

    axes: ClassVar[Axes] = {"x": IMAGES, "y": IMAGES}
    fixed = (
        (32, 28, 6, 2, 2), (32, 28, 16, 2, 2), (8, 112, 64, 3, 2), (128, 8, 64, 2, 2), (1, 56, 128, 3, 2),
        (8, 28, 1, 2, 2), (8, 14, 8, 3, 1), (32, 7, 512, 7, 7),
    )  # fmt: skip

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        size = spread(rng, 224)
        kernel, stride = ((2, 2), (3, 2), (3, 1), (5, 3), (size, size))[rng.integers(5)]
        return cls(spread(rng, 128), max(size, kernel), spread(rng, 1024), kernel, stride)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"x": (self.N, self.size, self.size, self.C)}


@register
@dataclass(frozen=True)
class SweptMaxPool(_Pool):
    """`ops.max_pool2d`."""

    name = "max_pool2d"

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        drawn = super().draw(rng)
        return drawn if drawn.kernel <= 16 else cls.draw(rng)

    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        return ops.max_pool2d(inputs["x"], self.kernel, stride=self.stride)

    def backward(
        self, dy: Array, inputs: Mapping[str, Array], y: Array, saved: Any
    ) -> dict[str, Array]:
        shape = inputs["x"].shape
        return {"x": ops.max_pool2d_backward(dy, saved, shape, self.kernel, stride=self.stride)}

    def torch(self, inputs: Mapping[str, Any]) -> Any:
        from torch.nn.functional import max_pool2d

        # With the argmax, as ours has it: without, it is another function.
        return max_pool2d(inputs["x"], self.kernel, self.stride, return_indices=True)[0]


@register
@dataclass(frozen=True)
class SweptAveragePool(_Pool):
    """`ops.avg_pool2d`."""

    name = "avg_pool2d"

    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        return ops.avg_pool2d(inputs["x"], self.kernel, stride=self.stride), None

    def backward(
        self, dy: Array, inputs: Mapping[str, Array], y: Array, saved: Any
    ) -> dict[str, Array]:
        shape = inputs["x"].shape
        return {"x": ops.avg_pool2d_backward(dy, shape, self.kernel, stride=self.stride)}

    def torch(self, inputs: Mapping[str, Any]) -> Any:
        from torch.nn.functional import avg_pool2d

        return avg_pool2d(inputs["x"], self.kernel, self.stride)
