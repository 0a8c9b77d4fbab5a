"""A dense layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tinycnn.arrays import Array
from tinycnn.layers import Dense
from tinycnn.layers.activation import IDENTITY, RELU, SOFTMAX, Activation
from tinycnn.ops import activations, bias, fully_connected
from tinycnn.recorded_passes.stages import (
    STAGES,
    Kept,
    PassPlace,
    StageArrays,
    TrainingStage,
    before_relu,
    bias_gradient_or_room,
    bias_or_zeros,
    rows,
)
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.recording import Recorder, Slot

# Blocks are so many times smaller than those that it pays to hand over to another thread from Python.
_FINER = 32


@STAGES.register(Dense)
def dense_stage(place: PassPlace[Dense]) -> TrainingStage | None:
    """One whose activation is not of a user's own."""
    layer = place.layer
    if layer.activation not in (IDENTITY, RELU, SOFTMAX):
        return None
    return DenseStage(place.batch, layer.units, layer.activation)


@dataclass(frozen=True)
class DenseStage(TrainingStage):
    """Weighted sums, with bias and activation."""

    batch: int
    units: int
    activation: Activation

    @property
    def kept(self) -> Sequence[Kept]:
        """Y, and z before a softmax."""
        shape = self.batch, self.units
        return [Kept(shape)] * (2 if self.activation is SOFTMAX else 1)

    def forward(self, recorder: Recorder, given: StageArrays) -> Iterator[Phase]:
        y, z = given.kept[0], given.kept[-1]
        W, b = given.params["W"], bias_or_zeros(recorder, given.params, self.units).reshape(-1)
        relu = self.activation is RELU
        x = self._matrix(given.x)
        yield from fully_connected.products(recorder, x, W, b, relu, z, finer=_FINER)
        if self.activation is SOFTMAX:
            yield activations.softmax_of_rows(z, y).phase()

    def backward(
        self,
        recorder: Recorder,
        given: StageArrays,
        dy: Slot,
        gradients: Mapping[str, Slot],
        dx: Slot | None,
    ) -> Iterator[Phase]:
        x = self._matrix(given.x)
        relu = self.activation is RELU
        dz, rectified = before_relu(recorder, dy, given.kept[0]) if relu else (dy, None)
        db = bias_gradient_or_room(recorder, gradients, self.units)
        yield from bias.phases(recorder, rows(dy), rectified, db)
        target = x.reshape(0, x.shape[1]) if dx is None else self._matrix(dx)
        yield from fully_connected.gradients(
            recorder, dz, x, given.params["W"], gradients["W"], target, finer=_FINER
        )

    def kept_z(self, x: Array, kept: Sequence[Array]) -> Array | None:
        return kept[1] if self.activation is SOFTMAX else None

    def _matrix(self, x: Slot) -> Slot:
        return x.reshape(self.batch, x.size // self.batch)
