"""Convolution without unrolling, in float32: for what Winograd's algorithm does not do, or not faster.

A map with a border of zeros is a matrix of windows as it lies: see `tinycnn.kernels.direct`. Its channels are
not rounded up, so that a window's row is one run of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product
from typing import Any

from tinycnn.arrays import Array
from tinycnn.kernels.border import copy_with_border
from tinycnn.kernels.direct import direct_convolution
from tinycnn.kernels.panels import PANEL
from tinycnn.kernels.simd import LANES
from tinycnn.ops.convolution.direct_gradient import MOST_WEIGHTS
from tinycnn.ops.convolution.direct_gradient import input_gradient as input_gradient
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.grouped import forward as convolve_unpacked
from tinycnn.ops.convolution.grouped import weight_gradient as weight_gradient
from tinycnn.ops.convolution.window_work import by_dots
from tinycnn.ops.packed_dense import PackedDense
from tinycnn.runtime.calls import Calls, Phase, Room
from tinycnn.runtime.feature_maps import NO_BORDER, Border, FeatureMaps
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.recorded_work import KEPT, RecordedWork
from tinycnn.runtime.recording import Recorder
from tinycnn.runtime.threads import free_threads
from tinycnn.shapes import Window

# Gives maps of some images for some rows of outputs, the window of the first of which begins at cell (0, 0),
# and the work that fills them, at most one task.
WindowSource = Callable[[Room, Range, Range], tuple[FeatureMaps, Phase]]

# Output cells of a block: what it reads and writes stays in L2, and its weights are worth their reading.
_CELLS = 1024
# Blocks that are enough for any number of cores; where there are fewer, filters are cut too.
_BLOCKS = 16


def forward(
    x: Array, W: Array, b: Array | None, geometry: Geometry, y: Array, *, relu: bool
) -> None:
    """Write y = x convolved with W, plus b, rectified if ``relu``."""
    if W.size <= MOST_WEIGHTS or by_dots(geometry):
        convolve_unpacked(x, W, b, geometry, y, relu=relu)
        return
    packed = DirectConvolution.of(geometry).pack(W, b)
    _recorded_forward(geometry, relu, free_threads()).run(x, y, packed.panels, packed.bias)


@lru_cache(maxsize=KEPT)
def _recorded_forward(geometry: Geometry, relu: bool, threads: int) -> RecordedWork:
    """With packed weights."""
    conv = DirectConvolution.of(geometry)

    def phases(recorder: Recorder, x: Any, y: Any, panels: Any, bias: Any) -> Iterator[Phase]:
        maps = FeatureMaps.plain(x, geometry.x_shape)
        plain = conv.border == NO_BORDER
        source = partial(_as_they_lie if plain else _bordered, conv, maps)
        target = FeatureMaps.plain(y, geometry.y_shape)
        return conv.phases(source, PackedDense(panels, bias), target, relu=relu)

    return RecordedWork(4, threads, phases)


def reads_weights_as_they_are(geometry: Geometry) -> bool:
    """Whether packed weights would gain nothing: few filters, or windows of few channels with few weights."""
    few = geometry.C < LANES and geometry.weights <= MOST_WEIGHTS
    return few or by_dots(geometry)


@dataclass(frozen=True)
class DirectConvolution:
    """Sizes of a convolution of C channels with F filters; one of these serves many threads."""

    C: int
    F: int
    window: Window

    @classmethod
    def of(cls, geometry: Geometry) -> DirectConvolution:
        """Set up for ``geometry``, without groups."""
        return cls(geometry.C, geometry.F, geometry.window)

    @property
    def images(self) -> int:
        """Images that are worked on together."""
        OH, OW = self.window.output
        return max(_CELLS // (OH * OW), 1)

    @property
    def border(self) -> Border:
        """Cells that the windows see around an image: ((top, bottom), (left, right))."""
        return self.window.height.seen_outside, self.window.width.seen_outside

    def pack(self, W: Array, b: Array | None) -> PackedDense:
        """Pack weights (KH, KW, C, F), as those of a dense layer that sees a window."""
        return PackedDense.pack(W.reshape(-1, self.F), b)

    def phases(
        self, source: WindowSource, packed: PackedDense, target: FeatureMaps, *, relu: bool
    ) -> Iterator[Phase]:
        """Give the work for all images of ``target``, in blocks of images or of rows."""
        N, (OH, OW) = target.shape[0], self.window.output
        if self.images > 1:
            work = [(images, (0, OH)) for images in split_range(N, self.images)]
        else:
            rows = split_range(OH, max(_CELLS // OW, 1))
            work = list(product([(n, n + 1) for n in range(N)], rows))
        panels = -(-self.F // PANEL)
        parts = split_range(panels, -(-panels * len(work) // _BLOCKS))
        yield [
            partial(self._convolve, source, packed, relu, target, block, part)
            for block, part in product(work, parts)
        ]

    def _convolve(
        self,
        source: WindowSource,
        packed: PackedDense,
        relu: bool,
        target: FeatureMaps,
        block: tuple[Range, Range],
        panels: Range,
        calls: Calls,
    ) -> None:
        (images, rows), win = block, self.window
        maps, filling = source(calls.scratch, images, rows)
        for fill in filling:
            fill(calls)
        results = target.select(*images)
        count = rows[1] - rows[0]
        start, *strides = results.place
        calls(
            direct_convolution,
            calls.read(maps.flat), maps.place, self.C, 0, maps.shape[0] * count,
            win.kernel, win.stride, win.dilation, packed.panels, packed.bias, relu,
            panels[0] * PANEL, min(panels[1] * PANEL, self.F),
            results.flat, (start + rows[0] * results.row, *strides), (count, win.output[1]), self.F,
        )  # fmt: skip


def windows_of(maps: FeatureMaps, window: Window, rows: Range) -> FeatureMaps:
    """The same maps from where the first window of output row ``rows[0]`` begins."""
    top, left = window.pad_top_left
    down = rows[0] * window.stride[0] - top
    start = maps.start + down * maps.row - left * maps.column
    return FeatureMaps(maps.flat, maps.shape, start, maps.image, maps.row, maps.column)


def _as_they_lie(
    conv: DirectConvolution, x: FeatureMaps, room: Room, images: Range, rows: Range
) -> tuple[FeatureMaps, Phase]:
    return windows_of(x.select(*images), conv.window, rows), []


def _bordered(
    conv: DirectConvolution, x: FeatureMaps, room: Room, images: Range, rows: Range
) -> tuple[FeatureMaps, Phase]:
    """What the windows of some rows of outputs see, copied."""
    (_, H, W, C), ((_, _), (left, right)) = x.shape, conv.border
    first, last = conv.window.height.seen(rows[0], rows[1] - 1)
    count, height, width = images[1] - images[0], last + 1 - first, left + W + right
    row = width * C
    flat = room("maps", count * height * row)

    def copy(calls: Calls) -> None:
        calls(
            copy_with_border, calls.read(x.flat), (H, W, C), *images, (-first, left), (height, width), C,
            flat,
        )  # fmt: skip

    return FeatureMaps(flat, (count, height, width, C), 0, height * row, row, C), [copy]
