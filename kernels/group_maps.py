"""Maps of what a vector of filters multiplies, whatever their groups, with zeros around: for `grouped`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import broadcast, from_lane, lanes_of, load, read_only, store


@kernel
def cells_seen(
    outputs: int, axis: int, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> int:  # fmt: skip
    """Cells of an axis that some neighbouring outputs see."""
    return (outputs - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1


@kernel
def rows_that_fit(
    room: int, line: int, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> int:  # fmt: skip
    """Rows of outputs, at least one, that see no more lines of so many numbers than there is room for."""
    beyond = room // line - cells_seen(1, 0, kernel, stride, dilation)
    return max(beyond // stride[0] + 1, 1)


@kernel
def copy_channels(
    x: Any, at: int, row: int, column: int, image: tuple[int, int], pad_top_left: tuple[int, int],
    size: tuple[int, int], count: int, target: Any, to: int, step: int,
) -> None:  # fmt: skip
    """Copy ``count`` channels of an image into a map of ``size`` (height, width), cells ``step`` apart.

    Cell (h, w, c) of the image, of (H, W) cells, is x[at + h*row + w*column + c]; cell (-top, -left) becomes
    the first of the map, at target[to], where what lies outside the image is zero.
    """
    (H, W), (top, left), (height, width) = image, pad_top_left, size
    w_first = min(max(-left, 0), W)
    w_last = max(min(width - left, W), w_first)
    before, seen = min(max(left, 0), width), w_last - w_first
    # Without a gap between cells, a row is one run.
    runs, length = (1, seen * count) if step == count == column else (seen, count)
    for h in range(-top, height - top):
        inside = seen > 0 and 0 <= h < H
        start, end = to + (before if inside else width) * step, to + width * step
        for e in range(to, start):
            target[np.uintp(e)] = 0
        if inside:
            source = at + h * row + w_first * column
            for run in range(runs):
                there, here = start + run * step, source + run * column
                for c in range(length):
                    target[np.uintp(there + c)] = x[np.uintp(here + c)]
            start += seen * step
            for e in range(start, end):
                target[np.uintp(e)] = 0
        to = end


@kernel
def spread_channels(
    x: Any, at: int, row: int, column: int, image: tuple[int, int], pad_top_left: tuple[int, int],
    size: tuple[int, int], group: tuple[int, int], filter: int, filters: int, lanes: int,
    target: Any, to: int,
) -> None:  # fmt: skip
    """Write maps of ``size`` (height, width) of a vector whose first filter is ``filter``, to target[to].

        map[c, h, w, lane] = image[h - top, w - left, (filter + lane) // Fg * Cg + c]

    or zero outside the image, and in lanes beyond the last of the ``filters``; the image lies as in
    `copy_channels`, ``group`` is (Cg, Fg), and the target's vectors have so many ``lanes``.
    """
    (H, W), (top, left), (height, width) = image, pad_top_left, size
    w_first = min(max(-left, 0), W)
    w_last = max(min(width - left, W), w_first)
    before, seen = min(max(left, 0), width), w_last - w_first
    for c in range(group[0]):
        for h in range(-top, height - top):
            inside = seen > 0 and 0 <= h < H
            start, end = to + (before if inside else width) * lanes, to + width * lanes
            for e in range(to, start):
                target[np.uintp(e)] = 0
            if inside:
                source = at + h * row + w_first * column + c
                _spread_cells(x, source, column, seen, group, filter, filters, target, start)
                for e in range(start + seen * lanes, end):
                    target[np.uintp(e)] = 0
            to = end


@kernel
def _spread_cells(
    x: Any, at: int, column: int, cells: int, group: tuple[int, int], filter: int, filters: int,
    target: Any, to: int,
) -> None:  # fmt: skip
    """Write a vector for each cell of a row; x[at] is a channel of the first group in the first cell."""
    (Cg, Fg), lanes = group, lanes_of(target)
    if Cg == Fg == 1 and filters >= lanes:  # the channels are a vector as they lie
        for cell in range(cells):
            store(target, to + cell * lanes, load(x, at + filter + cell * column))
        return
    g, last = filter // Fg, (min(filter + lanes, filters) - 1) // Fg
    most = at + last * Cg
    for first in range(
        g, last + 1, 4
    ):  # some groups together: the lanes of each are worked out once
        lane, c0 = first * Fg - filter, at + first * Cg
        c1, c2, c3 = min(c0 + Cg, most), min(c0 + 2 * Cg, most), min(c0 + 3 * Cg, most)
        if g == first >= last - 1:  # half the time of four
            for cell in range(cells):
                skip = cell * column
                value = from_lane(broadcast(x, c0 + skip), lane + Fg, broadcast(x, c1 + skip))
                store(target, to + cell * lanes, value)
            continue
        for cell in range(cells):
            there, skip = to + cell * lanes, cell * column
            value = broadcast(x, c0 + skip)
            if first > g:
                value = from_lane(load(read_only(target), there), lane, value)
            value = from_lane(value, lane + Fg, broadcast(x, c1 + skip))
            value = from_lane(value, lane + 2 * Fg, broadcast(x, c2 + skip))
            value = from_lane(value, lane + 3 * Fg, broadcast(x, c3 + skip))
            store(target, there, value)
    for cell in range(cells if filters < lanes else 0):
        for beyond in range(filters, lanes):
            target[np.uintp(to + cell * lanes + beyond)] = 0
