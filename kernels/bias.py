"""What surrounds a product of matrices: forward bias and rectifier, backward their gradients, in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.relu import relu_backward
from tinycnn.kernels.rows import fold, four, rows_side_by_side


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
def bias_gradient(dy: Any, first: int, last: int, sums: Any, block: int) -> None:
    """Write ``sums[block]``, the sum of rows ``first`` to ``last`` (not included) of ``dy`` (rows, F).

    ``sums`` is (blocks, F), float64.
    """
    F = dy.shape[1]
    total = np.zeros(rows_side_by_side(F) * F)
    _add_rows(dy.reshape(dy.size), first * F, last * F, total)
    _write(total, sums[block])


@kernel
def relu_bias_gradient(
    dy: Any, y: Any, first: int, last: int, dz: Any, sums: Any, block: int
) -> None:
    """Write dz, which is ``dy`` where ``y`` is above zero or NaN and zero elsewhere, and its sum.

    ``dy``, ``y`` and ``dz`` are (rows, F); rows ``first`` to ``last`` (not included) are done. The sum goes
    to ``sums[block]``, as in `bias_gradient`.
    """
    F = dy.shape[1]
    source, mask, target = dy.reshape(dy.size), y.reshape(y.size), dz.reshape(dz.size)
    total = np.zeros(rows_side_by_side(F) * F)
    # Two loops, which are both vectorised, take less time than one; between them dz stays in L1.
    for start in range(first * F, last * F, 4 * total.size):
        stop = min(start + 4 * total.size, last * F)
        relu_backward(source, mask, start, stop, target)
        _add_rows(target, start, stop, total)
    _write(total, sums[block])


@kernel
def add_sums(sums: Any, db: Any) -> None:
    """Write ``db`` (F,), the sum of the rows of ``sums`` (blocks, F) in their order, in float64."""
    for f in range(len(db)):
        total = 0.0
        for block in range(len(sums)):
            total += sums[block, f]
        db[f] = total


@kernel
def _add_rows(source: Any, at: int, end: int, total: Any) -> None:
    """Add numbers ``at`` to ``end`` (not included), which begin a row, to the sums of a wide row."""
    width = total.size
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


@kernel
def _write(total: Any, sums: Any) -> None:
    """Write the sums of a wide row's rows."""
    for f in range(len(sums)):
        sums[f] = 0
    fold(total, sums)
