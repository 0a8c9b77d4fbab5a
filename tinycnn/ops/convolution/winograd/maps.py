"""Images as the maps that a Winograd convolution reads: with a border, or stacked into squares."""

from __future__ import annotations

from functools import partial

from tinycnn.kernels.border import copy_with_border
from tinycnn.kernels.simd import LANES
from tinycnn.ops.convolution.winograd.blocking import TileSource
from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.setup import WinogradSetup
from tinycnn.ops.convolution.winograd.space_to_depth import SpaceToDepth
from tinycnn.runtime.calls import Calls, Phase, Room
from tinycnn.runtime.feature_maps import FeatureMaps, round_up
from tinycnn.runtime.ranges import Range


def maps_of(setup: WinogradSetup, x: FeatureMaps) -> TileSource:
    """Give maps of ``x``, plain images, to whoever convolves it."""
    if setup.squares is None:
        return bordered_maps_of(setup.conv, x)
    return partial(_stacked, setup.conv, setup.squares, x)


def bordered_maps_of(conv: WinogradConvolution, x: FeatureMaps) -> TileSource:
    """Give maps of ``x``, plain images, with what the windows see around it."""
    return partial(_bordered, conv, x)


def _bordered(
    conv: WinogradConvolution, x: FeatureMaps, room: Room, images: Range, tile_rows: Range
) -> tuple[FeatureMaps, Phase]:
    """The images as they lie where nothing lies outside and channels fill whole vectors, else a copy."""
    (top, left), (_, H, W, C) = conv.pad_top_left, x.shape
    beyond = conv.rows.kernel - 1
    height, width = conv.rows.length + beyond, conv.columns.length + beyond
    if (top, left, height, width, C % LANES) == (0, 0, H, W, 0):
        return x.select(*images), []
    first = conv.rows.start(tile_rows[0]) - top
    last = conv.rows.start(tile_rows[1]) - top + beyond
    maps = _empty_maps(conv, room, (images[1] - images[0], last - first, width), first)

    def copy(calls: Calls) -> None:
        calls(
            copy_with_border, calls.read(x.flat), (H, W, C), *images, (-first, left),
            (last - first, width), maps.column, maps.flat,
        )  # fmt: skip

    return maps, [copy]


def _stacked(
    conv: WinogradConvolution,
    squares: SpaceToDepth,
    x: FeatureMaps,
    room: Room,
    images: Range,
    tile_rows: Range,
) -> tuple[FeatureMaps, Phase]:
    """Images as squares of cells stacked into channels; of one image only the rows that are read."""
    n = images[1] - images[0]
    rows = (0, n * squares.size[0])
    if n == 1:
        start, end = (conv.rows.start(tile) for tile in tile_rows)
        rows = (start, end + conv.rows.kernel - 1)
    maps = _empty_maps(conv, room, (n, *squares.size), 0)
    return maps, [partial(squares.maps, source=x.select(*images), target=maps, rows=rows)]


def _empty_maps(
    conv: WinogradConvolution, room: Room, size: tuple[int, int, int], first: int
) -> FeatureMaps:
    """Room for maps (images, height, width) whose row 0 is row ``first`` of an image.

    Row 0 and column 0 are those of the border, so cell (0, 0) of the image may lie outside.
    """
    images, height, width = size
    column = round_up(conv.C, LANES)
    flat = room("maps", images * height * width * column)
    row = width * column
    start = conv.pad_top_left[1] * column - first * row
    return FeatureMaps(flat, (*size, conv.C), start, height * row, row, column)
