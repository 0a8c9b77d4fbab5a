"""The gradient of a grouped convolution's weights, with a vector across filters, as in `grouped`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.group_maps import cells_seen, copy_channels, rows_that_fit, spread_channels
from tinycnn.kernels.grouped_cells import weights_of_numbers, weights_of_vectors
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import read_only


@kernel
def grouped_weight_gradient(
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
    dz: Any,
    dz_place: tuple[int, int, int, int],
    output: tuple[int, int],
    filters: int,
    vectors: tuple[int, int],
    dW: Any,
    scratch: Any,
) -> None:
    """Add to some of ``dW`` what rows ``first`` to ``last`` (not included) of the N*OH rows of dz give.

        dW[v, i, j, c, lane] += sum over those n, oh, and ow of dz[n, oh, ow, f] *
                                x[n, oh*sh - top + i*dh, ow*sw - left + j*dw, f // Fg * Cg + c]

    for each lane's filter f of ``vectors`` (first, last) of filters (the last one not included); nothing in
    lanes beyond the last of the ``filters``. The rest is as in `grouped.grouped_convolution`; ``scratch``
    has room for the map that a row of outputs sees and for a vector for each of these.
    """
    lanes, (Cg, Fg), (top, left), (OH, OW) = dW.shape[4], group, pad_top_left, output
    target = dW.reshape(dW.size)
    zero, maps = np.zeros(lanes, dW.dtype), read_only(scratch)
    width, whole = cells_seen(OW, 1, kernel, stride, dilation), kernel[0] * kernel[1] * Cg * lanes
    numbers, narrow = Fg % lanes == 0, filters < lanes
    column = Cg if numbers else lanes
    row, spare = width * column, OW * lanes if narrow else 0
    line = row if numbers else Cg * row
    most = 1 if narrow else rows_that_fit(scratch.size, line, kernel, stride, dilation)
    offsets = np.empty((kernel[0] * kernel[1] * Cg, 2), np.int64)
    v = vectors[0]
    while v < vectors[1]:
        f = min(v * lanes, max(filters, lanes) - lanes)
        after = min((f // Fg + 1) * Fg // lanes, vectors[1]) if numbers else v + 1
        r = first
        while r < last:
            n, oh = r // OH, r % OH
            rows = min(last - r, OH - oh, most)
            height = cells_seen(rows, 0, kernel, stride, dilation)
            x_at, begin = x_place[0] + n * x_place[1], top - oh * stride[0]
            if numbers:
                copy_channels(
                    x, x_at + f // Fg * Cg, x_place[2], x_place[3], image, (begin, left), (height, width),
                    Cg, scratch, spare, Cg,
                )  # fmt: skip
            else:
                spread_channels(
                    x, x_at, x_place[2], x_place[3], image, (begin, left), (height, width), group, f,
                    filters, lanes, scratch, spare,
                )  # fmt: skip
            _write_offsets(
                offsets, numbers, Cg, kernel, dilation, row, column, 1 if numbers else height * row, lanes
            )  # fmt: skip
            at = dz_place[0] + n * dz_place[1] + oh * dz_place[2]
            down, right, to = stride[0] * row, stride[1] * column, v * whole
            if narrow:  # what is read as a vector is made one
                spread_channels(
                    dz, at, 0, dz_place[3], (1, OW), (0, 0), (1, OW), (1, 1), 0, filters, lanes,
                    scratch, 0,
                )  # fmt: skip
                weights_of_vectors(
                    maps, spare, down, right, offsets, maps, 0, 0, lanes, 1, OW, zero, target, to
                )  # fmt: skip
            elif numbers:
                for some in range(v, after):
                    weights_of_numbers(
                        maps, 0, down, right, offsets, read_only(dz), at + some * lanes, dz_place[2],
                        dz_place[3], rows, OW, zero, target, some * whole,
                    )  # fmt: skip
            else:
                weights_of_vectors(
                    maps, 0, down, right, offsets, read_only(dz), at + f, dz_place[2], dz_place[3], rows, OW,
                    zero, target, to,
                )  # fmt: skip
            r += rows
        v = after


@kernel
def _write_offsets(
    offsets: Any, numbers: bool, depth: int, kernel: tuple[int, int], dilation: tuple[int, int],
    row: int, column: int, channel: int, lanes: int,
) -> None:  # fmt: skip
    """Write how far from its first each number of a window lies, and where its weight's vector does.

    What lies together comes together: the channels of a cell if they are ``numbers`` side by side, else the
    cells of a channel.
    """
    KH, KW = kernel
    for k in range(len(offsets)):
        c, cell = (k % depth, k // depth) if numbers else (k // (KH * KW), k % (KH * KW))
        i, j = cell // KW, cell % KW
        offsets[k, 0] = i * dilation[0] * row + j * dilation[1] * column + c * channel
        offsets[k, 1] = (cell * depth + c) * lanes
