"""The gradient of a maximum over windows that do not overlap, in float32 vectors.

Each cell lies in one window at most, so it is written once, from one dy. A vector of fewer than LANES
channels reaches into the next cells, which are written later.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, load, splat, store, stream, stream_end, where_equal


@kernel
def max_pool_disjoint_backward(
    dy: Any,
    argmax: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    streamed: bool,
    dx: Any,
) -> None:
    """Write rows ``first`` to ``last`` of the N*H rows of ``dx`` (N, H, W, C), float32.

    ``dy`` and ``argmax`` (uint8) are (N, OH, OW, C); no ``kernel`` is larger than its ``stride``, and there
    is no dilation. ``streamed``: dx is too large for the caches, begins at a cache line, and C is a multiple
    of LANES.
    """
    H, W, C = dx.shape[1:]
    OH, OW = dy.shape[1:3]
    slopes, indices, target = dy.reshape(dy.size), argmax.reshape(argmax.size), dx.reshape(dx.size)
    end = last * W * C
    for row in range(first, last):
        n, h = row // H, row % H
        oh, i = (h + padding[0]) // stride[0], (h + padding[0]) % stride[0]
        begin, behind = row * W * C, (row + 1) * W * C  # what has to be zero, as far as is known
        windows = OW if oh < OH and i < kernel[0] else 0
        if C >= LANES and (kernel[1] < stride[1] or windows * stride[1] < W + padding[1]):
            for e in range(begin, behind):
                target[np.uintp(e)] = 0
        for block in range(0, C, LANES):
            c = max(min(block, C - LANES), 0)  # the last vector may overlap the one before
            for ow in range(windows):
                at, left = ((n * OH + oh) * OW + ow) * C + c, ow * stride[1] - padding[1]
                w, w_end = max(left, 0), min(left + kernel[1], W)
                to, number = (row * W + w) * C + c, i * kernel[1] + w - left
                if C < LANES:
                    for e in range(begin, to):
                        target[np.uintp(e)] = 0
                    begin = to + (w_end - w) * C
                    if at + LANES > dy.size or begin + LANES > end:
                        _window_by_cells(slopes, indices, at, number, C, target, to, begin)
                        continue
                slope = splat(0.0) + load(slopes, at)
                for _ in range(w_end - w):
                    if streamed:
                        stream(target, to, where_equal(indices, at, number, slope))
                    else:
                        store(target, to, where_equal(indices, at, number, slope))
                    to += C
                    number += 1
        if C < LANES:
            for e in range(begin, behind):
                target[np.uintp(e)] = 0
    stream_end()


@kernel
def _window_by_cells(
    dy: Any, argmax: Any, at: int, number: int, channels: int, dx: Any, to: int, end: int
) -> None:
    """Write a window's cells up to ``end`` one number after the other."""
    for cell in range(to, end, channels):
        for c in range(channels):
            hidden = argmax[at + c] != number
            dx[cell + c] = np.float32(0) if hidden else dy[at + c] + np.float32(0)
        number += 1
