"""The gradient of a Winograd convolution's weights, a group of images at a time.

For a group, all inputs and all outputs' gradients are transformed; then each frequency takes its
product, dU, and adds it to those of the groups before. At the end dU is transformed to weights. Each
frequency's sum has one owner and one order, whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.kernels import microkernels
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.winograd import input_transform
from tinycnn.kernels.winograd_gradient import output_gradient_transform, weight_gradient_transform
from tinycnn.ops.convolution.winograd.blocking import TileSource
from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.weights import float64_weight_matrix
from tinycnn.runtime.calls import Calls, Phase, Room
from tinycnn.runtime.feature_maps import FeatureMaps, round_up
from tinycnn.runtime.ranges import Range, split_range

# Of a group's transformed inputs and gradients, which are written and read once.
_GROUP_BYTES = 64 << 20
# Rows of a product that are added up together: their part of a panel, 32 KB, stays in L1.
_DEPTH = 128
# Floats of V that are transformed together, if images are small: some forty microseconds.
_BLOCK = 1 << 17
# Blocks of images, at least, where there are as many: both cores have some.
_BLOCKS = 4
# Channels whose weights' gradients one thread transforms before it takes the next.
_CHANNELS = 16
# A cache line between frequencies: a stride of a power of two would map them all to one set.
_SPARE = 16


def phases(
    calls: Calls,
    conv: WinogradConvolution,
    source: TileSource,
    dz: FeatureMaps,
    G: tuple[Any, Any],
    dW: Any,
) -> Iterator[Phase]:
    """Give the work that writes dW (r, r, C // groups, F) for ``dz``, plain images (N, OH, OW, F), N > 0.

    ``source`` gives images with the border that `conv` asks for, ``G`` is what `matrices` gives. Where there
    are groups, panels are full.
    """
    ranges = split_range(dz.shape[0], _images_of_a_group(conv))
    largest = _Group(conv, max(last - first for first, last in ranges))
    sizes = {"V": largest.v_size, "Z": largest.z_size, "dU": conv.frequencies * largest.u_step}
    V, Z, dU = (calls.shared(f"gradient {name}", size) for name, size in sizes.items())
    for number, (first, last) in enumerate(ranges):
        group = _Group(conv, last - first)
        yield _transform(group, partial(_images, group, source, first), dz, first, V, Z)
        yield _multiply(group, V, Z, dU, add=number > 0)
    yield _to_weights(largest, dU, G, dW)


def matrices(conv: WinogradConvolution) -> tuple[Array, Array]:
    """G of the rows and of the columns, (frequencies, r) each."""
    rows, columns = (
        read_only(float64_weight_matrix(axis.outputs, conv.rows.kernel).astype(np.float32))
        for axis in (conv.rows, conv.columns)
    )
    return rows, columns


def _images(
    group: _Group, source: TileSource, first: int, room: Room, some: Range
) -> tuple[FeatureMaps, Phase]:
    """Some images of the group that begins at image ``first``, alone."""
    return source(room, (first + some[0], first + some[1]), group.tile_rows)


@dataclass(frozen=True)
class _Group:
    """The sizes of a group of images."""

    conv: WinogradConvolution
    images: int

    @property
    def tile_rows(self) -> Range:
        """All rows of tiles."""
        return 0, self.conv.rows.count

    @property
    def tiles(self) -> tuple[int, ...]:
        """How maps are cut, as the kernels read it."""
        return self.conv.tiles(self.tile_rows)

    @property
    def panel(self) -> int:
        """Filters of a panel."""
        return self.conv.panel

    @property
    def line(self) -> int:
        """Filters of all panels."""
        return self.conv.panels * self.panel

    @property
    def v_step(self) -> int:
        """Floats from one frequency to the next in V."""
        return self.conv.v_step(self.images, self.tile_rows)

    @property
    def v_size(self) -> int:
        """Floats of V."""
        return self.conv.v_size(self.images, self.tile_rows)

    @property
    def z_step(self) -> int:
        """Floats from one frequency to the next in a panel of Z."""
        tiles = self.conv.rows.count * self.conv.columns.count
        return tiles * self.images * self.panel + _SPARE

    @property
    def z_panel(self) -> int:
        """Floats of a panel of Z."""
        return self.conv.frequencies * self.z_step

    @property
    def z_size(self) -> int:
        """Floats of Z."""
        return self.conv.panels * self.z_panel

    @property
    def u_step(self) -> int:
        """Floats from one frequency to the next in dU, where channel c begins at c*line."""
        return self.conv.group[0] * self.line + _SPARE


@lru_cache(maxsize=64)
def _jobs(group: _Group) -> list[tuple[Array, Array]]:
    """Each frequency's products, (rows, depth, first of V, of Z, of dU): the first, and the rest.

    The first write to dU, some rows of V and Z for all panels; the rest add to it.
    """
    conv = group.conv
    tables = [read_only(np.array(_jobs_at(group, f), np.int64)) for f in range(conv.frequencies)]
    return [(table[: conv.panels], table[conv.panels :]) for table in tables]


def _jobs_at(group: _Group, f: int) -> list[tuple[int, ...]]:
    conv, panel = group.conv, group.panel
    i, j = divmod(f, conv.columns.frequencies)
    first, last = (tile * group.images for tile in conv.tiles_at_frequency(i, j, group.tile_rows))
    return [
        (
            conv.group[0],
            end - start,
            f * group.v_step
            + (first + start) * conv.channels
            + p // conv.group_panels * conv.group[0],
            p * group.z_panel + f * group.z_step + (first + start) * panel,
            f * group.u_step + p * panel,
        )
        for start, end in split_range(last - first, _DEPTH) or [(0, 0)]  # no tile has it: zeros
        for p in range(conv.panels)
    ]


def _images_of_a_group(conv: WinogradConvolution) -> int:
    one = _Group(conv, 1)
    return max(_GROUP_BYTES // (4 * (one.v_size + one.z_size)), 1)


def _transform(
    group: _Group,
    source: Callable[[Room, Range], tuple[FeatureMaps, Phase]],
    dz: FeatureMaps,
    begin: int,
    V: Any,
    Z: Any,
) -> Phase:
    """Fill V with the transformed inputs, which ``source`` gives some by some, and Z with the gradients.

    The group begins at image ``begin`` of ``dz``.
    """
    conv, images, (_, OH, OW, F) = group.conv, group.images, dz.shape
    r, n = conv.rows, conv.rows.frequencies
    line = round_up(conv.F, LANES)

    def transform_inputs(calls: Calls, some: Range) -> None:
        maps, filling = source(calls.scratch, some)
        for fill in filling:
            fill(calls)
        (top, left), (first, last) = conv.pad_top_left, some
        calls(
            input_transform,
            calls.read(maps.flat),
            maps.start - top * maps.row - left * maps.column - first * maps.image,
            maps.image, maps.row, maps.column, group.tiles, images, conv.channels,
            first * r.count, last * r.count, 0, conv.channels, V, group.v_step,
            calls.scratch("winograd", conv.scratch_size), True,
        )  # fmt: skip

    def transform_gradients(calls: Calls, rows: Range) -> None:
        size = OW * (r.outputs * line + n * group.panel) + conv.frequencies * group.panel
        calls(
            output_gradient_transform, calls.read(dz.flat), (OH, OW, F), begin, *rows, group.tiles, images,
            Z, group.z_step, group.z_panel, group.panel, line, calls.scratch("winograd gradient", size),
        )  # fmt: skip

    # The longer ones first, and half as many images each, so that threads end together.
    each = max(min(-(-images // _BLOCKS), _BLOCK * images // group.v_size), 1)
    halves = split_range(images * r.count, -(-each * r.count // 2))
    gradients = [partial(transform_gradients, rows=rows) for rows in halves]
    inputs = [partial(transform_inputs, some=some) for some in split_range(images, each)]
    return [*gradients, *inputs]


def _multiply(group: _Group, V: Any, Z: Any, dU: Any, *, add: bool) -> Phase:
    """Write or add a group's products to dU, a frequency after the other."""
    panel, channels = group.panel, group.conv.channels
    products, jobs = getattr(microkernels, f"products_{panel // LANES}"), _jobs(group)

    def multiply(calls: Calls, f: int) -> None:
        first, rest = jobs[f]
        calls(products, first, V, 1, channels, Z, 0, panel, dU, group.line, add)
        if len(rest):
            calls(products, rest, V, 1, channels, Z, 0, panel, dU, group.line, True)

    return [partial(multiply, f=f) for f in range(group.conv.frequencies)]


def _to_weights(group: _Group, dU: Any, G: tuple[Any, Any], dW: Any) -> Phase:
    """Write dW = G^T dU G."""
    conv = group.conv
    r, n, depth = conv.rows.kernel, conv.columns.frequencies, conv.group[0]

    def transform(calls: Calls, channels: Range) -> None:
        calls(
            weight_gradient_transform, calls.read(dU), group.u_step, group.line, *map(calls.read, G),
            (r, depth, conv.F), *channels, dW, calls.scratch("winograd dW", (n + r) * r * LANES),
        )  # fmt: skip

    return [partial(transform, channels=some) for some in split_range(depth, _CHANNELS)]
