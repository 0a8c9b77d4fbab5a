"""What layers do in a recorded pass, as values: which arrays they keep, and their kernel calls.

A pass is in float32. Arrays here are `Slot`s, which say their shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

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
    position: int
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
    """What a layer works on: its input, its parameters by name, and what it keeps.

    ``draw`` is what `ops.regularization.mask_draw` gives, forward where a layer wants it.
    """

    x: Slot
    params: Mapping[str, Slot]
    kept: Sequence[Slot]
    draw: Slot | None


class TrainingStage:
    """The kernel calls of one layer with its activation."""

    # True: forward reads `StageArrays.draw`.
    draws = False
    # True: the gradient of x is that of z in another shape.
    hands_dz_on = False

    @property
    def kept(self) -> Sequence[Kept]:
        """What forward writes: y, and what else backward needs; nothing where y is x in another shape."""
        return ()

    def output(self, x: Any, kept: Sequence[Any]) -> Any:
        """Y, of arrays or of slots."""
        return kept[0]

    def forward(self, recorder: Recorder, given: StageArrays) -> Iterator[Phase]:
        """Write what is kept."""
        return iter(())

    def backward(
        self,
        recorder: Recorder,
        given: StageArrays,
        dy: Slot,
        gradients: Mapping[str, Slot],
        dx: Slot | None,
    ) -> Iterator[Phase]:
        """Write the gradients, and dx if there is any. Of a softmax, ``dy`` is what goes into it."""
        return iter(())

    def saved(self, x: Array, kept: Sequence[Array]) -> Any:
        """What the layer's own forward would have saved."""
        return x

    def kept_z(self, x: Array, kept: Sequence[Array]) -> Array | None:
        """What went into an activation that is no part of the layer's op."""
        return None


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


def bias_or_zeros(recorder: Recorder, params: Mapping[str, Slot], F: int) -> Slot:
    """The bias, zeros where the layer has none."""
    return params["b"] if "b" in params else recorder.constant(np.zeros(F, FLOAT32))


def bias_gradient_or_room(recorder: Recorder, gradients: Mapping[str, Slot], F: int) -> Slot:
    """Where the bias's gradient is to be, and what stands in for it where the layer has no bias."""
    return gradients["b"] if "b" in gradients else recorder.shared("db", F).reshape(F)
