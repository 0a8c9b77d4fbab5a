"""The steps that a block of images goes through, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tinycnn import blocks
from tinycnn.arrays import read_only
from tinycnn.feature_maps import Border, FeatureMaps
from tinycnn.inference.held import PackedWeights
from tinycnn.kernels.max_pool import max_pool
from tinycnn.layers import Conv2D
from tinycnn.parameters import FlatArrays
from tinycnn.plan import Step
from tinycnn.winograd.blocking import convolve
from tinycnn.winograd.weights import Packed

if TYPE_CHECKING:
    from tinycnn.model import Sequential


class Stage(Protocol):
    """One step of a block; ``border`` is what it wants around its source, None for nothing special."""

    border: Border | None

    def run(self, source: FeatureMaps, target: FeatureMaps, weights: PackedWeights) -> None: ...


def stage_of(model: Sequential, step: Step) -> Stage:
    """Make a step of a plan ready to run."""
    if step.method == "maximum":
        return _Maximum(step)
    if step.method == "space to depth":
        return _SpaceToDepth(step)
    return _Winograd(model, step)


class Copy:
    """A plain array into maps with a border."""

    border: Border | None = None

    def run(self, source: FeatureMaps, target: FeatureMaps, weights: PackedWeights) -> None:
        target.view()[...] = source.view()


class _Maximum:
    """Max-pooling, the winners forgotten."""

    border: Border | None = None

    def __init__(self, step: Step) -> None:
        assert step.window is not None
        self._window = step.window

    def run(self, source: FeatureMaps, target: FeatureMaps, weights: PackedWeights) -> None:
        win = self._window
        N, H, W, C = source.shape
        flat = read_only(source.flat)

        def pool(rows: blocks.Range) -> None:
            max_pool(
                flat, source.place, (H, W), *rows, win.kernel, win.stride, win.corner, win.dilation,
                C, target.flat, target.place, win.output,
            )  # fmt: skip

        rows = N * win.output[0]
        blocks.run(pool, blocks.cut(rows, -(-rows // blocks.free_threads())))


class _SpaceToDepth:
    """Squares of cells stacked into channels."""

    border: Border | None = None

    def __init__(self, step: Step) -> None:
        assert step.winograd is not None and step.winograd.squares is not None
        self._squares = step.winograd.squares

    def run(self, source: FeatureMaps, target: FeatureMaps, weights: PackedWeights) -> None:
        rows = target.shape[0] * self._squares.size[0]
        parts = blocks.cut(rows, -(-rows // blocks.free_threads()))
        blocks.run(lambda part: self._squares.maps(source, target, part), parts)


class _Winograd:
    """A convolution from transformed weights, with bias and ReLU."""

    def __init__(self, model: Sequential, step: Step) -> None:
        layer = model.layers[step.position]
        assert isinstance(layer, Conv2D) and step.winograd is not None
        self._name, self._relu = str(layer.name), layer.activation == "relu"
        self._conv, self._squares = step.winograd.conv, step.winograd.squares
        (top, left), (H, W, _) = self._conv.corner, step.input_shape
        reach = self._conv.rows.kernel - 1
        bottom = self._conv.rows.length + reach - top - H
        right = self._conv.columns.length + reach - left - W
        self.border: Border | None = ((top, bottom), (left, right))

    def run(self, source: FeatureMaps, target: FeatureMaps, weights: PackedWeights) -> None:
        packed: Packed = weights.get((self._name, self._conv), self._pack)
        convolve(self._conv, lambda images, _: source.select(*images), packed, self._relu, target)

    def _pack(self, parameters: FlatArrays) -> Packed:
        mine = parameters.of(self._name)
        W = mine["W"] if self._squares is None else self._squares.weights(mine["W"])
        return self._conv.pack(W, mine["b"])
