"""A convolution from weights as they are, of few channels or in groups, as a step of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tinycnn.arrays import Array
from tinycnn.inference.steps import LayerWeights, Place, PlanStep, WeightedStage
from tinycnn.layers import Conv2D
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.grouped import GroupedConvolution
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.feature_maps import Border, FeatureMaps
from tinycnn.runtime.held import NamedArrays
from tinycnn.runtime.recording import Recorder

# Output cells of a block of images: what is read and written stays in L2. Few channels make thin maps.
_CELLS, _THIN_CELLS = 1024, 4096


def steps(
    place: Place[Conv2D], geometry: Geometry, conv: GroupedConvolution, name: str = "grouped"
) -> list[PlanStep]:
    """One step, on blocks of images."""
    cells = _THIN_CELLS if geometry.groups == 1 else _CELLS
    step = place.step(
        name,
        images=min(max(cells // geometry.cells_per_image, 1), geometry.N),
        stage=WindowStage(conv, weights=LayerWeights(place.name), relu=place.relu),
        weight_bytes=4 * geometry.window.cells * (geometry.C // geometry.groups) * geometry.F,
    )
    return [step]


@dataclass(frozen=True)
class WindowStage(WeightedStage):
    """A convolution from weights as they are, with bias and ReLU; the kernel sees to the zeros outside."""

    conv: GroupedConvolution
    border: ClassVar[Border | None] = None
    whole_vectors: ClassVar[bool] = False

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        W, b = (recorder.weights(self, self.weights_of, part) for part in ("W", "b"))
        yield self.conv.phase(
            source.flat, source.shape[1:], W, b, target, relu=self.relu, count=threads
        )

    def weights_of(self, parameters: NamedArrays) -> WindowWeights:
        """The weights and the bias."""
        W, b = self.weights.of(parameters)
        return WindowWeights(self.conv.turn(W), b)


@dataclass(frozen=True)
class WindowWeights:
    """W as the convolution reads it, and b (F,)."""

    W: Array
    b: Array
