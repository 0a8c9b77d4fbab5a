"""The gradient of a Winograd convolution's weights, a group of images at a time.

For a group, all inputs and all outputs' gradients are transformed; then each part of dW, some
channels by a panel of filters, takes its products at all frequencies, which stay in L2 until they
are transformed to weights and added up. Groups follow one another and each part has one owner, so
sums have one order whatever the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product

import numpy as np

from tinycnn import blocks, memory
from tinycnn.arrays import Array, read_only
from tinycnn.feature_maps import FeatureMaps, round_up
from tinycnn.kernels import microkernels
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.winograd import input_transform
from tinycnn.kernels.winograd_gradient import gradient_transform, weight_transform
from tinycnn.winograd.convolution import WinogradConvolution
from tinycnn.winograd.weights import panel_width

# Of a group's transformed inputs and gradients: they are read for each panel and each range of
# channels, so they should stay in L3.
_GROUP_BYTES = 16 << 20
# Channels of a part: its products at all frequencies are 1.2 MB. Half of that, which would stay in L2,
# loses: with less channels the gradients are read more often.
_CHANNELS = 96
# A cache line between frequencies: a stride of a power of two would map them all to one set.
_SPARE = 16
_FLOAT32 = np.dtype(np.float32)


def weight_gradient(
    conv: WinogradConvolution,
    source: Callable[[int], FeatureMaps],
    dy: Array,
    y: Array | None,
    dW: Array,
    db: Array,
) -> None:
    """Write dW (r, r, C, F) and db (F,) for ``dy`` (N, OH, OW, F), masked by ``y`` if given.

    ``source`` gives image n alone, with the border that `conv` asks for, to the thread that calls it;
    it is read before the same thread calls again.
    """
    N = len(dy)
    sums = np.zeros(len(db))
    if N == 0:
        dW[...] = 0
    ranges = blocks.cut(N, _group(conv))
    largest = _Group(conv, max((last - first for first, last in ranges), default=0))
    V, Z = (memory.empty((size,), _FLOAT32) for size in (largest.v_size, largest.z_size))
    for number, (first, last) in enumerate(ranges):
        group = _Group(conv, last - first)
        part = slice(first, last)
        mask = None if y is None else y[part]
        sums += _transform(group, partial(_from, source, first), dy[part], mask, V, Z)
        _multiply(group, V, Z, dW, add=number > 0)
    db[...] = sums


def _from(source: Callable[[int], FeatureMaps], first: int, g: int) -> FeatureMaps:
    return source(first + g)


@dataclass(frozen=True)
class _Group:
    """The sizes of a group of images."""

    conv: WinogradConvolution
    images: int

    @property
    def tile_rows(self) -> blocks.Range:
        """All rows of tiles."""
        return 0, self.conv.rows.count

    @property
    def tiles(self) -> tuple[int, ...]:
        """How maps are cut, as the kernels read it."""
        return self.conv.tiles(self.tile_rows)

    @property
    def panel(self) -> int:
        """Filters of a panel."""
        return panel_width(self.conv.F) * LANES

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

    def jobs(self, channels: blocks.Range) -> Array:
        """The products of one part: (rows, depth, first of V, of Z, of dU) for each frequency."""
        return _jobs(self, *channels)


@lru_cache(maxsize=256)
def _jobs(group: _Group, first_channel: int, last_channel: int) -> Array:
    conv, panel, rows = group.conv, group.panel, last_channel - first_channel
    jobs = []
    for f in range(conv.frequencies):
        i, j = divmod(f, conv.columns.frequencies)
        first, last = (tile * group.images for tile in conv.having(i, j, group.tile_rows))
        v = f * group.v_step + first * conv.channels + first_channel
        jobs.append((rows, last - first, v, f * group.z_step + first * panel, f * rows * panel))
    return read_only(np.array(jobs, np.int64))


def _group(conv: WinogradConvolution) -> int:
    """Images of a group."""
    one = _Group(conv, 1)
    return max(_GROUP_BYTES // (4 * (one.v_size + one.z_size)), 1)


def _transform(
    group: _Group,
    source: Callable[[int], FeatureMaps],
    dy: Array,
    y: Array | None,
    V: Array,
    Z: Array,
) -> Array:
    """Fill V and Z, and give the sum of dz over all cells (F,), in float64."""
    conv, images = group.conv, group.images
    r, n = conv.rows, conv.rows.frequencies
    line = round_up(conv.F, LANES)
    sums = np.empty((images * r.count, line), np.float32)
    mask = dy if y is None else y

    def transform_inputs(g: int) -> None:
        maps, (top, left) = source(g), conv.corner
        scratch = blocks.scratch("winograd", (conv.scratch_size,), _FLOAT32)
        input_transform(
            read_only(maps.flat), maps.start - top * maps.row - left * maps.column - g * maps.image,
            maps.image, maps.row, maps.column, group.tiles, images, conv.channels,
            g * r.count, (g + 1) * r.count, 0, conv.channels, V, group.v_step, scratch,
        )  # fmt: skip

    def transform_gradients(rows: blocks.Range) -> None:
        size = dy.shape[2] * (r.outputs * line + n * group.panel)
        gradient_transform(
            dy, mask, y is not None, *rows, group.tiles, images,
            Z, group.z_step, group.z_panel, group.panel, sums,
            blocks.scratch("winograd gradient", (size,), _FLOAT32),
        )  # fmt: skip

    # The longer ones first, and half an image each, so that threads end together.
    halves = blocks.cut(images * r.count, -(-r.count // 2))
    gradients = [partial(transform_gradients, rows) for rows in halves]
    inputs = [partial(transform_inputs, g) for g in range(images)]
    blocks.run(lambda task: task(), [*gradients, *inputs])
    total: Array = sums.sum(axis=0, dtype=np.float64)[: conv.F]
    return total


def _multiply(group: _Group, V: Array, Z: Array, dW: Array, *, add: bool) -> None:
    """Write or add a group's share to dW: for each part the products, then G^T dU G."""
    conv, panel = group.conv, group.panel
    n_rows, n = conv.rows.frequencies, conv.columns.frequencies
    products = getattr(microkernels, f"products_{panel // LANES}")

    def multiply(part: tuple[int, blocks.Range]) -> None:
        p, (first, last) = part
        rows = last - first
        dU = blocks.scratch("winograd dU", (conv.frequencies * rows * panel,), _FLOAT32)
        scratch = blocks.scratch("winograd dW", ((n + conv.rows.kernel) * n * LANES,), _FLOAT32)
        products(
            group.jobs((first, last)), V, 1, conv.channels, Z, p * group.z_panel, panel, dU, panel,
            False,
        )  # fmt: skip
        weight_transform(dU, rows, n_rows, n, panel, add, dW, first, p * panel, scratch)

    parts = product(range(conv.panels), blocks.cut(conv.C, _CHANNELS))
    blocks.run(multiply, parts)
