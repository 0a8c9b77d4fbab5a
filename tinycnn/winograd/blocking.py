"""A whole convolution cut into blocks of images, or of rows of tiles, and run on the threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinycnn import blocks
from tinycnn.feature_maps import FeatureMaps
from tinycnn.winograd.choice import images_of_a_block, tile_rows_of_a_block
from tinycnn.winograd.convolution import WinogradConvolution
from tinycnn.winograd.weights import Packed

# Gives maps of some images for some rows of tiles; they are this thread's until it asks again.
Source = Callable[[blocks.Range, blocks.Range], FeatureMaps]

_FLOAT32 = np.dtype(np.float32)


def convolve(
    conv: WinogradConvolution, source: Source, packed: Packed, relu: bool, target: FeatureMaps
) -> None:
    """Write all images of ``target``: threads take blocks, or share each block where there are few."""
    work = _blocks(conv, target.shape[0])

    def alone(block: tuple[blocks.Range, blocks.Range]) -> None:
        images, tile_rows = block
        conv.block(source(images, tile_rows), packed, relu, target.select(*images), tile_rows)

    if len(work) >= blocks.free_threads():
        blocks.run(alone, work)
        return
    for images, tile_rows in work:
        _share(conv, source(images, tile_rows), packed, relu, target.select(*images), tile_rows)


def _blocks(conv: WinogradConvolution, N: int) -> list[tuple[blocks.Range, blocks.Range]]:
    """Cut the work into (images, rows of tiles)."""
    rows = conv.rows.count
    few = tile_rows_of_a_block(conv.columns)
    if rows > few:
        parts = blocks.cut(rows, few)
        return [((n, n + 1), part) for n in range(N) for part in parts]
    return [
        (images, (0, rows)) for images in blocks.cut(N, images_of_a_block(conv.rows, conv.columns))
    ]


def _share(
    conv: WinogradConvolution,
    source: FeatureMaps,
    packed: Packed,
    relu: bool,
    target: FeatureMaps,
    tile_rows: blocks.Range,
) -> None:
    """Work out one block on all threads: each transforms a part, then takes some panels."""
    V = blocks.scratch("winograd V", (conv.v_size(source.shape[0], tile_rows),), _FLOAT32)
    parts = blocks.free_threads()
    blocks.run(lambda part: conv.transform(source, tile_rows, V, part, parts), range(parts))
    panels = blocks.cut(conv.panels, -(-conv.panels // parts))
    blocks.run(lambda some: conv.multiply(V, packed, relu, target, tile_rows, some), panels)
