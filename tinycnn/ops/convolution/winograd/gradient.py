"""The gradient of a Winograd convolution's weights, a group of images at a time.

For a group, all inputs and all outputs' gradients are transformed; then each frequency takes its
product, dU, and adds it to those of the groups before. At the end dU is transformed to weights. Each
frequency's sum has one owner and one order, whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.kernels import microkernels
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.winograd import input_transform
from tinycnn.kernels.winograd_gradient import output_gradient_transform, weight_gradient_transform
from tinycnn.ops.convolution.winograd.blocking import TileSource
from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.weights import float64_weight_matrix
from tinycnn.runtime import memory
from tinycnn.runtime.feature_maps import FeatureMaps, round_up
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.scratch import scratch

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
_FLOAT32 = np.dtype(np.float32)


def weight_gradient(conv: WinogradConvolution, source: TileSource, dz: Array, dW: Array) -> None:
    """Write dW (r, r, C // groups, F) for ``dz`` (N, OH, OW, F); where there are groups, panels are full.

    ``source`` gives images with the border that `conv` asks for, to the thread that calls it; they are
    read before the same thread calls again.
    """
    N = len(dz)
    if N == 0:
        dW[...] = 0
        return
    ranges = split_range(N, _images_of_a_group(conv))
    largest = _Group(conv, max(last - first for first, last in ranges))
    V, Z, dU = (
        memory.empty((size,), _FLOAT32)
        for size in (largest.v_size, largest.z_size, conv.frequencies * largest.u_step)
    )
    for number, (first, last) in enumerate(ranges):
        group = _Group(conv, last - first)
        _transform(group, partial(_images, group, source, first), dz[first:last], V, Z)
        _multiply(group, V, Z, dU, add=number > 0)
    _to_weights(largest, dU, dW)


def _images(group: _Group, source: TileSource, first: int, some: Range) -> FeatureMaps:
    """Some images of the group that begins at image ``first``, alone."""
    return source((first + some[0], first + some[1]), group.tile_rows)


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
    group: _Group, source: Callable[[Range], FeatureMaps], dz: Array, V: Array, Z: Array
) -> None:
    """Fill V with the transformed inputs, which ``source`` gives some by some, and Z with the gradients."""
    conv, images = group.conv, group.images
    r, n = conv.rows, conv.rows.frequencies
    line = round_up(conv.F, LANES)

    def transform_inputs(some: Range) -> None:
        maps, (top, left), (first, last) = source(some), conv.pad_top_left, some
        room = scratch("winograd", (conv.scratch_size,), _FLOAT32)
        input_transform(
            read_only(maps.flat),
            maps.start - top * maps.row - left * maps.column - first * maps.image,
            maps.image, maps.row, maps.column, group.tiles, images, conv.channels,
            first * r.count, last * r.count, 0, conv.channels, V, group.v_step, room, True,
        )  # fmt: skip

    def transform_gradients(rows: Range) -> None:
        size = dz.shape[2] * (r.outputs * line + n * group.panel)
        size += conv.frequencies * group.panel
        output_gradient_transform(
            dz, *rows, group.tiles, images, Z, group.z_step, group.z_panel, group.panel, line,
            scratch("winograd gradient", (size,), _FLOAT32),
        )  # fmt: skip

    # The longer ones first, and half as many images each, so that threads end together.
    each = max(min(-(-images // _BLOCKS), _BLOCK * images // group.v_size), 1)
    halves = split_range(images * r.count, -(-each * r.count // 2))
    gradients = [partial(transform_gradients, rows) for rows in halves]
    inputs = [partial(transform_inputs, some) for some in split_range(images, each)]
    parallel_for(lambda task: task(), [*gradients, *inputs])


def _multiply(group: _Group, V: Array, Z: Array, dU: Array, *, add: bool) -> None:
    """Write or add a group's products to dU, a frequency after the other."""
    V, Z = read_only(V), read_only(Z)
    panel, channels = group.panel, group.conv.channels
    products, jobs = getattr(microkernels, f"products_{panel // LANES}"), _jobs(group)

    def multiply(f: int) -> None:
        first, rest = jobs[f]
        products(first, V, 1, channels, Z, 0, panel, dU, group.line, add)
        if len(rest):
            products(rest, V, 1, channels, Z, 0, panel, dU, group.line, True)

    parallel_for(multiply, range(group.conv.frequencies))


def _to_weights(group: _Group, dU: Array, dW: Array) -> None:
    """Write dW = G^T dU G."""
    conv = group.conv
    r, n = conv.rows.kernel, conv.columns.frequencies
    G_rows, G_columns = (
        read_only(float64_weight_matrix(axis.outputs, r).astype(np.float32))
        for axis in (conv.rows, conv.columns)
    )
    products = read_only(dU)

    def transform(channels: Range) -> None:
        room = scratch("winograd dW", ((n + r) * r * LANES,), _FLOAT32)
        weight_gradient_transform(
            products, group.u_step, group.line, G_rows, G_columns, *channels, dW, room
        )

    parallel_for(transform, split_range(conv.group[0], _CHANNELS))
