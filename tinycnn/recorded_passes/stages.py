"""What layers do in a recorded pass, as values: which arrays they keep, and their kernel calls.

A pass is in float32. Arrays here are `Slot`s, which say their shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from tinycnn.arrays import Array
from tinycnn.layers import Layer, Registry, Shape
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.recording import Recorder, Slot

FLOAT32 = np.dtype(np.float32)

_Kind = TypeVar("_Kind", bound=Layer)


@dataclass(frozen=True)
class PassPlace(Generic[_Kind]):
    """A layer in its chain: the shape of one of the ``batch`` samples before it, and the pass's algorithm."""

    layer: _Kind
    input_shape: Shape
    batch: int
    algorithm: str | None

    @property
    def x_shape(self) -> Shape:
        """Of what goes in."""
        return (self.batch, *self.input_shape)

    @property
    def y_shape(self) -> Shape:
        """Of what comes out."""
        return (self.batch, *self.layer.output_shape(self.input_shape))


class Kept(NamedTuple):
    """An array that forward writes, and the trace keeps."""

    shape: Shape
    dtype: np.dtype[Any] = FLOAT32


class StageArrays(NamedTuple):
    """What a layer works on: its input, its parameters by name, and what it keeps."""

    x: Slot
    params: Mapping[str, Slot]
    kept: Sequence[Slot]


class TrainingStage(Protocol):
    """The kernel calls of one layer with its activation."""

    @property
    def kept(self) -> Sequence[Kept]:
        """What forward writes: y, and what else backward needs."""

    def forward(self, recorder: Recorder, given: StageArrays) -> Iterator[Phase]:
        """Write what is kept."""

    def backward(
        self,
        recorder: Recorder,
        given: StageArrays,
        dy: Slot,
        gradients: Mapping[str, Slot],
        dx: Slot | None,
    ) -> Iterator[Phase]:
        """Write the gradients, and dx if there is any. Of a softmax, ``dy`` is what goes into it."""

    def saved(self, x: Array, kept: Sequence[Array]) -> Any:
        """What the layer's own forward would have saved."""

    def kept_z(self, kept: Sequence[Array]) -> Array | None:
        """What went into an activation that is no part of the layer's op."""


# Tells the stage of a layer; None where its calls cannot be written down.
Planner = Callable[[PassPlace[Any]], TrainingStage | None]

STAGES: Registry[Planner] = Registry(lambda place: None, subclasses=False)


def rows(array: Slot) -> Slot:
    """The same numbers, a row for each cell: (..., F) as a matrix."""
    return array.reshape(array.size // array.shape[-1], array.shape[-1])


def before_relu(recorder: Recorder, dy: Slot, y: Slot) -> tuple[Slot, tuple[Slot, Slot]]:
    """Where dz is to be, and what `ops.bias.phases` is told of a rectifier."""
    dz = recorder.shared("dz", y.size).reshape(*y.shape)
    return dz, (rows(y), rows(dz))
