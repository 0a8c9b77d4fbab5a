"""Squares of cells stacked into channels: what turns a strided convolution into one of stride 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, load, store


@kernel
def space_to_depth(
    x: Any,
    x_place: tuple[int, int, int, int],
    size: tuple[int, int],
    channels: int,
    first: int,
    last: int,
    stride: tuple[int, int],
    padding: tuple[int, int],
    y: Any,
    y_place: tuple[int, int, int, int],
    output: tuple[int, int],
) -> None:
    """Write rows ``first`` to ``last`` of the N*OH rows of ``y``, float32.

        y[n, a, b, (i*sw + j)*C + c] = x[n, a*sh - top + i, b*sw - left + j, c]

    with zero outside the image and in y's channels from sh*sw*C on. ``x`` and ``y`` are flat; a place
    (start, image, row, column) says that cell (n, h, w, c) is at start + n*image + h*row + w*column +
    c. ``size`` is x's (H, W), ``channels`` its C, ``output`` y's (OH, OW); y's column is a multiple of
    LANES.
    """
    x_start, x_image, x_row, x_column = x_place
    y_start, y_image, y_row, y_column = y_place
    (H, W), (OH, OW), (down, right) = size, output, stride
    # A row of a square is one run of memory where x has no cells between the channels.
    runs, length = (1, right * channels) if x_column == channels else (right, channels)
    for r in range(first, last):
        n, a = r // OH, r % OH
        top = a * down - padding[0]
        i_first, i_last = min(max(-top, 0), down), max(min(H - top, down), 0)
        image, to = x_start + n * x_image + top * x_row, y_start + n * y_image + a * y_row
        # Squares between the left and the right edge go in whole vectors. These read a little beyond
        # the square, and write into the next ones before their own turn, so there must be so many.
        room = x.size - LANES - channels - image - (i_last - 1) * x_row
        b_first = -(-padding[1] // right)
        b_last = min(
            (W + padding[1]) // right,
            (room // x_column + padding[1] + 1) // right,
            OW - 1 - (LANES - 1) // y_column,
        )
        for b in range(OW):
            left = b * right - padding[1]
            at, target = image + i_first * x_row + left * x_column, to + i_first * right * channels
            for c in range(to, target):
                y[np.uintp(c)] = 0
            if not b_first <= b < b_last:
                _copy_cells(
                    x, at, i_last - i_first, x_row, x_column, left, right, W, channels, y, target
                )
            elif runs == 1 and length <= LANES:  # a third of the time that the loops below take
                for _ in range(i_first, i_last):
                    store(y, target, load(x, at))
                    at, target = at + x_row, target + length
            else:
                for i in range(i_last - i_first):
                    for j in range(runs):
                        for c in range(0, length, LANES):
                            store(y, target + c, load(x, at + i * x_row + j * x_column + c))
                        target += length
            for c in range(to + i_last * right * channels, to + y_column):
                y[np.uintp(c)] = 0
            to += y_column


@kernel
def _copy_cells(
    x: Any,
    at: int,
    rows: int,
    row: int,
    column: int,
    left: int,
    right: int,
    width: int,
    channels: int,
    y: Any,
    to: int,
) -> None:
    """Copy cells ``left`` to ``left + right`` of ``rows`` rows one by one, zero outside the image."""
    for i in range(rows):
        for j in range(right):
            for c in range(channels):
                seen = 0 <= left + j < width
                y[to] = x[at + i * row + j * column + c] if seen else 0
                to += 1
