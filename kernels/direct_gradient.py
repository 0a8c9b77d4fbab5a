"""Gradients of a convolution without unrolling: of its weights from the windows where they lie, and of x."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.border import copy_with_border
from tinycnn.kernels.dense import PANEL
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.microkernels import product_2, product_4
from tinycnn.kernels.simd import LANES, load, read_only, store
from tinycnn.kernels.window_products import window_products

# Numbers of dz that all weights are multiplied with before the next: 32 KB, which stay in L1.
_SLOPES = 8192
# Outputs of a row whose terms of dx are worked out before they are added: these stay in L2.
_CELLS = 32
_product = product_4 if LANES == 16 else product_2


@kernel
def direct_weight_gradient(
    x: Any,
    image: tuple[int, int, int],
    dz: Any,
    outputs: tuple[int, int, int],
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
    """Write rows ``first_row`` to ``last_row`` of dW (KH*KW*C, F): the sum over images ``first`` to ``last``.

        dW[start + ((i*KW + j)*C + c)*F + f] = sum over n, oh, ow of
                                  dz[n, oh, ow, f] * x[n, oh*sh - top + i*dh, ow*sw - left + j*dw, c]

    (neither last one included). All are flat, in float32; an ``image`` of x is (H, W, C), that of dz has
    ``outputs`` (OH, OW, F). x is zero outside. Sums run over n, oh and ow in this order.
    """
    H, W, C = image
    OH, OW, F = outputs
    seen = (
        (OH - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1,
        (OW - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1,
    )
    inside = padding == (0, 0) and seen[0] <= H and seen[1] <= W
    height, width = (H, W) if inside else seen
    row, map_size, cells = width * C, height * width * C, OH * OW
    # Images, or rows of one, whose numbers of dz are multiplied at a time.
    together = max(_SLOPES // (cells * F), 1)
    oh_step = OH if cells * F <= _SLOPES else max(_SLOPES // (OW * F), 1)
    room = np.empty(0 if inside else together * map_size, np.float32)
    # A vector reads on beyond a cell's numbers, also beyond the last cell's.
    some = np.zeros(together * oh_step * OW * F + LANES, np.float32)
    nothing = np.zeros(F + LANES, np.float32)
    rows = last_row - first_row
    weights, places = np.empty(rows, np.int64), np.empty(rows, np.int64)
    for k in range(first_row, last_row):
        i, j, c = k // (kernel[1] * C), k // C % kernel[1], k % C
        places[k - first_row] = i * dilation[0] * row + j * dilation[1] * C + c
        weights[k - first_row] = k * F
        for f in range(F):
            dW[np.uintp(start + k * F + f)] = 0
    windows, listed = (
        np.empty(together * oh_step * OW, np.int64),
        0,
    )  # rows an image, of those listed
    for n in range(first, last, together):
        images = min(together, last - n)
        if not inside:
            copy_with_border(x, image, n, n + images, padding, seen, C, room)
        for oh in range(0, OH, oh_step):
            lines = min(oh_step, OH - oh)
            if lines != listed:
                listed = lines
                for line in range(together * lines):
                    first_cell = line // lines * map_size + line % lines * stride[0] * row
                    for ow in range(OW):
                        windows[line * OW + ow] = first_cell + ow * stride[1] * C
            count, some_first = images * lines * OW, (n * cells + oh * OW) * F
            for e in range(count * F):
                some[np.uintp(e)] = dz[np.uintp(some_first + e)]
            down = oh * stride[0] * row
            source, at = (x, n * map_size + down) if inside else (read_only(room), down)
            window_products(
                source, at, places, windows[:count], read_only(some), F, read_only(nothing), False,
                True, dW, start, weights,
            )  # fmt: skip


@kernel
def direct_input_gradient(
    dz: Any,
    outputs: tuple[int, int, int],
    panels: Any,
    first: int,
    last: int,
    channel: int,
    channels: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    dx: Any,
    image: tuple[int, int, int],
) -> None:
    """Write dx of images ``first`` to ``last`` (not included), channels from ``channel`` on.

    Each output gives its dz times the weight to the cells of its window:

        dx[n, oh*sh - top + i*dh, ow*sw - left + j*dw, channel + c] += sum over f of
                                  dz[n, oh, ow, f] * W[i, j, channel + c, f]

    ``dz``, with ``outputs`` (OH, OW, F), and ``dx``, an ``image`` of which is (H, W, C), are flat, float32;
    ``panels`` are those weights, a matrix (KH*KW*channels, F), as `dense.pack_images` wrote them. Outputs
    come in row-major order.
    """
    H, W, C = image
    OH, OW, F = outputs
    line = len(panels) * PANEL
    runs, length = kernel[1], channels
    if dilation[1] == 1 and channels == C:
        runs, length = 1, kernel[1] * C
    weights, terms = read_only(panels.reshape(panels.size)), np.empty(_CELLS * line, np.float32)
    for n in range(first, last):
        for cell in range(n * H * W, (n + 1) * H * W):
            for e in range(cell * C + channel, cell * C + channel + channels):
                dx[np.uintp(e)] = 0
        for oh in range(OH):
            for start in range(0, OW, _CELLS):
                cells, at = min(OW - start, _CELLS), ((n * OH + oh) * OW + start) * F
                for p in range(len(panels)):
                    _product(
                        cells, dz, at, F, 1, F, at, weights, p * F * PANEL, PANEL,
                        terms, p * PANEL, line, False,
                    )  # fmt: skip
                for i in range(kernel[0]):
                    h = oh * stride[0] - padding[0] + i * dilation[0]
                    if h < 0 or h >= H:
                        continue
                    row = (n * H + h) * W * C
                    for cell in range(cells):
                        left = (start + cell) * stride[1] - padding[1]
                        s = cell * line + i * kernel[1] * channels
                        for run in range(runs):
                            to = (left + run * dilation[1]) * C + channel
                            low, high = max(-to, 0), min(W * C - to, length)
                            _add(read_only(terms), s, dx, row + to, low, high)
                            s += length


@kernel
def _add(source: Any, s: int, target: Any, t: int, first: int, last: int) -> None:
    """Add numbers ``first`` to ``last`` (not included) from ``s`` on to those from ``t`` on."""
    e = first
    while e + LANES <= last:
        store(target, t + e, load(target, t + e) + load(source, s + e))
        e += LANES
    while e < last:
        target[np.uintp(t + e)] += source[np.uintp(s + e)]
        e += 1
