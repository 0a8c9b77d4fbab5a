"""ReLU as a layer of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinycnn.arrays import Array
from tinycnn.layers import ReLU, Shape
from tinycnn.ops import activations
from tinycnn.recorded_passes.stages import STAGES, Kept, PassPlace, StageArrays, TrainingStage
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.recording import Recorder, Slot


@STAGES.register(ReLU)
def relu_stage(place: PassPlace[ReLU]) -> TrainingStage:
    """Any."""
    return ReLUStage(place.x_shape)


@dataclass(frozen=True)
class ReLUStage(TrainingStage):
    """max(0, x)."""

    shape: Shape

    @property
    def kept(self) -> Sequence[Kept]:
        """Y."""
        return [Kept(self.shape)]

    def forward(self, recorder: Recorder, given: StageArrays) -> Iterator[Phase]:
        yield activations.rectification(given.x, given.kept[0]).phase()

    def backward(
        self,
        recorder: Recorder,
        given: StageArrays,
        dy: Slot,
        gradients: Mapping[str, Slot],
        dx: Slot | None,
    ) -> Iterator[Phase]:
        if dx is not None:
            yield activations.gradient_of_rectification(dy, given.kept[0], dx).phase()

    def saved(self, x: Array, kept: Sequence[Array]) -> Any:
        return None
