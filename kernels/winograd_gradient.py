"""The gradient of the weights by Winograd's algorithm: the adjoint of `winograd`'s three loops.

A convolution's tile is y = A^T [(G w G^T) * (B^T d B)] A, so its share of the gradient is

    dW = G^T [(A dz A^T) * (B^T d B)] G.

Summed over all tiles and images, the products at each frequency become one product of matrices: the
rows of V (`winograd.input_transform`) with those of Z = A dz A^T. ``tiles`` and the order of tiles are
those of `winograd`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels import winograd_transforms as one
from tinycnn.kernels.border import copy_with_border
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import (
    LANES,
    broadcast,
    fma,
    load,
    prefetch,
    read_only,
    splat,
    store,
    stream_end,
)
from tinycnn.kernels.winograd_tiles import first_output, stream_frequencies, tile_number


@kernel
def _to_frequencies(
    r: int, m: int, n: int, x: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int, count: int,
) -> None:  # fmt: skip
    """A for the gradients of m outputs of an r-kernel, to those of n frequencies that a tile has."""
    if r == 5:
        one.output_gradient_k5_n8(
            m, x, at, step, stride, target, to, target_step, target_stride, count
        )
    elif r == 2:
        one.output_gradient_k2_n5(
            m, x, at, step, stride, target, to, target_step, target_stride, count
        )
    elif n == 7:
        one.output_gradient_k3_n7(
            m, x, at, step, stride, target, to, target_step, target_stride, count
        )
    elif n == 8:
        one.output_gradient_k3_n8(
            m, x, at, step, stride, target, to, target_step, target_stride, count
        )
    elif n == 6:
        one.output_gradient_k3_n6(
            m, x, at, step, stride, target, to, target_step, target_stride, count
        )
    else:
        one.output_gradient_k3_n5(
            m, x, at, step, stride, target, to, target_step, target_stride, count
        )


@kernel
def _to_weights(
    G: Any, r: int, x: Any, at: int, step: int, stride: int,
    target: Any, to: int, target_step: int, target_stride: int, count: int,
) -> None:  # fmt: skip
    """G^T (r, n) times ``count`` columns of vectors; G is flat. See `winograd_transforms`."""
    for _ in range(count):
        y0 = y1 = y2 = y3 = y4 = splat(0.0)
        source = at
        for j in range(0, G.size, r):
            frequency = load(x, source)
            y0 = fma(frequency, broadcast(G, j), y0)
            y1 = fma(frequency, broadcast(G, j + 1), y1)
            if r > 2:
                y2 = fma(frequency, broadcast(G, j + 2), y2)
            if r == 5:
                y3 = fma(frequency, broadcast(G, j + 3), y3)
                y4 = fma(frequency, broadcast(G, j + 4), y4)
            source += step
        store(target, to, y0)
        store(target, to + target_step, y1)
        if r > 2:
            store(target, to + 2 * target_step, y2)
        if r == 5:
            store(target, to + 3 * target_step, y3)
            store(target, to + 4 * target_step, y4)
        at += stride
        to += target_stride


@kernel
def output_gradient_transform(
    dz: Any, size: tuple[int, int, int], begin: int, first: int, last: int,
    tiles: tuple[int, ...], images: int,
    Z: Any, step: int, panel_step: int, width: int, line: int, scratch: Any,
) -> None:  # fmt: skip
    """Z = A dz A^T for all tiles of some rows of tiles.

    ``dz`` is flat, images of ``size`` (OH, OW, F), of which ``images`` from number ``begin`` on are meant.
    Rows ``first`` to ``last`` (not included) of the images * (rows of tiles) are worked out. Frequency
    (i, j) of row t (a tile of an image) and filter p*width + f is

        Z[p*panel_step + (i*n + j)*step + t*width + f],

    0 for filters from F to ``line``, which is F filled up to whole vectors; each of these begins at a
    cache line. ``scratch`` has room for a row of tiles of dz, whole vectors, for OW cells of a panel at
    each frequency of the rows' axis, and for a tile of a panel.
    """
    r, row_outputs, big_rows, small_rows, column_outputs, big_columns, small_columns = tiles
    rows, columns = big_rows + small_rows, big_columns + small_columns
    n_rows, n = row_outputs + r - 1, column_outputs + r - 1
    OH, OW, F = size
    between = read_only(scratch)
    half = row_outputs * OW * line  # where the transformed columns begin in the scratch
    tile = half + n_rows * OW * width  # where the transformed tile begins
    for unit in range(first, last):
        a, g = unit % rows, unit // rows
        m_rows = row_outputs - (a >= big_rows)
        top = first_output(a, row_outputs, big_rows)
        source, at = dz, ((begin + g) * OH + top) * OW * F
        if line != F:  # filled up with zeros, so that vectors are whole
            copy_with_border(
                dz, size, begin + g, begin + g + 1, (-top, 0), (m_rows, OW), line, scratch
            )
            source, at = between, 0
        for p in range(0, line, width):
            end = min(p + width, line)
            for c in range(p, end, LANES):
                _to_frequencies(
                    r, m_rows, n_rows, source, at + c, OW * line, line,
                    scratch, half + (c - p) * n_rows * OW, OW * LANES, LANES, OW,
                )  # fmt: skip
            # All vectors of a tile together: they lie side by side in Z.
            for b in range(columns):
                m_columns = column_outputs - (b >= big_columns)
                left = first_output(b, column_outputs, big_columns)
                to = p // width * panel_step + (tile_number(a, b, tiles) * images + g) * width
                for c in range(0, end - p, LANES):
                    _to_frequencies(
                        r, m_columns, n, between, half + c * n_rows * OW + left * LANES, LANES,
                        OW * LANES, scratch, tile + c, width, n * width, m_rows + r - 1,
                    )  # fmt: skip
                # Z is read again when all of it has been written: no cache holds that much.
                stream_frequencies(
                    between, tile, m_rows + r - 1, m_columns + r - 1, n, width, end - p, Z, to, step
                )
    stream_end()


@kernel
def weight_gradient_transform(
    dU: Any, step: int, line: int, G_rows: Any, G_columns: Any, size: tuple[int, int, int],
    first: int, last: int, dW: Any, scratch: Any,
) -> None:  # fmt: skip
    """dW = G^T dU G for channels ``first`` to ``last`` (not included).

    Frequency (i, j) of channel c and filter f is dU[(i*n + j)*step + c*line + f]; ``line`` is at least F,
    filled up to whole vectors. G is (n, r) for each axis, ``dW`` (r, r, C, F); all are flat, and ``size`` is
    (r, C, F).
    """
    r, C, F = size
    n_rows, n = G_rows.size // r, G_columns.size // r
    products, between = read_only(dU), read_only(scratch)
    result = n * r * LANES
    for c in range(first, last):
        for f in range(0, F, LANES):
            at = c * line + f
            for frequency in range(n_rows * n):  # too many places for the processor to foresee
                prefetch(products, at + 4 * LANES + frequency * step)
            _to_weights(G_rows, r, products, at, n * step, step, scratch, 0, n * LANES, LANES, n)
            _to_weights(
                G_columns, r, between, 0, LANES, n * LANES, scratch, result, LANES, r * LANES, r
            )
            for tap in range(r * r):
                at, to = result + tap * LANES, (tap * C + c) * F + f
                if f + LANES <= F:
                    store(dW, to, load(between, at))
                    continue
                for lane in range(F - f):
                    dW[np.uintp(to + lane)] = between[np.uintp(at + lane)]
