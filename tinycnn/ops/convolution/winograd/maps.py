"""Users' arrays as the maps that a Winograd convolution reads: with a border, or stacked into squares."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.kernels.border import copy_with_border
from tinycnn.kernels.simd import LANES
from tinycnn.ops.convolution.winograd.blocking import TileSource
from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.setup import WinogradSetup
from tinycnn.ops.convolution.winograd.space_to_depth import SpaceToDepth
from tinycnn.runtime.calls import AT_ONCE
from tinycnn.runtime.feature_maps import FeatureMaps, round_up
from tinycnn.runtime.ranges import Range
from tinycnn.runtime.scratch import scratch

_FLOAT32 = np.dtype(np.float32)


def maps_of(setup: WinogradSetup, x: Array) -> TileSource:
    """Give maps of ``x`` (N, H, W, C) to whoever convolves it."""
    if setup.squares is None:
        return bordered_maps_of(setup.conv, x)
    squares = setup.squares
    return lambda *block: _stacked(setup.conv, squares, x, *block)


def bordered_maps_of(conv: WinogradConvolution, x: Array) -> TileSource:
    """Give maps of ``x`` with what the windows see around it."""
    return lambda *block: _bordered(conv, x, *block)


def _bordered(conv: WinogradConvolution, x: Array, images: Range, tile_rows: Range) -> FeatureMaps:
    """A plain view where nothing lies outside and channels fill whole vectors, else a copy."""
    (top, left), (_, H, W, C) = conv.pad_top_left, x.shape
    beyond = conv.rows.kernel - 1
    height, width = conv.rows.length + beyond, conv.columns.length + beyond
    if (top, left, height, width, C % LANES) == (0, 0, H, W, 0):
        return FeatureMaps.of(x).select(*images)
    first = conv.rows.start(tile_rows[0]) - top
    last = conv.rows.start(tile_rows[1]) - top + beyond
    maps = _empty_maps(conv, (images[1] - images[0], last - first, width), first)
    copy_with_border(x, *images, (-first, left), (last - first, width), maps.column, maps.flat)
    return maps


def _stacked(
    conv: WinogradConvolution,
    squares: SpaceToDepth,
    x: Array,
    images: Range,
    tile_rows: Range,
) -> FeatureMaps:
    """Images as squares of cells stacked into channels; of one image only the rows that are read."""
    n = images[1] - images[0]
    rows = (0, n * squares.size[0])
    if n == 1:
        start, end = (conv.rows.start(tile) for tile in tile_rows)
        rows = (start, end + conv.rows.kernel - 1)
    maps = _empty_maps(conv, (n, *squares.size), 0)
    squares.maps(AT_ONCE, FeatureMaps.of(x[slice(*images)]), maps, rows)
    return maps


def _empty_maps(conv: WinogradConvolution, size: tuple[int, int, int], first: int) -> FeatureMaps:
    """This thread's buffer as maps (images, height, width) whose row 0 is row ``first`` of an image.

    Row 0 and column 0 are those of the border, so cell (0, 0) of the image may lie outside.
    """
    images, height, width = size
    column = round_up(conv.C, LANES)
    flat = scratch("maps", (images * height * width * column,), _FLOAT32)
    row = width * column
    start = conv.pad_top_left[1] * column - first * row
    return FeatureMaps(flat, (*size, conv.C), start, height * row, row, column)
