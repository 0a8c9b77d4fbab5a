"""Feature maps copied to where a border of zeros surrounds them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel


@kernel
def copy_with_border(
    x: Any,
    image: tuple[int, int, int],
    first: int,
    last: int,
    pad_top_left: tuple[int, int],
    size: tuple[int, int],
    column: int,
    target: Any,
) -> None:
    """Copy images ``first`` to ``last`` (not included) of ``x`` into maps of ``size`` each.

        target[n - first, h, w, c] = x[n, h - pad_top_left[0], w - pad_top_left[1], c]

    with zeros outside the image and for c from C on. ``x``, images of the size ``image`` (H, W, C), and
    ``target``, which has ``column`` numbers for a cell, are flat.
    """
    H, W, C = image
    (top, left), (height, width) = pad_top_left, size
    # Columns of the image that are seen. Without a gap between cells, they are one run.
    w_first, w_last = max(-left, 0), max(min(width - left, W), -left, 0)
    seen = w_last - w_first
    runs, length = (1, seen * C) if column == C else (seen, C)
    to = 0
    for n in range(first, last):
        for h in range(-top, height - top):
            if not 0 <= h < H:
                to = _clear(target, to, width * column)
                continue
            to = _clear(target, to, (w_first + left) * column)
            at = ((n * H + h) * W + w_first) * C
            for _ in range(runs):
                for e in range(length):
                    target[np.uintp(to + e)] = x[np.uintp(at + e)]
                to = _clear(target, to + length, column - C if column > C else 0)
                at += length
            to = _clear(target, to, (width - left - w_last) * column)


@kernel
def _clear(target: Any, to: int, count: int) -> int:
    """Write zeros, and give the index after them."""
    for e in range(count):
        target[np.uintp(to + e)] = 0
    return to + count
