"""Windows unrolled into rows of a matrix, and the adjoint that adds them back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import lanes_of, load, load_first, store, store_first

# Numbers of rows of the matrix that are written together, run by run: they stay in L1.
_TOGETHER = 4096
# Vectors of a run that is short.
_SHORT = 4


@kernel
def im2col(
    x: Any,
    first: int,
    channel: int,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    cols: Any,
) -> None:
    """Unroll the windows of output cells ``first``, ``first + 1``, ... into the rows of ``cols``.

    ``x`` is (N, H, W, C), ``size`` is (OH, OW) and output cell number (n*OH + oh)*OW + ow sees

        cols[cell - first, i, j, c] = x[n, oh*sh - top + i*dh, ow*sw - left + j*dw, channel + c]

    with zero outside the image. ``cols`` is (cells, KH, KW, channels): its shape says how many
    cells, which kernel and how many channels, from ``channel`` on, are wanted.
    """
    H, W, C = x.shape[1:]
    cells, KH, KW, channels = cols.shape
    OH, OW = size
    # Neighbouring columns of an undilated window over all channels lie side by side in memory, so
    # a whole kernel row is one run; otherwise each kernel column is a run of its own.
    runs, length = KW, channels
    if dilation[1] == 1 and channels == C:
        runs, length = 1, KW * C
    source = x.reshape(x.size)
    target = cols.reshape(cols.size)
    row, step, width = KH * runs * length, stride[1] * C, W * C
    done, n, oh, ow = 0, first // (OH * OW), first // OW % OH, first % OW
    # Output row by output row: where windows lie inside is worked out once for it.
    while done < cells:
        count = min(OW - ow, cells - done)
        for i in range(KH):
            h = oh * stride[0] - padding[0] + i * dilation[0]
            for run in range(runs):
                start = (ow * stride[1] - padding[1] + run * dilation[1]) * C + channel
                to = done * row + (i * runs + run) * length
                low, high = _inside(start, step, length, width) if 0 <= h < H else (count, count)
                low, high = min(low, count), min(high, count)
                at = (n * H + h) * width
                _copy_runs(
                    source,
                    at + start + low * step,
                    step,
                    target,
                    to + low * row,
                    row,
                    length,
                    high - low,
                )
                for begin, stop in ((0, low), (high, count)):  # runs that reach beyond the image
                    for k in range(begin, stop):
                        _copy_inside(
                            source,
                            at,
                            start + k * step,
                            width,
                            0 <= h < H,
                            target,
                            to + k * row,
                            length,
                        )
        done, ow = done + count, ow + count
        if ow == OW:
            ow, oh = 0, oh + 1
        if oh == OH:
            oh, n = 0, n + 1


@kernel
def _inside(start: int, step: int, length: int, width: int) -> tuple[int, int]:
    """Of runs that begin at start, start + step, ...: the first within 0 to ``width``, the first beyond."""
    low = max(-(start // step), 0)
    return low, max((width - length - start) // step + 1, low)


@kernel
def _copy_runs(
    x: Any, at: int, step: int, y: Any, to: int, row: int, length: int, count: int
) -> None:
    """Copy ``count`` runs. What copies long ones well takes as long to begin as a short one takes."""
    if length > _SHORT * lanes_of(x):
        for k in range(count):
            source, target = at + k * step, to + k * row
            for e in range(length):
                y[np.uintp(target + e)] = x[np.uintp(source + e)]
        return
    if length == 1:
        for k in range(count):
            y[np.uintp(to + k * row)] = x[np.uintp(at + k * step)]
        return
    rest = length % lanes_of(x)
    whole = length - rest
    for k in range(count):
        source, target = at + k * step, to + k * row
        for e in range(0, whole, lanes_of(x)):
            store(y, target + e, load(x, source + e))
        if rest:
            store_first(y, target + whole, rest, load_first(x, source + whole, rest))


@kernel
def _copy_inside(
    x: Any, at: int, start: int, width: int, inside: bool, y: Any, to: int, length: int
) -> None:
    """Copy what lies within a row of ``width`` numbers from ``at`` on, zero elsewhere."""
    low = min(max(-start, 0), length) if inside else length
    high = max(min(width - start, length), low)
    # Unsigned, because Numba tests each signed index for being negative, and a loop that does is not
    # vectorised: 5 times slower.
    for e in range(low):
        y[np.uintp(to + e)] = 0
    for e in range(low, high):
        y[np.uintp(to + e)] = x[np.uintp(at + start + e)]
    for e in range(high, length):
        y[np.uintp(to + e)] = 0


@kernel
def col2im(
    cols: Any,
    first: int,
    channel: int,
    size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    dx: Any,
) -> None:
    """Add every cell of ``cols`` to the cell of ``dx`` that `im2col` would have read it from.

    Overlapping windows add up, what came from the padding is dropped. ``dx`` is (N, H, W, C); cells
    are taken in order, so the sum's order does not depend on how the cells are cut into calls.
    """
    H, W, C = dx.shape[1:]
    cells, KH, KW, channels = cols.shape
    OH, OW = size
    runs, length = KW, channels
    if dilation[1] == 1 and channels == C:
        runs, length = 1, KW * C
    source = cols.reshape(cols.size)
    target = dx.reshape(dx.size)
    row, step, width = KH * runs * length, stride[1] * C, W * C
    done, n, oh, ow = 0, first // (OH * OW), first // OW % OH, first % OW
    while done < cells:
        count = min(OW - ow, cells - done, max(_TOGETHER // row, 1))
        for i in range(KH):
            h = oh * stride[0] - padding[0] + i * dilation[0]
            if h < 0 or h >= H:
                continue
            # From the last on: so a number gets what cells add to it in the order of these.
            for run in range(runs - 1, -1, -1):
                start = (ow * stride[1] - padding[1] + run * dilation[1]) * C + channel
                at, to = done * row + (i * runs + run) * length, (n * H + h) * width + start
                for k in range(count):
                    begin, here, there = start + k * step, at + k * row, to + k * step
                    for e in range(max(-begin, 0), min(width - begin, length)):
                        target[np.uintp(there + e)] += source[np.uintp(here + e)]
        done, ow = done + count, ow + count
        if ow == OW:
            ow, oh = 0, oh + 1
        if oh == OH:
            oh, n = 0, n + 1
