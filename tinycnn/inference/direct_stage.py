"""A convolution whose windows are multiplied where they lie, as a step of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tinycnn.arrays import Array
from tinycnn.inference.steps import LayerWeights, Place, PlanStep, WeightedStage
from tinycnn.layers import Conv2D
from tinycnn.ops.convolution.direct import (
    DirectConvolution,
    convolve_windows,
    reads_weights_as_they_are,
    windows_of,
)
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.packed_dense import PackedDense
from tinycnn.runtime.calls import Phase, Room
from tinycnn.runtime.feature_maps import NO_BORDER, Border, FeatureMaps
from tinycnn.runtime.held import NamedArrays
from tinycnn.runtime.ranges import Range
from tinycnn.runtime.recording import Recorder

# Times as many images in a block where each call begins with a copy of the weights, and maps are thin.
_MORE = 4


def steps(place: Place[Conv2D], geometry: Geometry, conv: DirectConvolution) -> list[PlanStep]:
    """One step, on blocks of images."""
    few = reads_weights_as_they_are(geometry)
    kind = WindowStage if few else DirectStage
    step = place.step(
        "direct",
        images=min(conv.images * (_MORE if few else 1), geometry.N),
        stage=kind(conv, weights=LayerWeights(place.name), relu=place.relu),
        weight_bytes=4 * geometry.window.cells * conv.C * conv.F,
    )
    return [step]


@dataclass(frozen=True)
class WindowStage(WeightedStage):
    """A convolution of few channels from weights as they are, with bias and ReLU."""

    conv: DirectConvolution
    border: ClassVar[Border | None] = None
    whole_vectors: ClassVar[bool] = False

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        W, b = (recorder.weights(self, self.weights_of, part) for part in ("W", "b"))
        yield convolve_windows(
            self.conv.window, source.flat, source.shape[1:], W, b, target, relu=self.relu, count=threads
        )  # fmt: skip

    def weights_of(self, parameters: NamedArrays) -> WindowWeights:
        """The weights and the bias."""
        return WindowWeights(*self.weights.of(parameters))


@dataclass(frozen=True)
class WindowWeights:
    """W (KH, KW, C, F) and b (F,)."""

    W: Array
    b: Array


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
