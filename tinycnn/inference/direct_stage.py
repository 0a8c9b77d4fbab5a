"""A convolution whose windows are multiplied where they lie, as a step of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tinycnn.inference import window_stage
from tinycnn.inference.steps import LayerWeights, Place, PlanStep, WeightedStage
from tinycnn.layers import Conv2D
from tinycnn.ops.convolution.direct import (
    DirectConvolution,
    reads_weights_as_they_are,
    windows_of,
)
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.grouped import GroupedConvolution
from tinycnn.ops.packed_dense import PackedDense
from tinycnn.runtime.calls import Phase, Room
from tinycnn.runtime.feature_maps import NO_BORDER, Border, FeatureMaps
from tinycnn.runtime.held import NamedArrays
from tinycnn.runtime.ranges import Range
from tinycnn.runtime.recording import Recorder


def steps(place: Place[Conv2D], geometry: Geometry, conv: DirectConvolution) -> list[PlanStep]:
    """One step, on blocks of images."""
    if reads_weights_as_they_are(geometry):
        return window_stage.steps(place, geometry, GroupedConvolution.of(geometry), "direct")
    step = place.step(
        "direct",
        images=min(conv.images, geometry.N),
        stage=DirectStage(conv, weights=LayerWeights(place.name), relu=place.relu),
        weight_bytes=4 * geometry.window.cells * conv.C * conv.F,
    )
    return [step]


@dataclass(frozen=True)
class DirectStage(WeightedStage):
    """A convolution from packed weights, with bias and ReLU."""

    conv: DirectConvolution
    whole_vectors: ClassVar[bool] = False

    @property
    def border(self) -> Border | None:
        """What the windows see around an image."""
        return None if self.conv.border == NO_BORDER else self.conv.border

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        parts = (recorder.weights(self, self.pack, part) for part in ("panels", "bias"))

        def windows(room: Room, images: Range, rows: Range) -> tuple[FeatureMaps, Phase]:
            return windows_of(source.select(*images), self.conv.window, rows), []

        return self.conv.phases(windows, PackedDense(*parts), target, relu=self.relu)

    def pack(self, parameters: NamedArrays) -> PackedDense:
        """Pack the weights and the bias."""
        return self.conv.pack(*self.weights.of(parameters))
