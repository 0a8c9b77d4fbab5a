"""A convolution whose vectors hold filters of several groups, as a step of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tinycnn.inference.steps import LayerWeights, Place, PlanStep, WeightedStage
from tinycnn.layers import Conv2D
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.grouped import GroupedConvolution, PackedGroups
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.feature_maps import Border, FeatureMaps
from tinycnn.runtime.held import NamedArrays
from tinycnn.runtime.recording import Recorder


def steps(place: Place[Conv2D], geometry: Geometry, conv: GroupedConvolution) -> list[PlanStep]:
    """One step, on blocks of images."""
    step = place.step(
        "grouped",
        images=min(conv.images, geometry.N),
        stage=GroupedStage(conv, weights=LayerWeights(place.name), relu=place.relu),
        weight_bytes=4 * geometry.window.cells * conv.group[0] * conv.F,
    )
    return [step]


@dataclass(frozen=True)
class GroupedStage(WeightedStage):
    """A convolution from packed weights, with bias and ReLU; the kernel sees to the zeros outside."""

    conv: GroupedConvolution
    border: ClassVar[Border | None] = None
    whole_vectors: ClassVar[bool] = False

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        parts = (recorder.weights(self, self.pack, part) for part in ("weights", "bias"))
        return self.conv.phases(source, PackedGroups(*parts), target, relu=self.relu)

    def pack(self, parameters: NamedArrays) -> PackedGroups:
        """Pack the weights and the bias."""
        return self.conv.pack(*self.weights.of(parameters))
