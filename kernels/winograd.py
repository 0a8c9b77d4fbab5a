"""Winograd's convolution in three loops: inputs to frequencies, products, frequencies to outputs.

A map is cut into tiles. A tile's inputs become n*n numbers for each channel, one for each frequency
(i, j): V. At each frequency, V's rows (one for each tile of each image) are multiplied with the
weights at that frequency, U. The products of a tile, M, become its outputs. docs/mathematics/winograd.md
derives it; the transforms in one dimension are written out in winograd_transforms.py.

``tiles`` says how maps are cut into tiles, as `winograd_tiles` has it.

Maps are flat: cell (n, h, w, c) is x[origin + n*image + h*row + w*column + c], with the border's
cells where a window begins outside.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels import winograd_transforms as one
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, load, prefetch, read_only, splat, stream_end
from tinycnn.kernels.winograd_tiles import first_output, stream_frequencies, tile_number

# Tiles whose columns are transformed together, so that what they share is transformed once; few
# enough for the scratch of 8 * (GROUP*6 + 2) vectors to stay in L1.
GROUP = 8
# Channels whose weights are transformed together: longer loops begin less often.
_CHANNELS = 4


@kernel
def _to_frequencies(
    n: int, x: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int, count: int,
) -> None:  # fmt: skip
    """B^T for n inputs."""
    if n == 7:
        one.input_n7(x, at, step, stride, target, to, target_step, target_stride, count)
    elif n == 8:
        one.input_n8(x, at, step, stride, target, to, target_step, target_stride, count)
    elif n == 6:
        one.input_n6(x, at, step, stride, target, to, target_step, target_stride, count)
    elif n == 5:
        one.input_n5(x, at, step, stride, target, to, target_step, target_stride, count)
    else:
        one.input_n4(x, at, step, stride, target, to, target_step, target_stride, count)


@kernel
def _to_outputs(
    r: int, m: int, n: int, x: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int, count: int,
    add: Any, bound: Any,
) -> None:  # fmt: skip
    """A^T for m outputs of an r-kernel, of weights transformed to n frequencies; see there."""
    if r == 5:
        one.output_k5_n8(
            m, x, at, step, stride, target, to, target_step, target_stride, count, add, bound
        )
    elif r == 2:
        one.output_k2_n5(
            m, x, at, step, stride, target, to, target_step, target_stride, count, add, bound
        )
    elif n == 7:
        one.output_k3_n7(
            m, x, at, step, stride, target, to, target_step, target_stride, count, add, bound
        )
    elif n == 8:
        one.output_k3_n8(
            m, x, at, step, stride, target, to, target_step, target_stride, count, add, bound
        )
    elif n == 6:
        one.output_k3_n6(
            m, x, at, step, stride, target, to, target_step, target_stride, count, add, bound
        )
    else:
        one.output_k3_n5(
            m, x, at, step, stride, target, to, target_step, target_stride, count, add, bound
        )


@kernel
def _bring_cells(
    x: Any, origin: int, number: int, tiles: tuple[int, ...], image: int, row: int, column: int
) -> None:
    """Ask for the outputs' cells of tile ``number``, counted by images, rows and columns of tiles.

    A tile's cells lie in runs too short for the processor to see where they lead. Those that two tiles share
    are there by then. Beyond the last tile nothing is harmed.
    """
    rows, columns = tiles[2] + tiles[3], tiles[5] + tiles[6]
    unit, b = number // columns, number % columns
    g, a = unit // rows, unit % rows
    at = origin + g * image + first_output(a, tiles[1], tiles[2]) * row
    at += first_output(b, tiles[4], tiles[5]) * column
    for i in range(tiles[1]):
        for j in range(tiles[4]):
            prefetch(x, at + i * row + j * column)


@kernel
def input_transform(
    x: Any, origin: int, image: int, row: int, column: int,
    tiles: tuple[int, ...], images: int, channels: int,
    first: int, last: int, first_channel: int, last_channel: int,
    V: Any, step: int, scratch: Any, streamed: bool,
) -> None:  # fmt: skip
    """V = B^T d B for the windows d of some rows of tiles and some channels.

    Frequency (i, j) of row t (a tile of an image) and channel c is
    V[(i*n + j)*step + t*channels + c], n the frequencies of the columns' axis. Done are rows ``first``
    to ``last`` of the images * (tiles' rows), channels ``first_channel`` to ``last_channel`` (neither
    last one included); all numbers of channels are multiples of LANES. ``streamed``: V is too large to be
    read again before it has left the caches, and begins at a cache line.
    """
    kernel_size, row_outputs, big_rows, small_rows, column_outputs, big_columns, small_columns = (
        tiles
    )
    rows, columns = big_rows + small_rows, big_columns + small_columns
    n = column_outputs + kernel_size - 1
    between, finished = (
        read_only(scratch),
        scratch.size - n * (row_outputs + kernel_size - 1) * LANES,
    )
    unshared = origin + (kernel_size - 1) * (row + column)
    for unit in range(first, last):
        g, a = unit // rows, unit % rows
        n_rows = row_outputs + kernel_size - 1 - (a >= big_rows)
        top = origin + g * image + first_output(a, row_outputs, big_rows) * row
        for b in range(0, columns, GROUP):
            end = min(b + GROUP, columns)
            left = first_output(b, column_outputs, big_columns)
            width = first_output(end, column_outputs, big_columns) - left + kernel_size - 1
            for c in range(first_channel, last_channel, LANES):
                _to_frequencies(
                    n_rows, x, top + left * column + c, row, column,
                    scratch, 0, width * LANES, LANES, width,
                )  # fmt: skip
                for tile in range(b, end):
                    _bring_cells(
                        x, unshared + c, unit * columns + tile + GROUP, tiles, image, row, column
                    )
                    at = (first_output(tile, column_outputs, big_columns) - left) * LANES
                    to = (tile_number(a, tile, tiles) * images + g) * channels + c
                    n_columns = n - (tile >= big_columns)
                    if streamed:
                        _to_frequencies(
                            n_columns, between, at, LANES, width * LANES,
                            scratch, finished, LANES, n * LANES, n_rows,
                        )  # fmt: skip
                        stream_frequencies(
                            between, finished, n_rows, n_columns, n, LANES, LANES, V, to, step
                        )
                    else:
                        _to_frequencies(
                            n_columns, between, at, LANES, width * LANES,
                            V, to, step, n * step, n_rows,
                        )  # fmt: skip
    stream_end()


@kernel
def output_transform(
    M: Any, step: int, tiles: tuple[int, ...], images: int, width: int, bias: Any, relu: bool,
    y: Any, origin: int, image: int, row: int, column: int, filter: int, filters: int, scratch: Any,
) -> None:  # fmt: skip
    """y = A^T M A + bias, rectified if ``relu``, for the filters of one panel, from ``filter`` on.

    A panel has ``width`` filters, a multiple of LANES. Frequency f of row t and filter k of the panel
    is M[f*step + t*width + k]. Filters from ``filters`` on, where the last panel hangs over, are not
    written.
    """
    r, row_outputs, big_rows, small_rows, column_outputs, big_columns, small_columns = tiles
    n_rows, n = row_outputs + r - 1, column_outputs + r - 1
    products, between, written = read_only(M), read_only(scratch), read_only(y)
    zero, unbounded = splat(0.0), splat(-np.inf)
    bound = zero if relu else unbounded
    finished = n_rows * n * LANES
    number = 0
    for g in range(images):
        for a in range(big_rows + small_rows):
            m_rows = row_outputs - (a >= big_rows)
            for b in range(big_columns + small_columns):
                m_columns = column_outputs - (b >= big_columns)
                number += 1
                at = (tile_number(a, b, tiles) * images + g) * width
                pad_top_left = origin + g * image + first_output(a, row_outputs, big_rows) * row
                pad_top_left += first_output(b, column_outputs, big_columns) * column
                for k in range(filter, min(filter + width, filters), LANES):
                    _bring_cells(written, origin + k, number, tiles, image, row, column)
                    _to_outputs(
                        r, m_rows, n_rows, products, at + k - filter, n * step, step,
                        scratch, 0, n * LANES, LANES, m_columns + r - 1, zero, unbounded,
                    )  # fmt: skip
                    if k + LANES <= filters:
                        _to_outputs(
                            r, m_columns, n, between, 0, LANES, n * LANES,
                            y, pad_top_left + k, column, row, m_rows, load(bias, k), bound,
                        )  # fmt: skip
                        continue
                    _to_outputs(
                        r, m_columns, n, between, 0, LANES, n * LANES,
                        scratch, finished, LANES, m_columns * LANES, m_rows, load(bias, k), bound,
                    )  # fmt: skip
                    for i in range(m_rows):
                        for j in range(m_columns):
                            cell = finished + (i * m_columns + j) * LANES
                            to = pad_top_left + i * row + j * column + k
                            for lane in range(filters - k):
                                y[np.uintp(to + lane)] = between[np.uintp(cell + lane)]


@kernel
def weight_transform(
    W: Any, origin: int, row: int, column: int, channel: int, filter: int, C: int, F: int,
    G_rows: Any, G_columns: Any, first: int, last: int, U: Any, channels: int, width: int,
) -> None:  # fmt: skip
    """U = G w G^T at every frequency, worked out in float64 and rounded once.

    Weight (i, j, c, f) is W[origin + i*row + j*column + c*channel + f*filter]: strides may be
    negative, which turns the kernel. G is (n, r) for each axis. U is [panel][frequency][channel][filter
    of the panel], ``width`` filters in a panel, with zeros for channels from C on and filters from F on.
    Filters ``first`` to ``last`` (not included) are done; they are multiples of LANES. U begins at a cache
    line.
    """
    n_rows, r = G_rows.shape
    n = G_columns.shape[0]
    most = _CHANNELS * width
    weights, half = np.empty(r * r * most), np.empty(r * most)
    tile = np.empty(n_rows * n * most, np.float32)
    f = first
    while f < last:
        count = min(last, (f // width + 1) * width) - f
        for start in range(0, channels, _CHANNELS):
            end = min(start + _CHANNELS, channels)
            size = (end - start) * count
            weights[:] = 0
            for c in range(start, min(end, C)):
                for tap in range(r * r):
                    at = origin + tap // r * row + tap % r * column + c * channel + f * filter
                    to = tap * size + (c - start) * count
                    if filter == 1:
                        for e in range(min(F - f, count)):
                            weights[np.uintp(to + e)] = W[np.uintp(at + e)]
                    else:
                        for e in range(min(F - f, count)):
                            weights[np.uintp(to + e)] = W[np.uintp(at + e * filter)]
            for i in range(n_rows):
                _combine(G_rows[i], weights, r * size, half, 0)
                for j in range(n):
                    _combine(G_columns[j], half, size, tile, (i * n + j) * size)
            to = ((f // width) * n_rows * n * channels + start) * width + f % width
            for c in range(end - start):
                stream_frequencies(
                    read_only(tile), c * count, n_rows, n, n, size, count,
                    U, to + c * width, channels * width,
                )  # fmt: skip
        f += count
    stream_end()


@kernel(fastmath={"contract"})
def _combine(g: Any, x: Any, count: int, y: Any, to: int) -> None:
    """Write the sum over k of g[k] * x[k*count + e] to y[to + e], for e < ``count``."""
    a, b = g[0], g[1]
    if len(g) == 2:
        for e in range(count):
            y[np.uintp(to + e)] = a * x[np.uintp(e)] + b * x[np.uintp(count + e)]
        return
    c = g[2]
    if len(g) == 3:
        for e in range(count):
            ab = a * x[np.uintp(e)] + b * x[np.uintp(count + e)]
            y[np.uintp(to + e)] = ab + c * x[np.uintp(2 * count + e)]
        return
    d, f = g[3], g[4]
    for e in range(count):
        ab = a * x[np.uintp(e)] + b * x[np.uintp(count + e)]
        cd = c * x[np.uintp(2 * count + e)] + d * x[np.uintp(3 * count + e)]
        y[np.uintp(to + e)] = ab + cd + f * x[np.uintp(4 * count + e)]
