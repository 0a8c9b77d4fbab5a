"""The maximum over windows with its argmax, and its gradient, in float32 vectors: for training."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.max_pool import cells_inside
from tinycnn.kernels.simd import (
    LANES,
    keep_rolled,
    load,
    prefetch,
    select_first,
    splat,
    store,
    store_uint8,
    stream,
    stream_end,
    where_equal,
)
from tinycnn.kernels.windows import windows_at

_LINE = 16  # float32 in a cache line


@kernel
def max_pool_argmax(
    x: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    y: Any,
    argmax: Any,
) -> None:
    """Do what `max_pool.max_pool2d` does, for float32 and argmax in uint8.

    A vector of fewer than LANES channels reaches into the next cells, which are written later.
    """
    H, W, C = x.shape[1:]
    OH, OW = y.shape[1:3]
    KH, KW = kernel
    source, target, indices = x.reshape(x.size), y.reshape(y.size), argmax.reshape(argmax.size)
    down, right, end = dilation[0] * W * C, dilation[1] * C, last * OW * C
    for row in range(first, last):
        n, oh = row // OH, row % OH
        top = oh * stride[0] - padding[0]
        i_first, i_last = cells_inside(top, KH, dilation[0], H)
        for ow in range(OW):
            left = ow * stride[1] - padding[1]
            j_first, j_last = cells_inside(left, KW, dilation[1], W)
            pad_top_left = ((n * H + top) * W + left) * C
            # The next row of windows, where this one does not see it: the processor foresees one
            # row of memory, not several at once.
            for i in range(max(KH - stride[0], 0), KH):
                ahead = pad_top_left + stride[0] * W * C + i * down
                for c in range(0, min(stride[1], KW) * C, _LINE):
                    prefetch(source, ahead + c)
            to = (row * OW + ow) * C
            rows, columns = i_last - i_first, j_last - j_first
            start = pad_top_left + i_first * down + j_first * right
            beyond = start + (rows - 1) * down + (columns - 1) * right + LANES
            if C < LANES and (beyond > x.size or to + LANES > end):
                number = i_first * KW + j_first
                _argmax_cell_by_cell(
                    source, start, rows, columns, down, right, number, KW, C, target, indices, to
                )
            elif rows == columns == KH == KW == 3:
                for block in range(0, C, LANES):
                    c = max(min(block, C - LANES), 0)  # the last may overlap the one before
                    _argmax_of_3_by_3(source, start + c, down, right, target, indices, to + c)
            elif rows == columns == KH == KW == 2:
                for block in range(0, C, LANES):
                    c = max(min(block, C - LANES), 0)
                    _argmax_of_2_by_2(source, start + c, down, right, target, indices, to + c)
            elif C >= 4 * LANES:
                number = i_first * KW + j_first
                _argmax_of_many(
                    source, start, rows, columns, down, right, number, KW, C, target, indices, to
                )
            else:
                number = i_first * KW + j_first
                for block in range(0, C, LANES):
                    c = max(min(block, C - LANES), 0)
                    best, index = load(source, start + c), splat(number)
                    for i in range(rows):
                        for j in range(columns):
                            cell = load(source, start + c + i * down + j * right)
                            index = select_first(best, cell, index, splat(number + i * KW + j))
                            best = select_first(best, cell, best, cell)
                    store(target, to + c, best)
                    store_uint8(indices, to + c, index)


@kernel
def _argmax_of_many(
    x: Any, at: int, rows: int, columns: int, down: int, right: int, number: int, kernel_width: int,
    channels: int, y: Any, argmax: Any, to: int,
) -> None:  # fmt: skip
    """Write the maxima of a window whose first cell is ``number``: four vectors at a time, side by side."""
    for block in range(0, channels, 4 * LANES):
        c = min(block, channels - 4 * LANES)  # the last four may overlap those before
        b0, b1 = load(x, at + c), load(x, at + c + LANES)
        b2, b3 = load(x, at + c + 2 * LANES), load(x, at + c + 3 * LANES)
        n0 = n1 = n2 = n3 = splat(number)
        for i in range(rows):
            for j in range(columns):
                cell, n = at + c + i * down + j * right, splat(number + i * kernel_width + j)
                v0, v1 = load(x, cell), load(x, cell + LANES)
                v2, v3 = load(x, cell + 2 * LANES), load(x, cell + 3 * LANES)
                n0, b0 = select_first(b0, v0, n0, n), select_first(b0, v0, b0, v0)
                n1, b1 = select_first(b1, v1, n1, n), select_first(b1, v1, b1, v1)
                n2, b2 = select_first(b2, v2, n2, n), select_first(b2, v2, b2, v2)
                n3, b3 = select_first(b3, v3, n3, n), select_first(b3, v3, b3, v3)
        _store_both(y, argmax, to + c, b0, n0)
        _store_both(y, argmax, to + c + LANES, b1, n1)
        _store_both(y, argmax, to + c + 2 * LANES, b2, n2)
        _store_both(y, argmax, to + c + 3 * LANES, b3, n3)


@kernel
def _store_both(y: Any, argmax: Any, to: int, best: Any, index: Any) -> None:
    store(y, to, best)
    store_uint8(argmax, to, index)


@kernel
def _argmax_cell_by_cell(
    x: Any, at: int, rows: int, columns: int, down: int, right: int, number: int, kernel_width: int,
    channels: int, y: Any, argmax: Any, to: int,
) -> None:  # fmt: skip
    """Write the maximum of a window whose first cell is ``number``, where there is no room for a vector."""
    for c in range(channels):
        best, index = x[at + c], number
        for i in range(rows):
            for j in range(columns):
                cell = x[at + c + i * down + j * right]
                if not (cell <= best or best != best):
                    best, index = cell, number + i * kernel_width + j
        y[to + c], argmax[to + c] = best, index


@kernel
def _argmax_of_3_by_3(x: Any, at: int, down: int, right: int, y: Any, argmax: Any, to: int) -> None:
    """Write the maximum of nine vectors and its number: a third of the time of one chain of nine."""
    a, b, c = load(x, at), load(x, at + right), load(x, at + 2 * right)
    at += down
    d, e, f = load(x, at), load(x, at + right), load(x, at + 2 * right)
    at += down
    g, h, i = load(x, at), load(x, at + right), load(x, at + 2 * right)
    top, middle, bottom = (
        _first_of_three(a, b, c),
        _first_of_three(d, e, f),
        _first_of_three(g, h, i),
    )
    number = _number_of_first(
        top, middle, bottom,
        _number_of_first(a, b, c, splat(0), splat(1), splat(2)),
        _number_of_first(d, e, f, splat(3), splat(4), splat(5)),
        _number_of_first(g, h, i, splat(6), splat(7), splat(8)),
    )  # fmt: skip
    store(y, to, _first_of_three(top, middle, bottom))
    store_uint8(argmax, to, number)


@kernel
def _argmax_of_2_by_2(x: Any, at: int, down: int, right: int, y: Any, argmax: Any, to: int) -> None:
    """Write the maximum of four vectors and its number."""
    a, b, c, d = load(x, at), load(x, at + right), load(x, at + down), load(x, at + down + right)
    top, top_number = select_first(a, b, a, b), select_first(a, b, splat(0), splat(1))
    bottom, bottom_number = select_first(c, d, c, d), select_first(c, d, splat(2), splat(3))
    store(y, to, select_first(top, bottom, top, bottom))
    store_uint8(argmax, to, select_first(top, bottom, top_number, bottom_number))


@kernel
def _first_of_three(a: Any, b: Any, c: Any) -> Any:
    """The maximum of three vectors; the first NaN, if there is one."""
    best = select_first(a, b, a, b)
    return select_first(best, c, best, c)


@kernel
def _number_of_first(a: Any, b: Any, c: Any, i: Any, j: Any, k: Any) -> Any:
    """``i``, ``j`` or ``k``: the number of the first maximum of ``a``, ``b`` and ``c``."""
    best = select_first(a, b, a, b)
    return select_first(best, c, select_first(a, b, i, j), k)


@kernel
def max_pool_argmax_backward(
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
    """Write rows ``first`` to ``last`` of the N*H rows of ``dx`` (N, H, W, C), float32, without dilation.

    Each cell gets the sum of dy over the windows whose maximum it is, and is written once: C is at least
    LANES. ``dy`` and ``argmax`` (uint8) are (N, OH, OW, C). ``streamed``: dx is too
    large for the caches, begins at a cache line, and C is a multiple of LANES.
    """
    H, W, C = dx.shape[1:]
    OH, OW = dy.shape[1:3]
    slopes, indices, target = dy.reshape(dy.size), argmax.reshape(argmax.size), dx.reshape(dx.size)
    for row in range(first, last):
        n, h = row // H, row % H
        oh, rows = windows_at(h + padding[0], kernel[0], stride[0], OH)
        i = h + padding[0] - oh * stride[0]
        for w in range(W):
            ow, columns = windows_at(w + padding[1], kernel[1], stride[1], OW)
            j = w + padding[1] - ow * stride[1]
            _gradient_of_cell(
                slopes, indices, ((n * OH + oh) * OW + ow) * C, i * kernel[1] + j, rows, columns,
                OW * C, C, stride[0] * kernel[1], stride[1], streamed, target, (row * W + w) * C,
            )  # fmt: skip
    stream_end()


@kernel
def _gradient_of_cell(
    dy: Any, argmax: Any, at: int, number: int, rows: int, columns: int,
    down: int, channels: int, fewer_down: int, fewer_right: int, streamed: bool, dx: Any, to: int,
) -> None:  # fmt: skip
    """Write all channels' sum of dy over those of ``rows`` by ``columns`` windows whose argmax a cell is.

    It is cell ``number`` of the first window, ``fewer_down`` less of the one below, ``fewer_right`` less
    of the one on the right. Sums run in row-major order.
    """
    beside, below = number - fewer_right, number - fewer_down
    if rows == 2 and columns == 2:  # these and the next ones: a third of the time of loops
        for block in range(0, channels, LANES):
            c = min(block, channels - LANES)  # the last vector may overlap the one before
            total = splat(0.0) + _where_argmax(dy, argmax, at + c, number)
            total += _where_argmax(dy, argmax, at + c + channels, beside)
            total += _where_argmax(dy, argmax, at + c + down, below)
            total += _where_argmax(dy, argmax, at + c + down + channels, below - fewer_right)
            _write(streamed, dx, to + c, total)
    elif rows * columns == 2:
        step, second = (down, below) if rows == 2 else (channels, beside)
        for block in range(0, channels, LANES):
            c = min(block, channels - LANES)
            total = splat(0.0) + _where_argmax(dy, argmax, at + c, number)
            total += _where_argmax(dy, argmax, at + c + step, second)
            _write(streamed, dx, to + c, total)
    elif rows * columns == 1:
        for block in range(0, channels, LANES):
            c = min(block, channels - LANES)
            _write(streamed, dx, to + c, splat(0.0) + _where_argmax(dy, argmax, at + c, number))
    else:
        for block in range(0, channels, LANES):
            c = min(block, channels - LANES)
            total = splat(0.0)
            for i in range(rows):
                for j in range(columns):
                    keep_rolled()
                    window = at + c + i * down + j * channels
                    total += _where_argmax(
                        dy, argmax, window, number - i * fewer_down - j * fewer_right
                    )
            _write(streamed, dx, to + c, total)


@kernel
def _where_argmax(dy: Any, argmax: Any, at: int, number: int) -> Any:
    """A vector of dy where the window's argmax is cell ``number``, 0 elsewhere."""
    return where_equal(argmax, at, number, load(dy, at))


@kernel
def _write(streamed: bool, dx: Any, to: int, total: Any) -> None:
    if streamed:
        stream(dx, to, total)
    else:
        store(dx, to, total)
