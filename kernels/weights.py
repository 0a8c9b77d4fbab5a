"""Weights of a convolution with channels and filters exchanged, or packed; gradients of parts added up."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel


@kernel
def exchange_channels(W: Any, cells: int, size: tuple[int, int], groups: int, turned: Any) -> None:
    """Exchange the channels and the filters of each group: ``turned`` (cells, Fg, C) of ``W`` (cells, Cg, F).

        turned[k, f, g*Cg + c] = W[k, c, g*Fg + f]

    Both are flat; ``size`` is (Cg, F), and each of the ``groups`` has Cg channels and Fg filters.
    """
    (Cg, F), Fg = size, size[1] // groups
    C = groups * Cg
    for k in range(cells):
        for f in range(F):
            to, at = (k * Fg + f % Fg) * C + f // Fg * Cg, k * Cg * F + f
            for c in range(Cg):
                turned[np.uintp(to + c)] = W[np.uintp(at + c * F)]


@kernel
def pack_channels(W: Any, first: int, last: int, panels: Any) -> None:
    """Pack channels ``first`` to ``last`` (not included) of ``W`` (cells, C, F), side by side.

        panels[p, f, m] = W[k, first + c, f],   k*(last - first) + c = p*width + m

    or 0 beyond the last; ``panels`` are (ceil(cells*(last - first) / width), F, width).
    """
    cells, F = W.shape[0], W.shape[2]
    channels, width = last - first, panels.shape[2]
    for p in range(len(panels)):
        for m in range(width):
            k, c = (p * width + m) // channels, first + (p * width + m) % channels
            for f in range(F):
                panels[p, np.uintp(f), m] = W[k, c, np.uintp(f)] if k < cells else 0


@kernel
def add_parts(parts: Any, size: int, count: int, first: int, last: int, total: Any) -> None:
    """Write numbers ``first`` to ``last`` (not included) of ``total``: ``count`` parts, added in their order.

    Both are flat; a part begins ``size`` numbers after the one before.
    """
    for e in range(first, last):
        total[np.uintp(e)] = parts[np.uintp(e)]
    for part in range(1, count):
        for e in range(first, last):
            total[np.uintp(e)] += parts[np.uintp(part * size + e)]
