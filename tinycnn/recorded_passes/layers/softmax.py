"""Softmax as a layer of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tinycnn.arrays import Array
from tinycnn.layers import Shape, Softmax
from tinycnn.ops import activations
from tinycnn.recorded_passes.stages import STAGES, Kept, PassPlace, StageArrays, TrainingStage
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.recording import Recorder


@STAGES.register(Softmax)
def softmax_stage(place: PassPlace[Softmax]) -> TrainingStage:
    """Any."""
    return ProbabilityStage(place.x_shape)


@dataclass(frozen=True)
class ProbabilityStage(TrainingStage):
    """Probabilities over the last axis."""

    shape: Shape
    hands_dz_on = True

    @property
    def kept(self) -> Sequence[Kept]:
        """Y."""
        return [Kept(self.shape)]

    def forward(self, recorder: Recorder, given: StageArrays) -> Iterator[Phase]:
        yield activations.softmax_of_rows(given.x, given.kept[0]).phase()

    def saved(self, x: Array, kept: Sequence[Array]) -> Any:
        return None

    def kept_z(self, x: Array, kept: Sequence[Array]) -> Array | None:
        return x
