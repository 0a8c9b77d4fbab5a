"""Convolution in groups with a vector across filters: depthwise, and groups of any number of channels.

A vector holds the sums of neighbouring filters, whatever their groups: so no lane is idle, however narrow
the groups are. Of a depthwise convolution, whose groups are one channel and one filter, the inputs are a
vector as they lie. Else `group_maps` brings them into a map that stays in the cache, with zeros around.

A vector begins at each LANES-th filter (half as many in float64), but the last one ends with the last
filter: it may hold some that the one before it holds too. Float32 or float64. Maps are flat; a place
(start, image, row, column) says that cell (n, h, w, c) is at start + n*image + h*row + w*column + c.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.group_maps import cells_seen, copy_channels, rows_that_fit, spread_channels
from tinycnn.kernels.grouped_cells import (
    outputs_1_of_numbers,
    outputs_1_of_vectors,
    outputs_7_of_numbers,
    outputs_7_of_vectors,
    outputs_14_of_numbers,
    outputs_14_of_vectors,
)
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import read_only

_VECTORS = 8  # of filters that are worked out together
_CELLS = 14  # the most outputs that are worked out together, side by side


@kernel
def grouped_convolution(
    x: Any,
    x_place: tuple[int, int, int, int],
    image: tuple[int, int],
    pad_top_left: tuple[int, int],
    group: tuple[int, int],
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    weights: Any,
    bias: Any,
    relu: bool,
    vectors: tuple[int, int],
    y: Any,
    y_place: tuple[int, int, int, int],
    output: tuple[int, int],
    filters: int,
    scratch: Any,
) -> None:
    """Write y = x convolved with the weights, plus bias, rectified if ``relu``.

        y[n, oh, ow, f] = bias[f] + sum over i, j, c of weights[f, i, j, c] *
                          x[n, oh*sh - top + i*dh, ow*sw - left + j*dw, f // Fg * Cg + c]

    Done are rows ``first`` to ``last`` of the N*OH rows of y, and ``vectors`` (first, last) of filters (the
    last ones not included). ``image`` is x's (H, W), ``group`` (Cg, Fg) the channels and filters of a group.
    ``weights`` holds (vectors, KH, KW, Cg, lanes), ``bias`` is (vectors, lanes). ``scratch`` has room for
    the map that a row of outputs sees: (Cg, height, width, lanes), or for a depthwise convolution all filters
    and a vector for each cell. With more, some rows share a map.
    """
    lanes, (Cg, Fg), (top, left), (OH, OW) = bias.shape[1], group, pad_top_left, output
    each_bias, weights = bias.reshape(bias.size), weights.reshape(weights.size)
    bounds = np.zeros(2 * lanes, bias.dtype)  # the least that is written, and zeros
    if not relu:
        bounds[:lanes] = -np.inf
    sums, least, maps = np.empty(_CELLS * lanes, bias.dtype), read_only(bounds), read_only(scratch)
    width = cells_seen(OW, 1, kernel, stride, dilation)
    depthwise, numbers = Cg == Fg == 1 and filters >= lanes, Fg % lanes == 0
    last_filter = max(filters, lanes) - lanes
    f, end = min(vectors[0] * lanes, last_filter), min(vectors[1] * lanes, filters)
    column = _apart(end - f, lanes) if depthwise else Cg if numbers else lanes
    row, depth = width * column, 1 if depthwise or numbers else Cg
    most = rows_that_fit(scratch.size, depth * row, kernel, stride, dilation)
    inside = depthwise and top <= 0 and left <= 0 and width - left <= image[1]
    inside &= cells_seen(OH, 0, kernel, stride, dilation) - top <= image[0]
    r = first
    while r < last:
        n, oh = r // OH, r % OH
        rows = min(last - r, OH - oh) if inside else min(last - r, OH - oh, most)
        height, begin = cells_seen(rows, 0, kernel, stride, dilation), top - oh * stride[0]
        at, to = x_place[0] + n * x_place[1], y_place[0] + n * y_place[1] + oh * y_place[2]
        if inside:
            _rows(
                read_only(x), at - begin * x_place[2] - left * x_place[3], x_place[2], x_place[3], 0, 1,
                False, 1, kernel, stride, dilation, weights, each_bias, least, vectors, filters,
                y, to, y_place[2], y_place[3], rows, OW, sums,
            )  # fmt: skip
        elif depthwise:
            copy_channels(
                x, at + f, x_place[2], x_place[3], image, (begin, left), (height, width), end - f,
                scratch, 0, column,
            )  # fmt: skip
            _rows(
                maps, -f, row, column, 0, 1, False, 1, kernel, stride, dilation, weights, each_bias, least,
                vectors, filters, y, to, y_place[2], y_place[3], rows, OW, sums,
            )  # fmt: skip
        else:
            v = vectors[0]
            while v < vectors[1]:
                f = min(v * lanes, last_filter)
                after = min((f // Fg + 1) * Fg // lanes, vectors[1]) if numbers else v + 1
                if numbers:
                    copy_channels(
                        x, at + f // Fg * Cg, x_place[2], x_place[3], image, (begin, left),
                        (height, width), Cg, scratch, 0, Cg,
                    )  # fmt: skip
                else:
                    spread_channels(
                        x, at, x_place[2], x_place[3], image, (begin, left), (height, width), group, f,
                        filters, lanes, scratch, 0,
                    )  # fmt: skip
                _rows(
                    maps, 0, row, column, 1 if numbers else height * row, 0, numbers, Cg, kernel, stride,
                    dilation, weights, each_bias, least, (v, after), filters, y, to, y_place[2], y_place[3],
                    rows, OW, sums,
                )  # fmt: skip
                v = after
        r += rows


@kernel
def _apart(count: int, lanes: int) -> int:
    """Numbers from cell to cell of a map: cells a power of two apart would share a few places in L1."""
    return count + lanes if count % (8 * lanes) == 0 else count


@kernel
def _rows(
    x: Any, at: int, row: int, column: int, channel: int, filter: int, numbers: bool, depth: int,
    kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int], weights: Any, bias: Any,
    least: Any, vectors: tuple[int, int], filters: int, y: Any, to: int, y_row: int, y_column: int,
    rows: int, OW: int, sums: Any,
) -> None:  # fmt: skip
    """Write some rows of outputs from a map, as `grouped_cells` reads it."""
    right, down, across = stride[1] * column, dilation[0] * row, dilation[1] * column
    further, e = (stride[0] * row, y_row), 0
    while e < OW:  # in strips, of which what two rows of outputs see stays in L1
        step = 14 if OW >= 14 and OW - e > 7 else 7 if OW >= 7 else 1
        e = min(e, OW - step)  # the last ones may be done twice
        for v in range(vectors[0], vectors[1], _VECTORS):
            _outputs(
                numbers, step, x, at + e * right, rows, further, right, down, across, channel, filter, depth,
                kernel, weights, bias, least, (v, min(v + _VECTORS, vectors[1])), filters,
                y, to + e * y_column, y_column, sums,
            )  # fmt: skip
        e += step


@kernel
def _outputs(
    numbers: bool, step: int, x: Any, at: int, count: int, further: tuple[int, int], right: int, down: int,
    across: int, channel: int, filter: int, depth: int, kernel: tuple[int, int], weights: Any, bias: Any,
    least: Any, vectors: tuple[int, int], filters: int, y: Any, to: int, y_step: int, sums: Any,
) -> None:  # fmt: skip
    """Write ``count`` times ``step`` outputs side by side."""
    if numbers and step == 14:
        outputs_14_of_numbers(
            x, at, count, further, right, down, across, channel, filter, depth, kernel, weights, bias, least,
            vectors, filters, y, to, y_step, sums,
        )  # fmt: skip
    elif numbers and step == 7:
        outputs_7_of_numbers(
            x, at, count, further, right, down, across, channel, filter, depth, kernel, weights, bias, least,
            vectors, filters, y, to, y_step, sums,
        )  # fmt: skip
    elif numbers and step == 1:
        outputs_1_of_numbers(
            x, at, count, further, right, down, across, channel, filter, depth, kernel, weights, bias, least,
            vectors, filters, y, to, y_step, sums,
        )  # fmt: skip
    elif step == 14:
        outputs_14_of_vectors(
            x, at, count, further, right, down, across, channel, filter, depth, kernel, weights, bias, least,
            vectors, filters, y, to, y_step, sums,
        )  # fmt: skip
    elif step == 7:
        outputs_7_of_vectors(
            x, at, count, further, right, down, across, channel, filter, depth, kernel, weights, bias, least,
            vectors, filters, y, to, y_step, sums,
        )  # fmt: skip
    else:
        outputs_1_of_vectors(
            x, at, count, further, right, down, across, channel, filter, depth, kernel, weights, bias, least,
            vectors, filters, y, to, y_step, sums,
        )  # fmt: skip
