"""The gradient of a convolution's weights from windows where they lie: nothing is copied."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import read_only
from tinycnn.kernels.taps import taps_inside
from tinycnn.kernels.window_products import window_products
from tinycnn.kernels.window_tiles import ADD

# Numbers of dz that all weights are multiplied with before the next: 32 KB, which stay in L1.
_SLOPES = 8192
# The same of x along the windows: 128 KB, which stay in L2 while all rows of the kernel go by.
_SEEN = 1 << 15


@kernel
def window_weight_gradient(
    x: Any,
    image: tuple[int, int, int],
    dz: Any,
    outputs: tuple[int, int, int],
    groups: int,
    along: bool,
    first: int,
    last: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    first_row: int,
    last_row: int,
    dW: Any,
    start: int,
) -> None:
    """Write rows ``first_row`` to ``last_row`` of dW (KH*KW*Cg, F), summed over images ``first`` to ``last``.

        dW[start + ((i*KW + j)*Cg + c)*F + f] = sum over n, oh, ow of dz[n, oh, ow, f] *
                                   x[n, oh*sh - top + i*dh, ow*sw - left + j*dw, f // Fg * Cg + c]

    (neither last one included). All are flat, of one dtype; an ``image`` of x is (H, W, C), that of dz has
    ``outputs`` (OH, OW, F); x is zero outside; each of the ``groups`` has Cg channels and Fg filters.
    Outputs whose windows hang over the same edges are added up together, as in `window_convolution`.
    Vectors hold filters, or numbers that lie ``along`` the windows, for filters that are few.
    """
    (H, W, C), (OH, OW, F) = image, outputs
    Cg, total = C // groups, last_row - first_row
    for e in range(start + first_row * F, start + last_row * F):
        dW[np.uintp(e)] = 0
    weights, places = np.empty(total, np.int64), np.empty(total, np.int64)
    runs = np.empty(2 * (_SLOPES + 1), np.int64)
    nothing = read_only(np.zeros(max(F, total), dW.dtype))
    sums = np.zeros(F * total if along else 0, dW.dtype)
    top = 0
    while top < OH:
        bottom, i, i_end = taps_inside(top, OH, H, -padding[0], stride[0], kernel[0], dilation[0])
        left = 0
        while left < OW:
            right, j, j_end = taps_inside(
                left, OW, W, -padding[1], stride[1], kernel[1], dilation[1]
            )
            rows = _seen_weights(
                places, weights, first_row, last_row, (i, i_end), (j, j_end), kernel[1], dilation, W, C, Cg, F
            )  # fmt: skip
            lines, columns = bottom - top, right - left
            # The longer axis is a run of outputs side by side; there is one for each cell of the other.
            run, each = (columns, stride[1] * C, F), lines
            aside, beside = stride[0] * W * C, OW * F
            if lines > columns:
                run, each = (lines, aside, beside), columns
                aside, beside = stride[1] * C, F
            most = _SEEN // C if along else _SLOPES // F
            together = min(max(most // run[0], 1), _SLOPES)
            begin = ((top * stride[0] - padding[0]) * W + left * stride[1] - padding[1]) * C
            count = (last - first) * each if rows else 0
            for some in range(0, count, together):
                found = min(together, count - some)
                for k in range(found):
                    n, line = first + (some + k) // each, (some + k) % each
                    runs[2 * k] = n * H * W * C + line * aside
                    runs[2 * k + 1] = ((n * OH + top) * OW + left) * F + line * beside
                if along:
                    _add_along_windows(
                        x, begin, places[:rows], weights, dz, runs, found, run, groups, Cg, F, nothing,
                        sums, first_row, total,
                    )  # fmt: skip
                else:
                    window_products(
                        x, begin, read_only(places[:rows]), dz, runs, found, run, F, (Cg, F // groups),
                        nothing, False, ADD, dW, start, read_only(weights[:rows]),
                    )  # fmt: skip
            left = right
        top = bottom
    for row in range(total if along else 0):
        for f in range(F):
            dW[np.uintp(start + (first_row + row) * F + f)] = sums[np.uintp(f * total + row)]


@kernel
def _add_along_windows(
    x: Any, begin: int, places: Any, weights: Any, dz: Any, runs: Any, count: int,
    run: tuple[int, int, int], groups: int, Cg: int, F: int, nothing: Any, sums: Any, first_row: int,
    total: int,
) -> None:  # fmt: skip
    """Add the same to ``sums`` (F, total): each dz times the numbers of x that lie side by side."""
    Fg, turned, r = F // groups, np.empty(2 * count, np.int64), 0
    for k in range(count):
        turned[2 * k], turned[2 * k + 1] = runs[2 * k + 1], runs[2 * k]
    filters, targets = np.arange(Fg), np.arange(Fg) * total
    while r < len(places):
        end = r + 1
        while (
            end < len(places)
            and places[end] == places[end - 1] + 1
            and weights[end] == weights[end - 1] + F
        ):
            end += 1
        for g in range(groups):
            window_products(
                dz, g * Fg, read_only(filters), x[begin + places[r] + g * Cg :], turned, count,
                (run[0], run[2], run[1]), end - r, (1, end - r), nothing, False, ADD, sums,
                g * Fg * total + weights[r] // F - first_row, read_only(targets),
            )  # fmt: skip
        r = end


@kernel
def _seen_weights(
    places: Any, weights: Any, first: int, last: int, rows: tuple[int, int], columns: tuple[int, int],
    KW: int, dilation: tuple[int, int], W: int, C: int, Cg: int, F: int,
) -> int:  # fmt: skip
    """Write where the weights of those cells see x, and where they lie in dW; give their number."""
    found = 0
    for i in range(rows[0], rows[1]):
        for j in range(columns[0], columns[1]):
            k = (i * KW + j) * Cg
            place = (i * dilation[0] * W + j * dilation[1]) * C - k
            for row in range(max(k, first), min(k + Cg, last)):
                places[found], weights[found] = place + row, row * F
                found += 1
    return found
