"""A convolution by Winograd's algorithm, as steps of a plan: strided ones stack squares of cells first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from tinycnn.inference.steps import LayerWeights, Place, PlanStep, Stage, WeightedStage, by_rows
from tinycnn.layers import Conv2D, Shape
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.winograd import blocking
from tinycnn.ops.convolution.winograd.blocking import images_of_a_block
from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.setup import WinogradSetup
from tinycnn.ops.convolution.winograd.space_to_depth import SpaceToDepth
from tinycnn.ops.convolution.winograd.tiling import Tiling
from tinycnn.ops.convolution.winograd.weights import Packed
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.feature_maps import Border, FeatureMaps
from tinycnn.runtime.held import NamedArrays
from tinycnn.runtime.recording import Recorder


def steps(place: Place[Conv2D], geometry: Geometry, setup: WinogradSetup) -> list[PlanStep]:
    """One step, or two where squares of cells are stacked into channels first."""
    conv, squares = setup.conv, setup.squares
    images = min(images_of_a_block(conv.rows, conv.columns), geometry.N)
    found, shape = [], place.input_shape
    if squares is not None:
        stacked = (*squares.size, squares.channels)
        found.append(
            place.step(
                "space to depth", output_shape=stacked, images=images, stage=SpaceToDepthStage(squares),
                multiply_adds=0, products=0, after=None, then=None,
            )
        )  # fmt: skip
        shape = stacked
    weights = LayerWeights(place.name)
    stage = WinogradStage(setup, shape, weights=weights, relu=place.relu)
    found.append(
        place.step(
            "winograd", input_shape=shape, images=images, stage=stage, tiles=_tiles(conv),
            products=conv.products, weight_bytes=4 * conv.frequencies * conv.C * conv.F,
        )
    )  # fmt: skip
    return found


@dataclass(frozen=True)
class SpaceToDepthStage(Stage):
    """Squares of cells stacked into channels."""

    squares: SpaceToDepth
    border: ClassVar[Border | None] = None
    whole_vectors: ClassVar[bool] = True

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        stack = partial(self.squares.maps, source=source, target=target)
        rows = target.shape[0] * self.squares.size[0]
        yield [partial(stack, rows=some) for some in by_rows(rows, threads)]


@dataclass(frozen=True)
class WinogradStage(WeightedStage):
    """A convolution of images of ``input_shape`` from transformed weights, with bias and ReLU."""

    setup: WinogradSetup
    input_shape: Shape
    whole_vectors: ClassVar[bool] = True

    @property
    def border(self) -> Border:
        """What the tiles see around an image."""
        conv, (H, W, _) = self.setup.conv, self.input_shape
        top, left = conv.pad_top_left
        beyond = conv.rows.kernel - 1
        bottom = conv.rows.length + beyond - top - H
        right = conv.columns.length + beyond - left - W
        return (top, bottom), (left, right)

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        packed = Packed(*(recorder.weights(self, self.pack, part) for part in ("U", "bias")))
        return blocking.phases(
            recorder, self.setup.conv, lambda _, images, rows: (source.select(*images), []), packed,
            target, threads, relu=self.relu,
        )  # fmt: skip

    def pack(self, parameters: NamedArrays) -> Packed:
        """Transform the weights."""
        (W, b), squares = self.weights.of(parameters), self.setup.squares
        return self.setup.conv.pack(W if squares is None else squares.weights(W), b)


def _tiles(conv: WinogradConvolution) -> str:
    """The sizes along the height, and along the width where these differ."""
    rows, columns = _sizes(conv.rows), _sizes(conv.columns)
    return rows if rows == columns else f"{rows} x {columns}"


def _sizes(tiling: Tiling) -> str:
    """How many tiles of which sizes, such as ``2 of 5, 3 of 4``."""
    parts = [(tiling.big, tiling.outputs), (tiling.small, tiling.outputs - 1)]
    return ", ".join(f"{count} of {size}" for count, size in parts if count)
