"""Convolution without unrolling: products in registers that read the windows where they lie in a map."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.microkernels import product_1, product_2, product_3, product_4
from tinycnn.kernels.panels import PANEL
from tinycnn.kernels.simd import (
    LANES,
    at_least,
    load,
    load_first,
    prefetch,
    read_only,
    splat,
    store,
)

# Outputs of a row that are worked on together: their sums, 16 KB, stay in L1.
_CELLS = 64
_LINE = 16  # numbers of a cache line


@kernel
def direct_convolution(
    x: Any,
    x_place: tuple[int, int, int, int],
    channels: int,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    panels: Any,
    bias: Any,
    relu: bool,
    first_filter: int,
    last_filter: int,
    y: Any,
    y_place: tuple[int, int, int, int],
    output: tuple[int, int],
    filters: int,
) -> None:
    """Write y = x convolved with W, plus bias, rectified if ``relu``.

    Done are rows ``first`` to ``last`` of the N*OH rows of y, and filters ``first_filter`` to
    ``last_filter`` (neither last one included), multiples of PANEL but for the last filter of all.

    ``x`` and ``y`` are flat; a place (start, image, row, column) says that cell (n, h, w, c) is at
    start + n*image + h*row + w*column + c. The window of output (oh, ow) begins at x's cell
    (oh*sh, ow*sw), so the padding's zeros are cells like others. ``panels`` is W (KH*KW*channels,
    filters) as `dense.pack_weights` wrote it, ``bias`` has a number for each filter. Each sum runs
    over the window in row-major order, then comes the bias.

    In a row of a kernel a window's numbers lie side by side (or at least those of a cell), and the window
    of the next output begins some numbers further on: so the map itself is a matrix of windows.
    """
    x_start, x_image, x_row, x_column = x_place
    y_start, y_image, y_row, y_column = y_place
    (KH, KW), (OH, OW) = kernel, output
    ahead = stride[0] * x_row
    if (
        ahead == OW * stride[1] * x_column
        and y_row == OW * y_column
        and first % OH == 0
        and last % OH == 0
    ):  # rows follow each other without a gap in both maps: an image is one row
        first, last, OH, OW = first // OH, last // OH, 1, OH * OW
        ahead = _CELLS * stride[1] * x_column
    runs, depth = KW, channels
    if dilation[1] == 1 and x_column == channels:
        runs, depth = 1, KW * channels
    sums = np.empty(_CELLS * PANEL, np.float32)
    source, packed = read_only(x), read_only(panels.reshape(panels.size))
    target = read_only(y)
    for filter in range(first_filter, last_filter, PANEL):
        for r in range(first, last):
            n, oh = r // OH, r % OH
            for ow in range(0, OW, _CELLS):
                cells = min(OW - ow, _CELLS)
                at = x_start + n * x_image + oh * stride[0] * x_row + ow * stride[1] * x_column
                k = filter * KH * KW * channels
                to = y_start + n * y_image + oh * y_row + ow * y_column + filter
                # The next outputs' lines lie a cell's filters apart: each would be waited for.
                for cell in range(cells):
                    for f in range(0, min(PANEL, filters - filter), _LINE):
                        prefetch(target, to + cell * y_column + f)
                for i in range(KH):
                    for j in range(runs):
                        _product(
                            filters - filter, cells, source,
                            at + i * dilation[0] * x_row + j * dilation[1] * x_column,
                            stride[1] * x_column, depth, ahead, packed, k, sums, i + j > 0,
                        )  # fmt: skip
                        k += depth * PANEL
                _finish(sums, cells, bias, filter, filters, relu, y, to, y_column)


@kernel
def _product(
    filters: int, cells: int, x: Any, at: int, step: int, depth: int, down: int,
    weights: Any, k: int, sums: Any, add: bool,
) -> None:  # fmt: skip
    """Multiply with as many vectors of a panel as have filters; meanwhile ask for x ``down`` numbers on."""
    if filters > 3 * LANES and PANEL == 4 * LANES:
        product_4(cells, x, at, step, 1, depth, at + down, weights, k, PANEL, sums, 0, PANEL, add)
    elif filters > 2 * LANES and PANEL == 4 * LANES:
        product_3(cells, x, at, step, 1, depth, at + down, weights, k, PANEL, sums, 0, PANEL, add)
    elif filters > LANES:
        product_2(cells, x, at, step, 1, depth, at + down, weights, k, PANEL, sums, 0, PANEL, add)
    else:
        product_1(cells, x, at, step, 1, depth, at + down, weights, k, PANEL, sums, 0, PANEL, add)


@kernel
def _finish(
    sums: Any,
    cells: int,
    bias: Any,
    filter: int,
    filters: int,
    relu: bool,
    y: Any,
    to: int,
    step: int,
) -> None:
    """Write the sums of some outputs, plus bias, for a panel's filters."""
    least = splat(0 if relu else -np.inf)
    for f in range(0, min(PANEL, filters - filter), LANES):
        b = load_first(bias, filter + f, min(LANES, filters - filter - f))
        for cell in range(cells):
            z = at_least(load(read_only(sums), cell * PANEL + f) + b, least)
            there = to + cell * step + f
            if filter + f + LANES <= filters:
                store(y, there, z)
            else:
                store(sums, cell * PANEL + f, z)
                for lane in range(filters - filter - f):
                    y[np.uintp(there + lane)] = sums[np.uintp(cell * PANEL + f + lane)]
