"""Average pooling, over windows or over the whole image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinycnn.arrays import Array
from tinycnn.layers import AveragePool2D, GlobalAveragePool2D, Shape
from tinycnn.ops import pooling
from tinycnn.recorded_passes.stages import STAGES, Kept, PassPlace, StageArrays, TrainingStage
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.recording import Recorder, Slot
from tinycnn.shapes import Window, pool_window


@STAGES.register(AveragePool2D)
def average_pool2d_stage(place: PassPlace[AveragePool2D]) -> TrainingStage:
    """Any."""
    layer = place.layer
    window = layer.window(place.input_shape)
    return AveragePool2DStage(window, place.x_shape, place.y_shape, bool(layer.count_include_pad))


@STAGES.register(GlobalAveragePool2D)
def global_average_pool2d_stage(place: PassPlace[GlobalAveragePool2D]) -> TrainingStage:
    """One window, as large as the image."""
    image = place.input_shape[:2]
    return AveragePool2DStage(pool_window(image, image), place.x_shape, place.y_shape)


@dataclass(frozen=True)
class AveragePool2DStage(TrainingStage):
    """The mean of each window."""

    window: Window
    x_shape: Shape
    y_shape: Shape
    include_pad: bool = True

    @property
    def kept(self) -> Sequence[Kept]:
        """Y."""
        return [Kept(self.y_shape)]

    def forward(self, recorder: Recorder, given: StageArrays) -> Iterator[Phase]:
        y = self._maps(given.kept[0])
        yield pooling.means(self.window, self.include_pad, given.x, y).phase()

    def backward(
        self,
        recorder: Recorder,
        given: StageArrays,
        dy: Slot,
        gradients: Mapping[str, Slot],
        dx: Slot | None,
    ) -> Iterator[Phase]:
        if dx is not None:
            dy = self._maps(dy)
            yield pooling.gradients_of_means(self.window, self.include_pad, dy, dx).phase()

    def saved(self, x: Array, kept: Sequence[Array]) -> Any:
        return x.shape

    def _maps(self, y: Slot) -> Slot:
        return y.reshape(len(y), *self.window.output, y.shape[-1])
