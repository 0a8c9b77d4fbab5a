"""What works on each number by itself: ReLU and dropout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.bench.operations.operation import Operation, register, spread

_RATE = 0.5
_SURE = 4  # times 1/sqrt(cells): eight standard deviations of the share that is kept


@dataclass(frozen=True)
class _Cells(Operation):
    N: int
    D: int

    fixed = ((1, 100), (32, 128), (128, 4096), (32, 100352))

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        return cls(spread(rng, 128), spread(rng, 1 << 18))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"x": (self.N, self.D)}


@register
@dataclass(frozen=True)
class SweptReLU(_Cells):
    """`ops.relu`."""

    name = "relu"

    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        return ops.relu(inputs["x"]), None

    def backward(
        self, dy: Array, inputs: Mapping[str, Array], y: Array, saved: Any
    ) -> dict[str, Array]:
        return {"x": ops.relu_backward(dy, y)}

    def torch(self, inputs: Mapping[str, Any]) -> Any:
        return inputs["x"].relu()


@register
@dataclass(frozen=True)
class SweptDropout(_Cells):
    """`ops.dropout`: each engine draws a mask of its own."""

    name = "dropout"

    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        return ops.dropout(inputs["x"], _RATE, 0)

    def backward(
        self, dy: Array, inputs: Mapping[str, Array], y: Array, saved: Any
    ) -> dict[str, Array]:
        return {"x": ops.dropout_backward(dy, saved, _RATE)}

    def expected(self, found: Mapping[str, Array], direction: str) -> dict[str, Array]:
        """What is kept is scaled, the rest is 0; about half is kept, or nothing is right."""
        ((name, array),) = found.items()
        x = self.inputs()["x"]
        before = x if direction == "forward" else self.upstream(x)
        kept = array != 0
        fair = abs(kept.mean() - (1 - _RATE)) <= _SURE / np.sqrt(kept.size)
        return {name: np.where(kept, before / (1 - _RATE), 0) if fair else np.full_like(x, np.nan)}

    def torch(self, inputs: Mapping[str, Any]) -> Any:
        from torch.nn.functional import dropout

        return dropout(inputs["x"], _RATE, training=True)
