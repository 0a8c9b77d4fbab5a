"""Windows as rows of a matrix; the gradient adds them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.bench.operations.operation import IMAGES, Axes, Operation, register, spread


@register
@dataclass(frozen=True)
class SweptIm2col(Operation):
    """`ops.im2col` and `ops.col2im`; PyTorch's unfold gives (N, C*KH*KW, OH*OW)."""

    N: int
    size: int
    C: int
    kernel: int
    stride: int

    name = "im2col"
    axes: ClassVar[Axes] = {"x": IMAGES}
    fixed = ((8, 28, 1, 5, 1), (8, 28, 64, 3, 1), (1, 224, 3, 11, 4), (32, 14, 16, 3, 2))

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        kernel, stride = int(rng.choice((1, 3, 5, 11))), int(rng.choice((1, 2, 4)))
        return cls(spread(rng, 128), spread(rng, 224, kernel), spread(rng, 256), kernel, stride)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"x": (self.N, self.size, self.size, self.C)}

    def cost(self) -> int:
        return super().cost() * (1 + self.kernel**2 // self.stride**2)

    def largest(self) -> int:
        rows = self.N * ((self.size - self.kernel) // self.stride + 1) ** 2
        return max(super().largest(), rows * self.kernel**2 * self.C)

    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        return ops.im2col(inputs["x"], self.kernel, stride=self.stride), None

    def backward(
        self, dy: Array, inputs: Mapping[str, Array], y: Array, saved: Any
    ) -> dict[str, Array]:
        shape = inputs["x"].shape
        return {"x": ops.col2im(dy, shape, self.kernel, stride=self.stride)}

    def torch(self, inputs: Mapping[str, Any]) -> Any:
        from torch.nn.functional import unfold

        return unfold(inputs["x"], self.kernel, stride=self.stride)

    def to_torch(self, name: str, array: Array) -> Array:
        if name != "y":
            return super().to_torch(name, array)
        rows = array.reshape(self.N, -1, self.kernel**2, self.C)
        return rows.transpose(0, 3, 2, 1).reshape(self.N, self.C * self.kernel**2, -1)

    def from_torch(self, name: str, array: Array) -> Array:
        if name != "y":
            return super().from_torch(name, array)
        windows = array.reshape(self.N, self.C, self.kernel**2, -1)
        return windows.transpose(0, 3, 2, 1).reshape(-1, self.C * self.kernel**2)
