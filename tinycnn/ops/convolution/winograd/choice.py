"""Which tiles a convolution is cut into, and whether Winograd's algorithm pays, by counted work.

Work is counted in multiply-adds of the products; what else has to be done is counted as so many of
them as it was seen to take. From shapes alone, so the same shapes always go the same way.
"""

from __future__ import annotations

from functools import lru_cache

from tinycnn.kernels.simd import LANES
from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.tiling import LARGEST, Tiling, tiling
from tinycnn.runtime.feature_maps import round_up
from tinycnn.validation import Pair

# The transforms, for each number that is transformed.
_TRANSFORM = 20
# A byte of transformed weights, which come from memory or L3 once a block.
_BYTE = 6
# A multiply-add of im2col's BLAS product, and a number unrolled.
_BLAS = 1.5
_UNROLLED = 10
# Rows of a product for which weights are well used, once read; twice as many leave L2.
_ROWS = 72


@lru_cache(maxsize=1024)
def choose(output: Pair, kernel: int, C: int, F: int, images: int) -> tuple[Tiling, Tiling] | None:
    """Tiles for the rows and columns of ``output`` (OH, OW) that cost least; None if none fit.

    Few images share what is read of the weights: then smaller tiles, with fewer weights, cost less.
    """
    candidates = []
    for largest in range(LARGEST.get(kernel, 0), 2, -1):
        rows, columns = (tiling(length, kernel, largest=largest) for length in output)
        if rows and columns:
            candidates.append((rows, columns))
    return min(candidates, key=lambda pair: cost(pair, C, F, images), default=None)


def pays(output: Pair, kernel: int, direct: int, C: int, F: int, images: int) -> bool:
    """Whether Winograd's algorithm is faster than im2col.

    ``direct`` counts the numbers of a window, KH*KW*C, for C may be that of stacked squares.
    """
    chosen = choose(output, kernel, C, F, images)
    cells = output[0] * output[1]
    im2col = cells * direct * (_BLAS * F + _UNROLLED)
    return chosen is not None and cost(chosen, C, F, images) < im2col


def cost(pair: tuple[Tiling, Tiling], C: int, F: int, images: int) -> float:
    """Work for one image."""
    conv = WinogradConvolution(C, F, *pair)
    channels, filters = conv.channels, round_up(F, LANES)
    numbers = 1
    for axis in pair:
        numbers *= axis.big * axis.frequencies + axis.small * (axis.frequencies - 1)
    weights = 4 * conv.frequencies * channels * filters
    shared = max(min(images, images_of_a_block(*pair)), 1)
    return (
        numbers * (channels * filters + _TRANSFORM * (channels + filters))
        + _BYTE * weights / shared
    )


def images_of_a_block(rows: Tiling, columns: Tiling) -> int:
    """Images that are worked on together, so that each product has some 64 rows."""
    return max(round(_ROWS / (rows.count * columns.count)), 1)


def tile_rows_of_a_block(columns: Tiling) -> int:
    """Rows of tiles of one image that are worked on together, where an image has more than enough."""
    return max(round(_ROWS / columns.count), 1)
