"""The gradient of a convolution's input without unrolling, from what each output gives to its window."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.microkernels import product_2, product_4
from tinycnn.kernels.panels import PANEL
from tinycnn.kernels.simd import LANES, load, read_only, splat, store_first

# Outputs whose terms of dx are worked out together, in whole rows: what is added up soon stays in the cache.
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
    weights = read_only(panels.reshape(panels.size))
    # Terms of those rows of outputs that a row of dx sees, and of some more, take turns in a ring.
    seen, together = min((kernel[0] - 1) * dilation[0] // stride[0] + 1, OH), max(_CELLS // OW, 1)
    ring = -(-(seen + together) // together) * together
    terms = np.empty(ring * OW * line + LANES, np.float32)
    ends, offsets, rows = np.empty(W, np.int64), np.empty(W * kernel[1], np.int64), kernel[0]
    _terms_of_columns(
        ends, offsets, OW, kernel[1], stride[1], padding[1], dilation[1], line, channels
    )
    starts = np.empty(rows, np.int64)
    for n in range(first, last):
        done = 0
        for h in range(H):
            while done < OH and done * stride[0] <= h + padding[0]:
                some, at = min(together, OH - done), (n * OH + done) * OW * F
                for p in range(len(panels)):
                    _product(
                        some * OW, dz, at, F, 1, F, at, weights, p * F * PANEL, PANEL,
                        terms, done % ring * OW * line + p * PANEL, line, False,
                    )  # fmt: skip
                done += some
            found = 0
            for i in range(rows - 1, -1, -1):
                down = h + padding[0] - i * dilation[0]
                if down >= 0 and down % stride[0] == 0 and down // stride[0] < OH:
                    oh = down // stride[0]
                    starts[found] = oh % ring * OW * line + i * kernel[1] * channels
                    found += 1
            _add_up(
                terms, starts, found, ends, offsets, channels, dx, (n * H + h) * W * C + channel, C
            )


@kernel
def _terms_of_columns(
    ends: Any, offsets: Any, OW: int, KW: int, stride: int, padding: int, dilation: int, line: int,
    channels: int,
) -> None:  # fmt: skip
    """Write where the terms of each column of dx stand in a row of them, and where these end in the list."""
    found = 0
    for w in range(len(ends)):
        for j in range(KW - 1, -1, -1):
            across = w + padding - j * dilation
            if across >= 0 and across % stride == 0 and across // stride < OW:
                offsets[found] = across // stride * line + j * channels
                found += 1
        ends[w] = found


@kernel
def _add_up(
    terms: Any, starts: Any, rows: int, ends: Any, offsets: Any, channels: int, dx: Any, to: int, C: int
) -> None:  # fmt: skip
    """Write a row of dx from ``to`` on: of each cell the sum of its terms, in so many ``rows`` of outputs."""
    begin = 0
    for w in range(len(ends)):
        end = ends[w]
        for c in range(0, channels, LANES):
            total = splat(0)
            for row in range(rows):
                for term in range(begin, end):
                    total = total + load(terms, starts[row] + offsets[term] + c)
            store_first(dx, to + c, min(channels - c, LANES), total)
        begin, to = end, to + C
