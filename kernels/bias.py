"""What surrounds a product of matrices: forward bias and rectifier, backward their gradients, in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.relu import relu_backward
from tinycnn.kernels.rows import fold, four, rows_side_by_side

# Numbers of dz that are added up at once.
_CELLS = 2048


@kernel
def add_bias(y: Any, b: Any, relu: bool) -> None:
    """Add ``b`` (F,) to each row of ``y`` (rows, F), in place.

    With ``relu`` what is then below zero becomes zero; NaN stays.
    """
    for row in range(y.shape[0]):
        for f in range(y.shape[1]):
            z = y[row, f] + b[f]
            y[row, f] = 0 if relu and z <= 0 else z


@kernel
def bias_gradient(dy: Any, first: int, last: int, db: Any) -> None:
    """Add rows ``first`` to ``last`` (not included) of ``dy`` (rows, F) to ``db`` (F,), in float64."""
    F = dy.shape[1]
    width = rows_side_by_side(F) * F
    source, end, total = dy.reshape(dy.size), last * F, np.zeros(width)
    at = first * F
    while at + 4 * width <= end:  # four at once: the sums are read and written once for them
        r0, r1, r2, r3 = four(source, at, width)
        for e in range(width):
            total[e] += (np.float64(r0[e]) + r1[e]) + (np.float64(r2[e]) + r3[e])
        at += 4 * width
    while at < end:
        row = source[at : at + width]
        for e in range(min(width, end - at)):
            total[e] += row[e]
        at += width
    fold(total, db)


@kernel
def relu_bias_gradient(dy: Any, y: Any, first: int, last: int, dz: Any, db: Any) -> None:
    """Write dz, which is ``dy`` where ``y`` is above zero or NaN and zero elsewhere, and add it to ``db``.

    ``dy``, ``y`` and ``dz`` are (rows, F); rows ``first`` to ``last`` (not included) are done. ``db`` (F,) is
    float64.
    """
    F = dy.shape[1]
    source, mask, target = dy.reshape(dy.size), y.reshape(y.size), dz.reshape(dz.size)
    rows = max(_CELLS // F, 1)
    # Two loops, which are both vectorised, take less time than one; between them dz stays in L1.
    for start in range(first, last, rows):
        stop = min(start + rows, last)
        relu_backward(source, mask, start * F, stop * F, target)
        bias_gradient(dz, start, stop, db)
