"""The gradient of a convolution's input without unrolling, from what each output gives to its window."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.dense import PANEL
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.microkernels import product_2, product_4
from tinycnn.kernels.simd import LANES, load, read_only, store

# Outputs of a row whose terms of dx are worked out before they are added: these stay in L2.
_CELLS = 32
_product = product_4 if LANES == 16 else product_2


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
