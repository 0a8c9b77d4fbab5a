"""The steps that images go through, one after the other, as phases of tasks to be recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Protocol

from tinycnn.inference.plan import Step
from tinycnn.inference.recording import Recorder
from tinycnn.kernels.max_pool_maps import max_pool
from tinycnn.kernels.space_to_depth import space_to_depth
from tinycnn.layers import Conv2D, Dense
from tinycnn.ops.convolution.direct import windows_of
from tinycnn.ops.convolution.winograd import blocking
from tinycnn.ops.convolution.winograd.weights import Packed
from tinycnn.ops.packed_dense import PackedDense
from tinycnn.parameters import FlatArrays
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.feature_maps import NO_BORDER, Border, FeatureMaps
from tinycnn.runtime.ranges import Range, split_range

if TYPE_CHECKING:
    from tinycnn.model import Sequential


class Stage(Protocol):
    """One step.

    ``border`` is what it wants around its source, None for nothing special; ``whole_vectors``, whether
    a bordered source's channels are to be rounded up, with zeros.
    """

    border: Border | None
    whole_vectors: bool

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        """Give the work for all images of both maps, for so many threads."""


def stage_of(model: Sequential, step: Step) -> Stage:
    """Make a step of a plan ready to be recorded."""
    kinds: dict[str, Callable[[Sequential, Step], Stage]] = {
        "maximum": _Maximum,
        "space to depth": _SpaceToDepth,
        "packed dense": _Dense,
        "winograd": _Winograd,
        "direct": _Direct,
    }
    return kinds[step.method](model, step)


def by_rows(count: int, threads: int) -> list[Range]:
    """Cut rows for the threads."""
    return split_range(count, -(-count // threads))


class Copy:
    """Images to where a border surrounds them: squares of one cell, stacked."""

    border: Border | None = None
    whole_vectors = True

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        N, H, W, C = source.shape

        def copy(calls: Calls, rows: Range) -> None:
            calls(
                space_to_depth, calls.read(source.flat), source.place, (H, W), C, *rows,
                (1, 1), (0, 0), target.flat, target.place, (H, W),
            )  # fmt: skip

        yield [partial(copy, rows=rows) for rows in by_rows(N * H, threads)]


class _Maximum:
    """Max-pooling, the winners forgotten."""

    border: Border | None = None
    whole_vectors = True

    def __init__(self, model: Sequential, step: Step) -> None:
        assert step.window is not None
        self._window = step.window

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        win = self._window
        N, H, W, C = source.shape

        def pool(calls: Calls, rows: Range) -> None:
            calls(
                max_pool, calls.read(source.flat), source.place, (H, W), *rows,
                win.kernel, win.stride, win.pad_top_left, win.dilation,
                C, target.flat, target.place, win.output,
            )  # fmt: skip

        yield [partial(pool, rows=rows) for rows in by_rows(N * win.output[0], threads)]


class _SpaceToDepth:
    """Squares of cells stacked into channels."""

    border: Border | None = None
    whole_vectors = True

    def __init__(self, model: Sequential, step: Step) -> None:
        assert step.winograd is not None and step.winograd.squares is not None
        self._squares = step.winograd.squares

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        stack = partial(self._squares.maps, source=source, target=target)
        rows = target.shape[0] * self._squares.size[0]
        yield [partial(stack, rows=some) for some in by_rows(rows, threads)]


class _Winograd:
    """A convolution from transformed weights, with bias and ReLU."""

    whole_vectors = True

    def __init__(self, model: Sequential, step: Step) -> None:
        layer = model.layers[step.position]
        assert isinstance(layer, Conv2D) and step.winograd is not None
        self._name, self._relu = str(layer.name), layer.activation == "relu"
        self._conv, self._squares = step.winograd.conv, step.winograd.squares
        (top, left), (H, W, _) = self._conv.pad_top_left, step.input_shape
        reach = self._conv.rows.kernel - 1
        bottom = self._conv.rows.length + reach - top - H
        right = self._conv.columns.length + reach - left - W
        self.border: Border | None = ((top, bottom), (left, right))

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        key = self._name, self._conv
        packed = Packed(*(recorder.weights(key, self._pack, part) for part in ("U", "bias")))
        return blocking.phases(
            recorder, self._conv, lambda images, _: source.select(*images), packed, target, threads,
            relu=self._relu,
        )  # fmt: skip

    def _pack(self, parameters: FlatArrays) -> Packed:
        mine = parameters.of(self._name)
        W = mine["W"] if self._squares is None else self._squares.weights(mine["W"])
        return self._conv.pack(W, mine["b"])


class _Direct:
    """A convolution from packed weights, with bias and ReLU."""

    whole_vectors = False

    def __init__(self, model: Sequential, step: Step) -> None:
        layer = model.layers[step.position]
        assert isinstance(layer, Conv2D) and step.direct is not None
        self._name, self._relu = str(layer.name), layer.activation == "relu"
        self._conv = step.direct
        border = self._conv.border
        self.border: Border | None = None if border == NO_BORDER else border

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        parts = (recorder.weights(self._name, self._pack, part) for part in ("panels", "bias"))

        def windows(images: Range, rows: Range) -> FeatureMaps:
            return windows_of(source.select(*images), self._conv.window, rows)

        return self._conv.phases(windows, PackedDense(*parts), target, relu=self._relu)

    def _pack(self, parameters: FlatArrays) -> PackedDense:
        mine = parameters.of(self._name)
        return self._conv.pack(mine["W"], mine["b"])


class _Dense:
    """A dense layer from packed weights, with bias and ReLU."""

    border: Border | None = None
    whole_vectors = True

    def __init__(self, model: Sequential, step: Step) -> None:
        layer = model.layers[step.position]
        assert isinstance(layer, Dense)
        self._name, self._relu = str(layer.name), layer.activation == "relu"

    def phases(
        self, recorder: Recorder, source: FeatureMaps, target: FeatureMaps, threads: int
    ) -> Iterator[Phase]:
        parts = (recorder.weights(self._name, self._pack, part) for part in ("panels", "bias"))
        sizes = source.shape[0], source.image, target.image
        return PackedDense(*parts).phases(sizes, source.flat, target.flat, relu=self._relu)

    def _pack(self, parameters: FlatArrays) -> PackedDense:
        mine = parameters.of(self._name)
        return PackedDense.pack(mine["W"], mine["b"])
