"""Convolution: with strides, in groups, depthwise, 1 x 1, along one axis, of few channels and of many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.bench.operations.operation import IMAGES, Axes, Operation, register, spread
from tinycnn.weights.layouts import FILTERS_FIRST

_KERNELS = ((1, 1), (3, 3), (3, 3), (5, 5), (7, 7), (11, 11), (1, 3), (7, 1))


@register
@dataclass(frozen=True)
class SweptConv2D(Operation):
    """`ops.conv2d` on square maps, padded by half a kernel, or not at all."""

    N: int
    size: int
    C: int
    F: int
    KH: int
    KW: int
    stride: int
    padded: int
    groups: int

    name = "conv2d"
    share = 5  # most of a network's time is spent here
    axes: ClassVar[Axes] = {"x": IMAGES, "W": FILTERS_FIRST, "y": IMAGES}
    fixed = (
        (8, 56, 64, 64, 3, 3, 1, 1, 1), (1, 56, 64, 64, 3, 3, 1, 1, 1), (8, 14, 256, 256, 3, 3, 1, 1, 1),
        (128, 4, 64, 64, 3, 3, 1, 1, 1), (8, 28, 8, 8, 3, 3, 1, 1, 1), (8, 28, 16, 16, 3, 3, 1, 1, 1),
        (32, 28, 1, 6, 5, 5, 1, 1, 1), (32, 14, 6, 16, 5, 5, 1, 0, 1), (32, 28, 1, 32, 3, 3, 1, 0, 1),
        (32, 32, 3, 32, 3, 3, 1, 1, 1), (128, 8, 1, 16, 3, 3, 1, 1, 1), (8, 32, 2, 4, 3, 3, 1, 1, 1),
        (1, 224, 3, 32, 3, 3, 2, 1, 1), (8, 56, 64, 128, 3, 3, 2, 1, 1), (8, 14, 256, 512, 3, 3, 2, 1, 1),
        (1, 224, 3, 64, 7, 7, 2, 1, 1), (8, 28, 512, 128, 1, 1, 1, 0, 1), (1, 28, 256, 64, 1, 1, 1, 0, 1),
        (128, 1, 1024, 256, 1, 1, 1, 0, 1), (8, 28, 64, 64, 1, 7, 1, 1, 1), (8, 28, 64, 64, 3, 1, 1, 1, 1),
        (8, 27, 96, 256, 5, 5, 1, 1, 2), (8, 28, 64, 64, 3, 3, 1, 1, 8), (8, 28, 128, 128, 3, 3, 1, 1, 32),
        (8, 56, 128, 128, 3, 3, 1, 1, 128), (8, 56, 64, 64, 3, 3, 2, 1, 64),
        (1, 14, 512, 512, 3, 3, 1, 1, 512),
    )  # fmt: skip

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        KH, KW = _KERNELS[rng.integers(len(_KERNELS))]
        stride = int(rng.choice((1, 1, 2, 4))) if max(KH, KW) > 1 else int(rng.choice((1, 1, 1, 2)))
        padded, size = int(rng.integers(2)), spread(rng, 224)
        C, F = spread(rng, 1024), spread(rng, 1024)
        groups = int(rng.choice((1, 1, 1, 2, 8, 32, C)))
        if groups > 1:
            C = max(C // groups, 1) * groups
            F = C if groups == C else max(F // groups, 1) * groups
        if size < max(KH, KW):
            padded = 1
        return cls(spread(rng, 128), size, C, F, KH, KW, stride, padded, groups)

    @property
    def _options(self) -> dict[str, Any]:
        padding = (self.KH // 2, self.KW // 2) if self.padded else (0, 0)
        return {"stride": self.stride, "padding": padding, "groups": self.groups}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {
            "x": (self.N, self.size, self.size, self.C),
            "W": (self.KH, self.KW, self.C // self.groups, self.F),
            "b": (self.F,),
        }

    def cost(self) -> int:
        return super().cost() + self._results() * self.KH * self.KW * self.C // self.groups

    def largest(self) -> int:
        return max(super().largest(), self._results())

    def _results(self) -> int:
        """The numbers of y, or a few more."""
        return self.N * (self.size // self.stride + 1) ** 2 * self.F

    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        return ops.conv2d(*inputs.values(), **self._options), None

    def backward(
        self, dy: Array, inputs: Mapping[str, Array], y: Array, saved: Any
    ) -> dict[str, Array]:
        gradients = ops.conv2d_backward(dy, inputs["x"], inputs["W"], **self._options)
        return {name: g for name, g in zip("xWb", gradients, strict=True) if g is not None}

    def torch(self, inputs: Mapping[str, Any]) -> Any:
        from torch.nn.functional import conv2d

        return conv2d(*inputs.values(), **self._options)
