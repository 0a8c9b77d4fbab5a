"""Convolution without unrolling, in float32: for what Winograd's algorithm does not do, or not faster.

A map with a border of zeros is a matrix of windows as it lies: see `tinycnn.kernels.direct`. Its channels are
not rounded up, so that a window's row is one run of numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product

from tinycnn.arrays import Array
from tinycnn.kernels.dense import PANEL
from tinycnn.kernels.direct import direct_convolution
from tinycnn.ops.packed_dense import PackedDense
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.feature_maps import Border, FeatureMaps
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.shapes import Axis, Window

# Gives maps of some images for some rows of outputs: the window of the first of these begins at cell (0, 0).
Source = Callable[[Range, Range], FeatureMaps]

# Output cells of a block: what it reads and writes stays in L2, and its weights are worth their reading.
_CELLS = 1024
# Blocks that are enough for any number of cores; where there are fewer, filters are cut too.
_BLOCKS = 16


@dataclass(frozen=True)
class DirectConvolution:
    """Sizes of a convolution of C channels with F filters; one of these serves many threads."""

    C: int
    F: int
    window: Window

    @property
    def images(self) -> int:
        """Images that are worked on together."""
        OH, OW = self.window.output
        return max(_CELLS // (OH * OW), 1)

    @property
    def border(self) -> Border:
        """Cells that the windows see around an image: ((top, bottom), (left, right))."""
        return _outside(self.window.height), _outside(self.window.width)

    def pack(self, W: Array, b: Array | None) -> PackedDense:
        """Pack weights (KH, KW, C, F), as those of a dense layer that sees a window."""
        return PackedDense.pack(W.reshape(-1, self.F), b)

    def phases(
        self, source: Source, packed: PackedDense, relu: bool, target: FeatureMaps
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
        source: Source,
        packed: PackedDense,
        relu: bool,
        target: FeatureMaps,
        block: tuple[Range, Range],
        panels: Range,
        calls: Calls,
    ) -> None:
        (images, rows), win = block, self.window
        maps, results = source(images, rows), target.select(*images)
        count = rows[1] - rows[0]
        start, *strides = results.place
        calls(
            direct_convolution,
            calls.read(maps.flat), maps.place, self.C, 0, maps.shape[0] * count,
            win.kernel, win.stride, win.dilation, packed.panels, packed.bias, relu,
            panels[0] * PANEL, min(panels[1] * PANEL, self.F),
            results.flat, (start + rows[0] * results.row, *strides), (count, win.output[1]), self.F,
        )  # fmt: skip


def _outside(axis: Axis) -> tuple[int, int]:
    """Cells before and after an image's axis that windows see."""
    _, last = axis.seen(axis.output - 1, axis.output - 1)
    return axis.before, max(last + 1 - axis.input, 0)


def windows_of(maps: FeatureMaps, window: Window, rows: Range) -> FeatureMaps:
    """The same maps from where the first window of output row ``rows[0]`` begins."""
    top, left = window.pad_top_left
    down = rows[0] * window.stride[0] - top
    start = maps.start + down * maps.row - left * maps.column
    return FeatureMaps(maps.flat, maps.shape, start, maps.image, maps.row, maps.column)
