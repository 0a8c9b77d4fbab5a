"""A whole convolution cut into blocks of images, or of rows of tiles, for the threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.tiling import Tiling
from tinycnn.ops.convolution.winograd.weights import Packed
from tinycnn.runtime.calls import Calls, Phase, Room
from tinycnn.runtime.feature_maps import FeatureMaps
from tinycnn.runtime.ranges import Range, split_range

# Gives maps of some images for some rows of tiles, and the work that fills them, at most one task.
TileSource = Callable[[Room, Range, Range], tuple[FeatureMaps, Phase]]

# Rows of a product for which weights are well used, once read; twice as many leave L2.
_ROWS = 72


def phases(
    calls: Calls,
    conv: WinogradConvolution,
    source: TileSource,
    packed: Packed,
    target: FeatureMaps,
    threads: int,
    *,
    relu: bool,
) -> Iterator[Phase]:
    """Give the work: threads take blocks, or share each block where there are few."""
    work = _blocks(conv, target.shape[0], threads)

    def alone(calls: Calls, images: Range, tile_rows: Range) -> None:
        maps, filling = source(calls.scratch, images, tile_rows)
        for fill in filling:
            fill(calls)
        conv.block(calls, maps, packed, target.select(*images), tile_rows, relu=relu)

    if len(work) >= threads or len(work) > conv.panels:
        yield [partial(alone, images=images, tile_rows=tile_rows) for images, tile_rows in work]
        return
    for images, tile_rows in work:
        maps, filling = source(calls.shared, images, tile_rows)
        yield filling
        results = target.select(*images)
        V = calls.shared("winograd V", conv.v_size(maps.shape[0], tile_rows))
        transform = partial(conv.transform, source=maps, tile_rows=tile_rows, V=V, parts=threads)
        yield [partial(transform, part=part) for part in range(threads)]
        multiply = partial(
            conv.multiply, V=V, packed=packed, relu=relu, target=results, tile_rows=tile_rows
        )
        each = -(-conv.panels // threads)
        yield [partial(multiply, panels=panels) for panels in split_range(conv.panels, each)]


def _blocks(conv: WinogradConvolution, N: int, threads: int) -> list[tuple[Range, Range]]:
    """Cut the work into (images, rows of tiles).

    Where all images are one block, its rows go evenly to the threads, unless there are panels for each: to
    cut rows shares neither V nor the time between two phases, but each thread reads all weights.
    """
    rows, few = conv.rows.count, tile_rows_of_a_block(conv.columns)
    blocks, count = split_range(N, images_of_a_block(conv.rows, conv.columns)), -(-rows // few)
    if len(blocks) == 1 and (count > 1 or conv.panels < threads):
        count += -count % threads
    return [(images, part) for images in blocks for part in split_range(rows, -(-rows // count))]


def images_of_a_block(rows: Tiling, columns: Tiling) -> int:
    """Images that are worked on together, so that each product has some 64 rows."""
    return max(round(_ROWS / (rows.count * columns.count)), 1)


def tile_rows_of_a_block(columns: Tiling) -> int:
    """Rows of tiles of one image that are worked on together, where an image has more than enough."""
    return max(round(_ROWS / columns.count), 1)
