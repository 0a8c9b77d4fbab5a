"""One Winograd convolution, by blocks: whoever calls says which images and rows of tiles are a block.

A block goes through three steps: inputs to frequencies (`WinogradConvolution.transform`), then for
each panel of filters the products and the outputs (`WinogradConvolution.multiply`). Blocks are
independent of each other, and so are the panels of one block; each output is summed in one order
whatever the blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.kernels import microkernels
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.winograd import GROUP, input_transform, output_transform
from tinycnn.ops.convolution.winograd.tiling import Tiling
from tinycnn.ops.convolution.winograd.weights import Packed, pack, panel_width
from tinycnn.runtime.calls import Calls
from tinycnn.runtime.feature_maps import FeatureMaps, round_up
from tinycnn.runtime.ranges import Range

# Channels for each [row's frequency at infinity?][column's?].
Depths = tuple[tuple[int, int], tuple[int, int]]

# A cache line between frequencies: a stride of a power of two would map them all to one set.
_SPARE = 16


@dataclass(frozen=True)
class _Cut:
    """What is worked out once for the blocks of one size, for it takes as long as a small product.

    ``jobs`` are a panel's products, for each group: (rows, depth, where in V, in the panel of U, in M)
    for each frequency.
    """

    tiles: tuple[int, ...]
    v_step: int
    m_step: int
    jobs: list[Array]


@dataclass(frozen=True)
class WinogradConvolution:
    """C channels to F filters in groups; ``rows`` and ``columns`` cut one image's outputs into tiles.

    ``pad_top_left`` is the padding (top, left): the first window begins at cell (-top, -left) of the source,
    whose border must hold what lies outside. ``depths`` are the channels that have weights at all, up to the
    last of them, where there is one group; None: all everywhere. Sizes only: one serves many threads.
    """

    C: int
    F: int
    rows: Tiling
    columns: Tiling
    pad_top_left: tuple[int, int] = (0, 0)
    groups: int = 1
    depths: Depths | None = None

    @cached_property
    def channels(self) -> int:
        """Channels, rounded up to whole vectors: so many the source must have, with zeros."""
        return round_up(self.C, LANES)

    @cached_property
    def group(self) -> tuple[int, int]:
        """Channels and filters of a group."""
        return self.C // self.groups, self.F // self.groups

    @cached_property
    def panel(self) -> int:
        """Filters of a panel."""
        return panel_width(self.group[1]) * LANES

    @cached_property
    def group_panels(self) -> int:
        """How many panels the filters of a group make; the last one may hang over."""
        return -(-self.group[1] // self.panel)

    @cached_property
    def panels(self) -> int:
        """Panels of all groups."""
        return self.groups * self.group_panels

    @cached_property
    def frequencies(self) -> int:
        """Products of a big tile, n*n."""
        return self.rows.frequencies * self.columns.frequencies

    @cached_property
    def products(self) -> int:
        """Multiply-adds of the products for one image."""
        every = 0, self.rows.count
        products = 0
        for i, j in np.ndindex(self.rows.frequencies, self.columns.frequencies):
            first, last = self.tiles_at_frequency(i, j, every)
            products += (last - first) * self.depth(i, j)
        return products * self.F

    def depth(self, i: int, j: int) -> int:
        """Channels of a group that are multiplied at frequency (i, j)."""
        return self.group[0] if self.depths is None else self.depths[i == 0][j == 0]

    def pack(self, W: Array, bias: Array | None, *, rotated180: bool = False) -> Packed:
        """Transform weights (r, r, C // groups, F), float32.

        ``rotated180``: W is that of the convolution whose input gradient this one works out,
        (r, r, F // groups, C).
        """
        outputs = self.rows.outputs, self.columns.outputs
        return pack(W, bias, outputs, self.groups, rotated180=rotated180)

    def v_size(self, images: int, tile_rows: Range) -> int:
        """Floats of V for a block."""
        return self.frequencies * self.v_step(images, tile_rows)

    def v_step(self, images: int, tile_rows: Range) -> int:
        """Floats from one frequency to the next in V, where row t begins at t*channels."""
        return self._cut(images, tile_rows).v_step

    @cached_property
    def scratch_size(self) -> int:
        """Floats of a thread's scratch: columns of a group of tiles and a tile, or one half and whole."""
        n, c = self.rows.frequencies, self.columns
        group = n * (GROUP * c.outputs + c.kernel)
        return (max(group, self.rows.outputs * c.outputs) + n * c.frequencies) * LANES

    def tiles(self, tile_rows: Range) -> tuple[int, ...]:
        """How a block is cut, as the kernels read it."""
        r, c = self.rows.select(*tile_rows), self.columns
        return (r.kernel, r.outputs, r.big, r.small, c.outputs, c.big, c.small)

    def transform(
        self,
        calls: Calls,
        source: FeatureMaps,
        tile_rows: Range,
        V: Any,
        part: int = 0,
        parts: int = 1,
    ) -> None:
        """Transform the inputs of a block into V; of ``parts`` equal parts of the work, one."""
        images = source.shape[0]
        first = self.rows.start(tile_rows[0])
        origin = (
            source.start
            + (first - self.pad_top_left[0]) * source.row
            - self.pad_top_left[1] * source.column
        )
        cut = self._cut(images, tile_rows)
        rows, vectors = images * (tile_rows[1] - tile_rows[0]), self.channels // LANES
        some_rows, some_vectors = (0, rows), (0, vectors)
        if rows >= vectors:  # the finer cut is the more even one
            some_rows = rows * part // parts, rows * (part + 1) // parts
        else:
            some_vectors = vectors * part // parts, vectors * (part + 1) // parts
        calls(
            input_transform,
            calls.read(source.flat), origin, source.image, source.row, source.column,
            cut.tiles, images, self.channels,
            *some_rows, some_vectors[0] * LANES, some_vectors[1] * LANES,
            V, cut.v_step, calls.scratch("winograd", self.scratch_size), False,
        )  # fmt: skip

    def multiply(
        self,
        calls: Calls,
        V: Any,
        packed: Packed,
        target: FeatureMaps,
        tile_rows: Range,
        panels: Range | None = None,
        *,
        relu: bool,
    ) -> None:
        """Work out a block's outputs of some panels' filters: products, transform, bias, ReLU."""
        images = target.shape[0]
        cut = self._cut(images, tile_rows)
        M = calls.scratch("winograd M", self.frequencies * cut.m_step)
        scratch = calls.scratch("winograd", self.scratch_size)
        origin = target.start + self.rows.start(tile_rows[0]) * target.row
        (depth, filters), width = self.group, self.panel
        products = getattr(microkernels, f"products_{width // LANES}")
        for panel in range(*(panels or (0, self.panels))):
            group = panel // self.group_panels
            u0 = panel * self.frequencies * depth * width
            calls(
                products, cut.jobs[group], V, self.channels, 1, packed.U, u0, width, M, width, False
            )
            # In the panels' order the filters before a group are some more, where its panels hang over.
            before = group * self.group_panels * width
            calls(
                output_transform,
                M, cut.m_step, cut.tiles, images, width, packed.bias, relu,
                target.flat, origin + group * filters - before, target.image, target.row, target.column,
                panel * width, before + filters, scratch,
            )  # fmt: skip

    def block(
        self,
        calls: Calls,
        source: FeatureMaps,
        packed: Packed,
        target: FeatureMaps,
        tile_rows: Range | None = None,
        *,
        relu: bool,
    ) -> None:
        """Convolve a block, all panels."""
        tile_rows = tile_rows or (0, self.rows.count)
        V = calls.scratch("winograd V", self.v_size(source.shape[0], tile_rows))
        self.transform(calls, source, tile_rows, V)
        self.multiply(calls, V, packed, target, tile_rows, relu=relu)

    def tiles_at_frequency(self, i: int, j: int, tile_rows: Range) -> Range:
        """The numbers of the tiles that have frequency (i, j), in the order of the kernels' groups."""
        rows, columns = self.rows.select(*tile_rows), self.columns
        first, last = 0, rows.count * columns.count
        only_big_rows = i == rows.frequencies - 1
        if only_big_rows:
            last = rows.big * columns.count
        if j == columns.frequencies - 1:
            first = rows.big * columns.small
            last -= 0 if only_big_rows else rows.small * columns.small
        return first, last

    @cached_property
    def _cuts(self) -> dict[tuple[int, Range], _Cut]:
        return {}

    def _cut(self, images: int, tile_rows: Range) -> _Cut:
        key = (images, tile_rows)
        found = self._cuts.get(key)
        if found is None:
            found = self._cuts[key] = self._work_out(images, tile_rows)
        return found

    def _work_out(self, images: int, tile_rows: Range) -> _Cut:
        n, panel, depth = self.columns.frequencies, self.panel, self.group[0]
        rows = images * (tile_rows[1] - tile_rows[0]) * self.columns.count
        v_step, m_step = rows * self.channels + _SPARE, rows * panel + _SPARE
        jobs = []
        for f in range(self.frequencies):
            first, last = self.tiles_at_frequency(f // n, f % n, tile_rows)
            v, m = first * images * self.channels, first * images * panel
            jobs.append(
                (
                    (last - first) * images,
                    self.depth(*divmod(f, n)),
                    f * v_step + v,
                    f * depth * panel,
                    f * m_step + m,
                )
            )
        next_group = np.array([0, 0, depth, 0, 0])  # its channels are further on in V
        tables = [read_only(np.array(jobs) + g * next_group) for g in range(self.groups)]
        return _Cut(self.tiles(tile_rows), v_step, m_step, tables)
