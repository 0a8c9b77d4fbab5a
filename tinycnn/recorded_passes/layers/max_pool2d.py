"""Max-pooling, with the places of the maxima in bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.layers import MaxPool2D, Shape
from tinycnn.layers.activation import IDENTITY
from tinycnn.ops import pooling
from tinycnn.recorded_passes.stages import STAGES, Kept, PassPlace, StageArrays, TrainingStage
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.recording import Recorder, Slot
from tinycnn.shapes import Window

_BYTE = np.dtype(np.uint8)


@STAGES.register(MaxPool2D)
def max_pool2d_stage(place: PassPlace[MaxPool2D]) -> TrainingStage | None:
    """Windows of up to 256 cells."""
    win = place.layer.window(place.input_shape)
    if pooling.argmax_dtype(win) != _BYTE or place.layer.activation is not IDENTITY:
        return None
    return MaxPool2DStage(win, place.x_shape, place.y_shape)


@dataclass(frozen=True)
class MaxPool2DStage(TrainingStage):
    """The maximum of each window."""

    window: Window
    x_shape: Shape
    y_shape: Shape

    @property
    def kept(self) -> Sequence[Kept]:
        """Y and winner."""
        return [Kept(self.y_shape), Kept(self.y_shape, _BYTE)]

    def forward(self, recorder: Recorder, given: StageArrays) -> Iterator[Phase]:
        yield pooling.maxima(self.window, given.x, *given.kept).phase()

    def backward(
        self,
        recorder: Recorder,
        given: StageArrays,
        dy: Slot,
        gradients: Mapping[str, Slot],
        dx: Slot | None,
    ) -> Iterator[Phase]:
        if dx is not None:
            yield pooling.gradients_of_maxima(self.window, dy, given.kept[1], dx).phase()

    def saved(self, x: Array, kept: Sequence[Array]) -> Any:
        return kept[1], self.x_shape
