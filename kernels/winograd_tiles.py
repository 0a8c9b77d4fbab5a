"""How a map is cut into tiles, and where the numbers of a tile lie: for Winograd's kernels.

``tiles`` says how maps are cut: (kernel, rows' outputs, big, small, columns' outputs, big, small): on
each axis ``big`` tiles of ``outputs`` outputs, then ``small`` tiles of one less. A small tile lacks
the last frequency of its axis. So that the rows of a frequency lie together, tiles are counted
in four groups, by rows and columns: big and small, big and big, small and big, small and small; in a
group row by row, and for each tile all its images.
"""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, load, stream


@kernel
def first_output(tile: int, outputs: int, big: int) -> int:
    """The first output of a tile on its axis."""
    return tile * outputs - max(tile - big, 0)


@kernel
def tile_number(a: int, b: int, tiles: tuple[int, ...]) -> int:
    """The number of tile (a, b), in the order of the four groups."""
    big_rows, small_rows, big_columns, small_columns = tiles[2], tiles[3], tiles[5], tiles[6]
    if a < big_rows:
        if b >= big_columns:
            return a * small_columns + b - big_columns
        return big_rows * small_columns + a * big_columns + b
    before = big_rows * (small_columns + big_columns)
    if b < big_columns:
        return before + (a - big_rows) * big_columns + b
    return before + small_rows * big_columns + (a - big_rows) * small_columns + b - big_columns


@kernel
def stream_frequencies(
    x: Any, at: int, n_rows: int, n_columns: int, n: int, width: int, count: int,
    target: Any, to: int, step: int,
) -> None:  # fmt: skip
    """Copy a tile's numbers at each of its frequencies, ``count`` side by side, past the caches.

    Those of frequency (i, j) go from at + (i*n + j)*width to to + (i*n + j)*step, the begin of a line.
    """
    for i in range(n_rows):
        for j in range(n_columns):
            frequency = i * n + j
            for c in range(0, count, LANES):
                stream(target, to + frequency * step + c, load(x, at + frequency * width + c))
