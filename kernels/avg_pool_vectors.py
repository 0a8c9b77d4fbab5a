"""The mean over windows and its gradient, in float32 vectors.

A vector of fewer than LANES channels reaches into the next cells: what it reads there is not used, and what
it writes there is written again, for these come later. Where there is no room, numbers go one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, load, splat, store
from tinycnn.kernels.windows import extent, windows_at


@kernel
def avg_pool_rows(
    x: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    limit: tuple[int, int],
    include_pad: bool,
    y: Any,
) -> None:
    """Do what `avg_pool.avg_pool2d` does, for float32."""
    H, W, C = x.shape[1:]
    OH, OW = y.shape[1:3]
    source, target = x.reshape(x.size), y.reshape(y.size)
    to, end = first * OW * C, last * OW * C
    for row in range(first, last):
        n, oh = row // OH, row % OH
        h0, h1, rows = extent(oh, kernel[0], stride[0], padding[0], H, limit[0], include_pad)
        for ow in range(OW):
            w0, w1, columns = extent(ow, kernel[1], stride[1], padding[1], W, limit[1], include_pad)
            at, count = ((n * H + h0) * W + w0) * C, splat(rows * columns)
            beyond = ((n * H + h1 - 1) * W + w1 - 1) * C + LANES
            if C >= 4 * LANES:
                _means(source, at, h1 - h0, w1 - w0, W, C, rows * columns, target, to)
            elif C >= LANES or (beyond <= x.size and to + LANES <= end):
                for block in range(0, C, LANES):
                    c = max(min(block, C - LANES), 0)  # the last vector may overlap the one before
                    total = splat(0.0)
                    for h in range(h1 - h0):
                        for w in range(w1 - w0):
                            total += load(source, at + (h * W + w) * C + c)
                    store(target, to + c, total / count)
            else:
                for c in range(C):
                    one = np.float32(0)
                    for h in range(h1 - h0):
                        for w in range(w1 - w0):
                            one += source[at + (h * W + w) * C + c]
                    target[to + c] = one / np.float32(rows * columns)
            to += C


@kernel
def _means(
    x: Any, at: int, rows: int, columns: int, W: int, C: int, count: int, y: Any, to: int
) -> None:
    """Write a window's mean of at least four vectors of channels: four at a time, which lie side by side."""
    for block in range(0, C, 4 * LANES):
        c = min(block, C - 4 * LANES)  # the last four may overlap those before
        t0, t1, t2, t3 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
        for h in range(rows):
            for w in range(columns):
                cell = at + (h * W + w) * C + c
                t0 += load(x, cell)
                t1 += load(x, cell + LANES)
                t2 += load(x, cell + 2 * LANES)
                t3 += load(x, cell + 3 * LANES)
        divisor = splat(count)
        store(y, to + c, t0 / divisor)
        store(y, to + c + LANES, t1 / divisor)
        store(y, to + c + 2 * LANES, t2 / divisor)
        store(y, to + c + 3 * LANES, t3 / divisor)


@kernel
def avg_pool_rows_backward(
    dy: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    limit: tuple[int, int],
    include_pad: bool,
    dx: Any,
) -> None:
    """Write rows ``first`` to ``last`` of the N*H rows of ``dx`` (N, H, W, C), float32.

    Each cell gets the sum over the windows that hold it of dy (N, OH, OW, C) divided by what `avg_pool_rows`
    divided by: over those below each other first, for all columns at once, and then of these sums.
    """
    H, W, C = dx.shape[1:]
    OH, OW = dy.shape[1:3]
    source, target, width = dy.reshape(dy.size), dx.reshape(dx.size), OW * C
    counts = np.empty(width, np.float32)
    for ow in range(OW):
        columns = extent(ow, kernel[1], stride[1], padding[1], W, limit[1], include_pad)[2]
        for c in range(C):
            counts[ow * C + c] = columns
    firsts, numbers = np.empty(W, np.int64), np.empty(W, np.int64)
    for w in range(W):
        firsts[w], numbers[w] = windows_at(w + padding[1], kernel[1], stride[1], OW)
    # Rows of windows that a row of cells meets, each divided once: row oh in number oh % depth. Behind them
    # their sum; a last vector reaches beyond.
    depth, cells = min(kernel[0], OH), np.empty(W * C + LANES, np.float32)
    shares = np.zeros((depth + 1) * width + LANES, np.float32)
    image = divided = -1
    for row in range(first, last):
        n, h = row // H, row % H
        oh, down = windows_at(h + padding[0], kernel[0], stride[0], OH)
        divided, image = oh if n != image else max(divided, oh), n
        while divided < oh + down:
            rows = extent(divided, kernel[0], stride[0], padding[0], H, limit[0], include_pad)[2]
            at = (n * OH + divided) * width
            _divide(source, at, counts, rows, shares, divided % depth * width)
            divided += 1
        at = oh % depth * width
        if down != 1:
            at = depth * width
            _add_rows(shares, oh, down, depth, width)
        if C >= LANES:
            _add_columns(shares, at, firsts, numbers, C, target, row * W * C)
        else:
            _add_columns(shares, at, firsts, numbers, C, cells, 0)
            for e in range(W * C):
                target[np.uintp(row * W * C + e)] = cells[np.uintp(e)]


@kernel
def _divide(dy: Any, at: int, counts: Any, rows: int, shares: Any, to: int) -> None:
    """Divide a row of windows' gradients by their numbers of cells."""
    for e in range(counts.size):
        cells = np.float32(rows) * counts[np.uintp(e)]
        shares[np.uintp(to + e)] = dy[np.uintp(at + e)] / cells


@kernel
def _add_rows(shares: Any, oh: int, down: int, depth: int, width: int) -> None:
    """Add up ``down`` rows from ``oh`` on; their sum is the row behind all."""
    to = depth * width
    for e in range(to, to + width):
        shares[np.uintp(e)] = 0
    for i in range(down):
        at = (oh + i) % depth * width
        for e in range(width):
            shares[np.uintp(to + e)] += shares[np.uintp(at + e)]


@kernel
def _add_columns(sums: Any, at: int, firsts: Any, numbers: Any, C: int, dx: Any, to: int) -> None:
    """Write to each cell of a row the sum of ``numbers`` of ``sums``, from column ``firsts`` on."""
    for w in range(firsts.size):
        left = at + firsts[w] * C
        for block in range(0, C, LANES):
            c, total = max(min(block, C - LANES), 0), splat(0.0)
            for j in range(numbers[w]):
                total += load(sums, left + j * C + c)
            store(dx, to + c, total)
        to += C
