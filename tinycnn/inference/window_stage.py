"""A convolution from weights as they are, of few channels or in groups, as a step of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from tinycnn.arrays import Array
from tinycnn.inference.steps import LayerWeights, Place, PlanStep, Stage, WeightedStage
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.window_convolution import POOL_WIDTH
from tinycnn.layers import Conv2D
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.grouped import GroupedConvolution
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.feature_maps import Border, FeatureMaps
from tinycnn.runtime.held import NamedArrays
from tinycnn.runtime.recording import Recorder
from tinycnn.shapes import Window

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
        yield self.phase(recorder, source, target, threads)

    def phase(
        self,
        recorder: Recorder,
        source: FeatureMaps,
        target: FeatureMaps,
        threads: int,
        pool: int = 1,
    ) -> Phase:
        """Give the work, with maxima of ``pool`` by ``pool`` outputs."""
        W, b = (recorder.weights(self, self.weights_of, part) for part in ("W", "b"))
        return self.conv.phase(
            source.flat, source.shape[1:], W, b, target, relu=self.relu, count=threads, pool=pool
        )

    def weights_of(self, parameters: NamedArrays) -> WindowWeights:
        """The weights and the bias."""
        W, b = self.weights.of(parameters)
        return WindowWeights(self.conv.turn(W), b)


@dataclass(frozen=True)
class PooledWindowStage(Stage):
    """Such a convolution of which only the maxima of POOL_WIDTH by POOL_WIDTH outputs are written.

    It is no product for which a layer after it may put other weights: these would change which is largest.
    """

    stage: WindowStage
    border: ClassVar[Border | None] = None
    whole_vectors: ClassVar[bool] = False

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        yield self.stage.phase(recorder, source, target, threads, POOL_WIDTH)


def with_maxima(step: PlanStep, window: Window) -> PlanStep | None:
    """The step with the maxima over ``window`` of its outputs, where one kernel does both; else None.

    A vector holds all filters of an output: of more, the maxima are a smaller part of the work.
    """
    stage, F = step.stage, step.output_shape[-1]
    if not isinstance(stage, WindowStage) or step.is_followed or F > LANES:
        return None
    if stage.conv.groups > 1 or stage.conv.dots:
        return None
    width = POOL_WIDTH, POOL_WIDTH
    if (window.kernel, window.stride, window.dilation) != (width, width, (1, 1)):
        return None
    output = tuple(length // POOL_WIDTH for length in step.output_shape[:2])
    if window.pad_top_left != (0, 0) or window.output != output:
        return None
    return replace(
        step, method=f"{step.method}, maximum", stage=PooledWindowStage(stage), output_shape=(*output, F)
    )  # fmt: skip


@dataclass(frozen=True)
class WindowWeights:
    """W as the convolution reads it, and b (F,)."""

    W: Array
    b: Array
