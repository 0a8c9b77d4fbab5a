"""Maximum over windows in explicit SIMD, float32: with winners for training, without for inference."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.pool import _inside
from tinycnn.kernels.simd import (
    LANES,
    keep_rolled,
    load,
    maximum,
    prefetch,
    select_first,
    splat,
    store,
    store_uint8,
    stream,
    stream_end,
    where_equal,
)

_LINE = 16  # float32 in a cache line


@kernel
def max_pool(
    x: Any,
    x_place: tuple[int, int, int, int],
    size: tuple[int, int],
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    channels: int,
    y: Any,
    y_place: tuple[int, int, int, int],
    output: tuple[int, int],
) -> None:
    """Write the maximum of each window: rows ``first`` to ``last`` of the N*OH output rows.

    ``x`` and ``y`` are flat; a place (start, image, row, column) says that cell (n, h, w, c) is at
    start + n*image + h*row + w*column + c. ``size`` is x's (H, W), ``output`` y's (OH, OW). Only cells
    inside the image compete, whatever lies around it, and NaN wins over everything.
    """
    x_start, x_image, x_row, x_column = x_place
    y_start, y_image, y_row, y_column = y_place
    OH, OW = output
    down, right = dilation[0] * x_row, dilation[1] * x_column
    for r in range(first, last):
        n, oh = r // OH, r % OH
        top = oh * stride[0] - padding[0]
        i_first, i_last = _inside(top, kernel[0], dilation[0], size[0])
        image = x_start + n * x_image + top * x_row + i_first * down
        to = y_start + n * y_image + oh * y_row
        for ow in range(OW):
            left = ow * stride[1] - padding[1]
            j_first, j_last = _inside(left, kernel[1], dilation[1], size[1])
            at = image + left * x_column + j_first * right
            _pool_window(x, at, i_last - i_first, j_last - j_first, down, right, channels, y, to)
            to += y_column


@kernel
def _pool_window(
    x: Any, at: int, rows: int, columns: int, down: int, right: int, channels: int, y: Any, to: int
) -> None:
    """Write all channels' maximum over a window of ``rows`` by ``columns`` cells."""
    if channels < LANES:
        for c in range(channels):
            best = x[at + c]
            for i in range(rows):
                for j in range(columns):
                    cell = x[at + c + i * down + j * right]
                    best = best if cell <= best or best != best else cell
            y[to + c] = best
        return
    for block in range(0, channels, LANES):
        c = min(block, channels - LANES)  # the last vector may overlap the one before
        # Loops take half as long again.
        if rows == columns == 3:
            best = _largest_of_3_by_3(x, at + c, down, right)
        elif rows == columns == 2:
            best = _largest_of_2_by_2(x, at + c, down, right)
        else:
            best = _largest(x, at + c, rows, columns, down, right)
        store(y, to + c, best)


@kernel
def _largest_of_3_by_3(x: Any, at: int, down: int, right: int) -> Any:
    """The maximum of nine vectors."""
    top = _largest_of_three(x, at, right)
    middle = _largest_of_three(x, at + down, right)
    bottom = _largest_of_three(x, at + 2 * down, right)
    return maximum(maximum(top, middle), bottom)


@kernel
def _largest_of_2_by_2(x: Any, at: int, down: int, right: int) -> Any:
    """The maximum of four vectors."""
    top = maximum(load(x, at), load(x, at + right))
    return maximum(top, maximum(load(x, at + down), load(x, at + down + right)))


@kernel
def _largest_of_three(x: Any, at: int, right: int) -> Any:
    """The maximum of a vector and its two neighbours on the right."""
    return maximum(maximum(load(x, at), load(x, at + right)), load(x, at + 2 * right))


@kernel
def _largest(x: Any, at: int, rows: int, columns: int, down: int, right: int) -> Any:
    """The maximum of ``rows`` by ``columns`` vectors."""
    best = load(x, at)
    for i in range(rows):
        for j in range(columns):
            best = maximum(best, load(x, at + i * down + j * right))
    return best


@kernel
def max_pool_winners(
    x: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    y: Any,
    winner: Any,
) -> None:
    """Do what `pool.max_pool2d` does, for float32 of at least LANES channels and winners in uint8."""
    H, W, C = x.shape[1:]
    OH, OW = y.shape[1:3]
    KH, KW = kernel
    source, target, indices = x.reshape(x.size), y.reshape(y.size), winner.reshape(winner.size)
    down, right = dilation[0] * W * C, dilation[1] * C
    for row in range(first, last):
        n, oh = row // OH, row % OH
        top = oh * stride[0] - padding[0]
        i_first, i_last = _inside(top, KH, dilation[0], H)
        for ow in range(OW):
            left = ow * stride[1] - padding[1]
            j_first, j_last = _inside(left, KW, dilation[1], W)
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
            if rows == columns == KH == KW == 3:
                for block in range(0, C, LANES):
                    c = min(block, C - LANES)  # the last vector may overlap the one before
                    _winner_of_3_by_3(source, start + c, down, right, target, indices, to + c)
            elif rows == columns == KH == KW == 2:
                for block in range(0, C, LANES):
                    c = min(block, C - LANES)
                    _winner_of_2_by_2(source, start + c, down, right, target, indices, to + c)
            else:
                number = i_first * KW + j_first
                for block in range(0, C, LANES):
                    c = min(block, C - LANES)
                    best, index = load(source, start + c), splat(number)
                    for i in range(rows):
                        for j in range(columns):
                            cell = load(source, start + c + i * down + j * right)
                            index = select_first(best, cell, index, splat(number + i * KW + j))
                            best = select_first(best, cell, best, cell)
                    store(target, to + c, best)
                    store_uint8(indices, to + c, index)


@kernel
def _winner_of_3_by_3(x: Any, at: int, down: int, right: int, y: Any, winner: Any, to: int) -> None:
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
    store_uint8(winner, to, number)


@kernel
def _winner_of_2_by_2(x: Any, at: int, down: int, right: int, y: Any, winner: Any, to: int) -> None:
    """Write the maximum of four vectors and its number."""
    a, b, c, d = load(x, at), load(x, at + right), load(x, at + down), load(x, at + down + right)
    top, top_number = select_first(a, b, a, b), select_first(a, b, splat(0), splat(1))
    bottom, bottom_number = select_first(c, d, c, d), select_first(c, d, splat(2), splat(3))
    store(y, to, select_first(top, bottom, top, bottom))
    store_uint8(winner, to, select_first(top, bottom, top_number, bottom_number))


@kernel
def _first_of_three(a: Any, b: Any, c: Any) -> Any:
    """The one that wins."""
    best = select_first(a, b, a, b)
    return select_first(best, c, best, c)


@kernel
def _number_of_first(a: Any, b: Any, c: Any, i: Any, j: Any, k: Any) -> Any:
    """``i``, ``j`` or ``k``, for the one of ``a``, ``b`` and ``c`` that wins."""
    best = select_first(a, b, a, b)
    return select_first(best, c, select_first(a, b, i, j), k)


@kernel
def max_pool_gradient(
    dy: Any,
    winner: Any,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    streamed: bool,
    dx: Any,
) -> None:
    """Write rows ``first`` to ``last`` of the N*H rows of ``dx`` (N, H, W, C), float32, without dilation.

    Each cell gets the sum of dy over the windows that it won, and is written once: C is a multiple of
    LANES, or at least LANES. ``dy`` and ``winner`` (uint8) are (N, OH, OW, C). ``streamed``: dx is too
    large for the caches, begins at a cache line, and C is a multiple of LANES.
    """
    H, W, C = dx.shape[1:]
    OH, OW = dy.shape[1:3]
    slopes, indices, target = dy.reshape(dy.size), winner.reshape(winner.size), dx.reshape(dx.size)
    for row in range(first, last):
        n, h = row // H, row % H
        oh, rows = _windows_at(h + padding[0], kernel[0], stride[0], OH)
        i = h + padding[0] - oh * stride[0]
        for w in range(W):
            ow, columns = _windows_at(w + padding[1], kernel[1], stride[1], OW)
            j = w + padding[1] - ow * stride[1]
            _gradient_of_cell(
                slopes, indices, ((n * OH + oh) * OW + ow) * C, i * kernel[1] + j, rows, columns,
                OW * C, C, stride[0] * kernel[1], stride[1], streamed, target, (row * W + w) * C,
            )  # fmt: skip
    stream_end()


@kernel
def _windows_at(place: int, length: int, stride: int, count: int) -> tuple[int, int]:
    """The first window that holds cell ``place`` of a padded axis, and how many do."""
    first = max(-((length - 1 - place) // stride), 0)
    return first, max(min(place // stride + 1, count) - first, 0)


@kernel
def _gradient_of_cell(
    dy: Any, winner: Any, at: int, number: int, rows: int, columns: int,
    down: int, channels: int, fewer_down: int, fewer_right: int, streamed: bool, dx: Any, to: int,
) -> None:  # fmt: skip
    """Write all channels' sum of dy over those of ``rows`` by ``columns`` windows that a cell won.

    It is cell ``number`` of the first window, ``fewer_down`` less of the one below, ``fewer_right`` less
    of the one on the right. Sums run in row-major order.
    """
    beside, below = number - fewer_right, number - fewer_down
    if rows == 2 and columns == 2:  # these and the next ones: a third of the time of loops
        for block in range(0, channels, LANES):
            c = min(block, channels - LANES)  # the last vector may overlap the one before
            total = splat(0.0) + _won(dy, winner, at + c, number)
            total += _won(dy, winner, at + c + channels, beside)
            total += _won(dy, winner, at + c + down, below)
            total += _won(dy, winner, at + c + down + channels, below - fewer_right)
            _write(streamed, dx, to + c, total)
    elif rows * columns == 2:
        step, second = (down, below) if rows == 2 else (channels, beside)
        for block in range(0, channels, LANES):
            c = min(block, channels - LANES)
            total = splat(0.0) + _won(dy, winner, at + c, number)
            total += _won(dy, winner, at + c + step, second)
            _write(streamed, dx, to + c, total)
    elif rows * columns == 1:
        for block in range(0, channels, LANES):
            c = min(block, channels - LANES)
            _write(streamed, dx, to + c, splat(0.0) + _won(dy, winner, at + c, number))
    else:
        for block in range(0, channels, LANES):
            c = min(block, channels - LANES)
            total = splat(0.0)
            for i in range(rows):
                for j in range(columns):
                    keep_rolled()
                    window = at + c + i * down + j * channels
                    total += _won(dy, winner, window, number - i * fewer_down - j * fewer_right)
            _write(streamed, dx, to + c, total)


@kernel
def _won(dy: Any, winner: Any, at: int, number: int) -> Any:
    """A vector of dy where cell ``number`` of the window won, 0 elsewhere."""
    return where_equal(winner, at, number, load(dy, at))


@kernel
def _write(streamed: bool, dx: Any, to: int, total: Any) -> None:
    if streamed:
        stream(dx, to, total)
    else:
        store(dx, to, total)
