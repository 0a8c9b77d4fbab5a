"""What is said of an op so that it can be swept: its sizes, its inputs, and how each engine is called."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self

import numpy as np

from tinycnn.arrays import Array
from tinycnn.bench import work

Axes = Mapping[str, tuple[int, ...]]
IMAGES = (0, 3, 1, 2)  # axes of (N, H, W, C) in PyTorch's order


class Operation(ABC):
    """One op at some sizes: a dataclass whose fields are all ints, the batch first."""

    name: ClassVar[str]
    fixed: ClassVar[tuple[tuple[int, ...], ...]]  # sizes that are spread well
    axes: ClassVar[Axes] = {}  # of inputs and "y", where PyTorch has another order
    share: ClassVar[int] = 1  # of the draws, beside the other ops
    directions: ClassVar[tuple[str, ...]] = ("forward", "backward")

    @classmethod
    @abstractmethod
    def draw(cls, rng: np.random.Generator) -> Self:
        """Sizes drawn from all that the op may meet."""

    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the inputs that are drawn from a normal distribution, by name."""

    @abstractmethod
    def forward(self, inputs: Mapping[str, Array]) -> tuple[Array, Any]:
        """This engine's op: the result, and what its gradient needs."""

    def backward(
        self, dy: Array, inputs: Mapping[str, Array], y: Array, saved: Any
    ) -> dict[str, Array]:
        """This engine's gradients, by the names of the inputs."""
        raise NotImplementedError

    @abstractmethod
    def torch(self, inputs: Mapping[str, Any]) -> Any:
        """PyTorch's op on tensors that `to_torch` made of the inputs; its gradients are autograd's."""

    def cost(self) -> int:
        """Multiply-adds, or numbers touched: what bounds the time of a draw."""
        return sum(int(np.prod(shape)) for shape in self.shapes().values())

    def largest(self) -> int:
        """Numbers of its largest array, y among them: what bounds the memory of a draw."""
        return max(int(np.prod(shape)) for shape in self.shapes().values())

    def inputs(self) -> dict[str, Array]:
        """The same numbers for everybody who asks."""
        rng = np.random.default_rng(1)
        return {
            name: rng.standard_normal(shape, np.float32) for name, shape in self.shapes().items()
        }

    def results(self, inputs: Mapping[str, Array], direction: str) -> dict[str, Array]:
        """What this engine makes of ``inputs``: y, or the gradients, called dx and so on."""
        y, saved = self.forward(inputs)
        if direction == "forward":
            return {"y": y}
        gradients = self.backward(self.upstream(y), inputs, y, saved)
        return {f"d{name}": gradient for name, gradient in gradients.items()}

    def expected(self, found: Mapping[str, Array], direction: str) -> dict[str, Array]:
        """What ``found`` must be: this engine's plain formulas in float64."""
        doubles = {
            name: array.astype(np.float64) if array.dtype == np.float32 else array
            for name, array in self.inputs().items()
        }
        return self.results(doubles, direction)

    def upstream(self, y: Array) -> Array:
        """A gradient that comes to ``y``, in its dtype."""
        return work.upstream(y.shape).astype(y.dtype)

    def to_torch(self, name: str, array: Array) -> Array:
        """An input, or "y", with its axes as PyTorch has them."""
        return array.transpose(self.axes[name]) if name in self.axes else array

    def from_torch(self, name: str, array: Array) -> Array:
        """What `to_torch` began with."""
        return array.transpose(np.argsort(self.axes[name])) if name in self.axes else array

    @property
    def batch(self) -> int:
        """Its first size."""
        return self._sizes()[0][1]

    @property
    def text(self) -> str:
        """The op and its sizes, for `operation_of`."""
        return " ".join([self.name, *(str(value) for _, value in self._sizes())])

    @property
    def words(self) -> str:
        """Its sizes for a reader."""
        return ", ".join(f"{name} {value}" for name, value in self._sizes())

    def _sizes(self) -> list[tuple[str, int]]:
        return [(field.name, getattr(self, field.name)) for field in fields(self)]  # type: ignore[arg-type]


OPERATIONS: dict[str, type[Operation]] = {}


def register(kind: type[Operation]) -> type[Operation]:
    """Enter an op under its name."""
    OPERATIONS[kind.name] = kind
    return kind


def spread(rng: np.random.Generator, most: int, least: int = 1) -> int:
    """A whole number from ``least`` to ``most``, each doubling as likely as the others.

    Half of the draws are powers of two, which people take most; where the number is odd, loops have ends.
    """
    found = 2 ** rng.uniform(np.log2(least), np.log2(most + 1))
    if rng.integers(2):
        found = 2 ** np.floor(np.log2(found))
    return int(np.clip(found, least, most))
