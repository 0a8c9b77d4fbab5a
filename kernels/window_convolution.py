"""Convolution and the gradient of its input, from windows where they lie; weights should stay in the cache.

No border is multiplied: outputs whose windows hang over the same edges are done together, with those cells
of the kernel that lie inside. Only thin images are copied with zeros around them, some at a time: that
takes less than to go from edge to edge. Float32 or float64, in groups or not.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinycnn.kernels.dot_products import dot_products
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import lanes_of, load_first, read_only, store_first
from tinycnn.kernels.taps import phase_taps, taps_inside
from tinycnn.kernels.window_products import window_products
from tinycnn.kernels.window_tiles import POOL, POOL_TWO_ROWS, POOLED, WRITE

# Outputs that are worked on together: what they read stays in the cache for all filters.
_CELLS = 512
# Numbers of images that are copied with their border at a time: 16 KB, which stay in L1.
_BORDERED = 4096
# An image is thin where filters are so many times its channels; and its border is, with the image, at most so
# many times the image.
_THIN, _MOST_BORDER = 4, 2
# Outputs side by side, and rows of these, whose maximum can be taken before anything is written.
POOL_WIDTH = math.isqrt(POOLED)


@kernel
def window_convolution(
    x: Any, size: tuple[int, int, int], W: Any, b: Any, groups: int, relu: bool, dots: bool,
    first: int, last: int, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int],
    dilation: tuple[int, int], y: Any, y_place: tuple[int, int, int, int], output: tuple[int, int],
    pool: int,
) -> None:  # fmt: skip
    """Write y = b + x convolved with W, rectified if ``relu``: rows ``first`` to ``last`` of the N*OH rows.

        y[n, oh, ow, f] = b[f] + sum over i, j, c of W[i, j, c, f] *
                          x[n, oh*sh - top + i*dh, ow*sw - left + j*dw, f // Fg * Cg + c]

    Arrays are flat. ``x`` is (N, H, W, C), each image of ``size`` (H, W, C) and zero outside, ``W`` is
    (KH, KW, Cg, F), ``b`` (F,), with Cg channels and Fg filters in each of the ``groups``. ``output`` is y's
    (OH, OW), and its ``y_place`` (start, image, row, column) says that cell (n, h, w, f) is
    y[start + n*image + h*row + w*column + f]. Each sum runs over the window as `window_products` says, its
    cells in row-major order, then comes the bias. With ``dots`` it is a dot product as
    `dot_products` says, and W (KH, F, KW, Cg): each filter's weights of a row of the kernel side by side.
    With a ``pool`` of POOL_WIDTH, not 1, a cell of y is the maximum of so many by so many neighbours of what
    is said above, of which no other cell has any; there is one group, its filters fill a vector at most, and
    there are no ``dots``.
    """
    taps, OH, OW, r, F = (0, 1, 0, 1), output[0] * pool, output[1] * pool, first * pool, b.size
    Cg = size[2] // groups
    steps = (kernel[1] * Cg * F, Cg * F, 1, 0)
    if dots:
        steps = (kernel[1] * Cg * F, Cg, kernel[1] * Cg, F // groups * kernel[1] * Cg)
    height = _seen(OH, kernel[0], stride[0], dilation[0])
    width = _seen(OW, kernel[1], stride[1], dilation[1])
    bordered = groups == 1 and _is_copied(size, F, (height, width), padding, pool > 1)
    while r < last * pool:
        n, oh = r // OH, r % OH
        images, rows = 1, min(OH - oh, last * pool - r)
        if oh == 0 and last * pool - r > OH:
            images, rows = (last * pool - r) // OH, OH
        if bordered:
            _convolve_bordered(
                x, size, n, images, W, b, relu, dots, kernel, steps, stride, padding, dilation, y, y_place,
                oh, rows, OW, pool,
            )  # fmt: skip
        else:
            _convolve_rows(
                x, size, n, images, W, b, groups, relu, dots, steps, taps, kernel, stride, padding, dilation,
                y, y_place, oh, rows, OW, pool,
            )  # fmt: skip
        r += images * rows


@kernel
def _is_copied(
    size: tuple[int, int, int], F: int, seen: tuple[int, int], padding: tuple[int, int], pooled: bool
) -> bool:  # fmt: skip
    """Whether images, of which windows see ``seen`` (height, width), are copied with a border.

    It should be a copy of few numbers for each output, and not of zeros above all; but outputs that are
    pooled are never kept apart by the edges that their windows hang over.
    """
    (H, W, C), (height, width), (top, left) = size, seen, padding
    hangs_over = top > 0 or left > 0 or height > H or width > W
    is_thin = _THIN * C <= F and height * width <= _MOST_BORDER * H * W
    return hangs_over and (is_thin or pooled)


@kernel
def _convolve_bordered(
    x: Any, size: tuple[int, int, int], n: int, images: int, W: Any, b: Any, relu: bool, dots: bool,
    kernel: tuple[int, int], steps: tuple[int, int, int, int], stride: tuple[int, int],
    padding: tuple[int, int], dilation: tuple[int, int], y: Any, y_place: tuple[int, int, int, int],
    oh: int, rows: int, OW: int, pool: int,
) -> None:  # fmt: skip
    """Write ``rows`` rows from ``oh`` on, of ``images`` images from image ``n`` on, by copies with a border.

    What is copied at a time is some images, or a band of one.
    """
    (H, width, C), whole, left = size, lanes_of(x), padding[1]
    across = _seen(OW, kernel[1], stride[1], dilation[1])
    # Bands share the rows by which they reach into each other: a band has as many of its own.
    reach = _seen(1, kernel[0], stride[0], dilation[0])
    lines = max((_BORDERED // (across * C) - reach) // stride[0] + 1, reach)
    lines = min(-(-lines // pool) * pool, rows)
    down = _seen(lines, kernel[0], stride[0], dilation[0])
    together = min(max(_BORDERED // (down * across * C), 1), images) if lines == rows else 1
    maps, length = np.zeros(together * down * across * C, x.dtype), min(width, across - left) * C
    for top in range(oh, oh + rows, lines):
        some_rows, above = min(lines, oh + rows - top), top * stride[0] - padding[0]
        for first in range(n, n + images, together):
            some = min(together, n + images - first)
            for image in range(some):
                for row in range(down):
                    h, to = above + row, ((image * down + row) * across + left) * C
                    inside = 0 <= h < H
                    at = ((first + image) * H + h) * width * C if inside else 0
                    for e in range(0, length, whole):
                        count = min(length - e, whole)
                        numbers = load_first(x, at + e, count if inside else 0)
                        store_first(maps, to + e, count, numbers)
            start = y_place[0] + first * y_place[1] + top // pool * y_place[2]
            _convolve_rows(
                read_only(maps), (down, across, C), 0, some, W, b, 1, relu, dots, steps, (0, 1, 0, 1),
                kernel, stride, (0, 0), dilation, y, (start, y_place[1], y_place[2], y_place[3]), 0,
                some_rows, OW, pool,
            )  # fmt: skip


@kernel
def _seen(outputs: int, taps: int, stride: int, dilation: int) -> int:
    """Cells along an axis from the first that so many outputs see to the last."""
    return (outputs - 1) * stride + (taps - 1) * dilation + 1


@kernel
def window_input_gradient(
    dz: Any,
    size: tuple[int, int, int],
    W: Any,
    groups: int,
    dots: bool,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    dx: Any,
    image: tuple[int, int, int],
) -> None:
    """Write rows ``first`` to ``last`` (not included) of dx, where each output gives its dz to its window.

        dx[n, oh*sh - top + i*dh, ow*sw - left + j*dw, g*Cg + c] +=
            W[i, j, f, g*Cg + c] * dz[n, oh, ow, g*Fg + f]

    in each group g. A row is as many as the stride, t*sh to t*sh + sh of image n, number n*ceil(H/sh) + t.
    Arrays are flat: ``dz`` is (N, OH, OW, F), each image of ``size`` (OH, OW, F), ``dx`` (N, H, W, C), each
    of ``image`` (H, W, C), and ``W`` (KH, KW, Fg, C): each group's channels and filters exchanged. With
    ``dots`` sums are dot products as `dot_products` says, and W is (KH, KW, Cg, F), as it is.
    All cells of a phase of the stride meet the same cells of the kernel, so they are a convolution of dz.
    """
    (H, width, C), nothing = image, read_only(np.zeros(image[2], dx.dtype))
    lines, r, F = -(-H // stride[0]), first, size[2]
    Fg = F // groups
    steps = (kernel[1] * Fg * C, Fg * C, F, Fg)
    while r < last:
        n, t = r // lines, r % lines
        images, rows = 1, min(lines - t, last - r)
        if t == 0 and last - r > lines:
            images, rows = (last - r) // lines, lines
        for a in range(min(stride[0], H)):
            i, i_step, i_count, above, down = phase_taps(
                a + padding[0], kernel[0], stride[0], dilation[0]
            )
            for b in range(min(stride[1], width)):
                j, j_step, j_count, before, across = phase_taps(
                    b + padding[1], kernel[1], stride[1], dilation[1]
                )
                _convolve_rows(
                    dz, size, n, images, W, nothing, groups, False, dots, steps, (i, i_step, j, j_step),
                    (i_count, j_count), (1, 1), (-above, -before), (down, across), dx,
                    ((a * width + b) * C, H * width * C, stride[0] * width * C, stride[1] * C), t,
                    min(rows, (H - a - 1) // stride[0] + 1 - t), (width - b - 1) // stride[1] + 1, 1,
                )  # fmt: skip
        r += images * rows


@kernel
def _convolve_rows(
    x: Any, size: tuple[int, int, int], n: int, images: int, W: Any, b: Any, groups: int, relu: bool,
    dots: bool, steps: tuple[int, int, int, int], taps: tuple[int, int, int, int], count: tuple[int, int],
    stride: tuple[int, int], padding: tuple[int, int], dilation: tuple[int, int],
    y: Any, y_place: tuple[int, int, int, int], oh: int, rows: int, OW: int, pool: int,
) -> None:  # fmt: skip
    """Write ``rows`` rows from ``oh`` on, of so many ``images`` from image ``n`` on; counted before pooling.

    Of the kernel's cells some are multiplied: ``taps`` (i, i_step, j, j_step) and ``count`` say that they are
    the ``count[0]`` rows i, i + i_step and so on, and columns likewise. ``steps`` (row, cell, filter, group)
    say how far apart in W a kernel's rows and cells lie, and for ``dots`` a group's filters and the groups.
    The rest is as in `window_convolution`; all windows of what is pooled lie inside.
    """
    (H, width, C), F, pooled, into, beside = size, b.size, pool * pool, WRITE, 1
    if pool > 1:
        into = POOL
        if stride[1] * C == 1 and lanes_of(x) >= 2 * F:  # neighbours see neighbouring numbers
            into, beside = POOL_TWO_ROWS, 2
    group = (C // groups, F // groups)
    runs = np.empty(2 * count[0] * count[1], np.int64)
    most = max(_CELLS, OW * pool)
    places, targets = np.empty(most, np.int64), np.empty(most, np.int64)
    top = oh
    while top < oh + rows:
        bottom, i, i_end = taps_inside(
            top, oh + rows, H, -padding[0], stride[0], count[0], dilation[0]
        )
        left = 0
        while left < OW:
            right, j, j_end = taps_inside(
                left, OW, width, -padding[1], stride[1], count[1], dilation[1]
            )
            cells = right - left
            lines = min(bottom - top, max(_CELLS // (cells * pool), 1) * pool)
            together = max(_CELLS // (lines * cells), 1) if lines == bottom - top else 1
            place = target = 0
            for image in range(min(together, images)):
                to_line = image * y_place[1]
                for line in range(0, lines, pool):
                    to = to_line
                    for cell in range(0, cells, pool):
                        targets[target] = to
                        for h in range(line, line + pool):
                            for w in range(cell, cell + pool, beside):
                                places[place] = (
                                    (image * H + h * stride[0]) * width + w * stride[1]
                                ) * C
                                place += 1
                        target += 1
                        to += y_place[3]
                    to_line += y_place[2]
            found, run = _window_runs(
                runs, (i, i_end), (j, j_end), taps, steps, dots, dilation, width, C, group[0], F
            )
            for image in range(0, images, together):
                for line in range(top, bottom, lines):
                    h, w = line * stride[0] - padding[0], left * stride[1] - padding[1]
                    some = min(together, images - image) * min(lines, bottom - line) * cells
                    at = (((n + image) * H + h) * width + w) * C
                    to = y_place[0] + (n + image) * y_place[1]
                    to += line // pool * y_place[2] + left * y_place[3]
                    if dots and found:
                        dot_products(
                            x, at, read_only(places[:some]), W, runs, found, run[0], F, group,
                            (steps[2], steps[3]), b, relu, y, to, read_only(targets[:some]),
                        )  # fmt: skip
                    else:
                        window_products(
                            x, at, read_only(places[: some // beside]), W, runs, found, run, F,
                            group if found else (C, F), b, relu, into, y, to,
                            read_only(targets[: some // pooled]),
                        )  # fmt: skip
            left = right
        top = bottom


@kernel
def _window_runs(
    runs: Any, rows: tuple[int, int], columns: tuple[int, int], taps: tuple[int, int, int, int],
    steps: tuple[int, int, int, int], dots: bool, dilation: tuple[int, int], width: int, C: int, Cg: int,
    F: int,
) -> tuple[int, tuple[int, int, int]]:  # fmt: skip
    """Write where the numbers of a window begin, and their weights; give the number of runs, and the run.

    Side by side lie a cell's channels, those of a row where they follow each other, and single ones.
    """
    (i_first, i_step, j_first, j_step), across = taps, columns[1] - columns[0]
    each, run = across, (Cg, 1, F)
    if Cg == C and dilation[1] == 1 and j_step == 1:
        each, run = min(across, 1), (across * C, 1, F)
    elif Cg == 1 and not dots:
        each, run = min(across, 1), (across, dilation[1] * C, j_step * F)
    found = 0
    for i in range(rows[0], rows[1]):
        for j in range(columns[0], columns[0] + each):
            runs[2 * found] = (i * dilation[0] * width + j * dilation[1]) * C
            runs[2 * found + 1] = (i_first + i * i_step) * steps[0] + (
                j_first + j * j_step
            ) * steps[1]
            found += 1
    return found, run
