"""Batch normalisation: sums over a channel's cells, and each cell from what they gave; in float64 inside."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel


@kernel
def add_deviation_products(
    a: Any, a_mean: Any, b: Any, b_mean: Any, first: int, last: int, sums: Any
) -> None:
    """Add (a - a_mean) * (b - b_mean) of rows ``first`` to ``last`` (not included) to ``sums`` (C,).

    ``a`` and ``b`` are (rows, C); means and ``sums`` are float64.
    """
    C = a.shape[1]
    for row in range(first, last):
        for c in range(C):
            sums[c] += (a[row, c] - a_mean[c]) * (b[row, c] - b_mean[c])


@kernel
def scale_deviations(
    x: Any, mean: Any, scale: Any, shift: Any, first: int, last: int, y: Any
) -> None:
    """y = (x - mean) * scale + shift for rows ``first`` to ``last`` (not included) of ``x`` (rows, C).

    ``mean scale shift`` (C,) are float64.
    """
    C = x.shape[1]
    for row in range(first, last):
        for c in range(C):
            y[row, c] = (x[row, c] - mean[c]) * scale[c] + shift[c]


@kernel
def scale_deviations_backward(
    dy: Any,
    x: Any,
    dy_mean: Any,
    mean: Any,
    scale: Any,
    slope: Any,
    first: int,
    last: int,
    dx: Any,
) -> None:
    """dx = (dy - dy_mean) * scale - (x - mean) * slope for rows ``first`` to ``last`` (not included).

    ``dy x dx`` are (rows, C); ``dy_mean mean scale slope`` (C,) are float64.
    """
    C = x.shape[1]
    for row in range(first, last):
        for c in range(C):
            deviation = x[row, c] - mean[c]
            dx[row, c] = (dy[row, c] - dy_mean[c]) * scale[c] - deviation * slope[c]
