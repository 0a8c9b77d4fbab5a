"""A dense layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tinycnn.arrays import Array
from tinycnn.kernels.softmax import softmax
from tinycnn.layers import Dense
from tinycnn.layers.activation import IDENTITY, RELU, SOFTMAX, Activation
from tinycnn.ops import bias, fully_connected
from tinycnn.recorded_passes.stages import (
    STAGES,
    Kept,
    PassPlace,
    StageArrays,
    TrainingStage,
    before_relu,
    rows,
)
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.recording import Recorder, Slot

# Blocks are so many times smaller than those that it pays to hand over to another thread from Python.
_FINER = 32


@STAGES.register(Dense)
def dense_stage(place: PassPlace[Dense]) -> TrainingStage | None:
    """One with a bias, unless its activation is of a user's own."""
    layer = place.layer
    if not layer.bias or layer.activation not in (IDENTITY, RELU, SOFTMAX):
        return None
    return DenseStage(place.batch, layer.units, layer.activation)


@dataclass(frozen=True)
class DenseStage:
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
        W, b = given.params["W"], given.params["b"].reshape(-1)
        relu = self.activation is RELU
        x = self._matrix(given.x)
        yield from fully_connected.products(recorder, x, W, b, relu, z, finer=_FINER)
        if self.activation is SOFTMAX:
            yield [partial(self._softmax, z, y)]

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
        yield from bias.phases(recorder, rows(dy), rectified, gradients["b"])
        target = x.reshape(0, x.shape[1]) if dx is None else self._matrix(dx)
        yield from fully_connected.gradients(
            recorder, dz, x, given.params["W"], gradients["W"], target, finer=_FINER
        )

    def saved(self, x: Array, kept: Sequence[Array]) -> Any:
        return x

    def kept_z(self, kept: Sequence[Array]) -> Array | None:
        return kept[1] if self.activation is SOFTMAX else None

    def _matrix(self, x: Slot) -> Slot:
        return x.reshape(self.batch, x.size // self.batch)

    def _softmax(self, z: Slot, y: Slot, calls: Calls) -> None:
        flat = calls.read(z.reshape(-1)), 0, self.batch, self.units, y.reshape(-1)
        calls(softmax, *flat)
