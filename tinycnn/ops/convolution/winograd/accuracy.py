"""How far float32 can lead a Winograd convolution away from the exact result, at worst.

Each sum and each product is rounded, with a relative error of at most 2^-24. What an output is worked
out from is larger than the output itself: A, G and B have entries of both signs, and large terms
cancel. Along one axis, weight k of a tile is taken with input l into output i with the weight

    sum over j of |A[i, j]| |G[j, k]| |B[j, l]|

(for a convolution done directly that is 1 where l = i + k, else 0). Its sum over l, for the worst i
and k, is the tile's `condition`. Higham, Accuracy and Stability of Numerical Algorithms (2002),
section 3.1, gives the bound for a chain of d roundings: d u / (1 - d u).

On the way numbers are larger, too, by the tile's `growth` along each axis: that is how much earlier than
a direct sum the algorithm overflows.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np

from tinycnn.arrays import Array
from tinycnn.ops.convolution.winograd.matrices import (
    Matrix,
    input_matrix,
    shared_output_matrix,
    weight_matrix,
)
from tinycnn.ops.convolution.winograd.tiling import Tiling

_ROUNDING = 2.0**-24
# No `growth` along both axes of any tile exceeds 2^12 (a test works them all out), and float32 ends below
# 2^128: nothing overflows where max|x|, max|W|, max|dy| and the sums of `growth` are no larger than this.
SAFE = 2.0**116


def error_bound(
    W: Array, bias: Array | None, rows: Tiling, columns: Tiling, largest: float
) -> Array:
    """Bound |y - exact| for each filter (F,), where no cell of x is larger than ``largest``.

    With d roundings in a row, it is

        (d u / (1 - d u)) * (condition of rows * condition of columns * largest * sum |W| + |bias|)
    """
    _, _, C, F = W.shape
    conditions = float(_worst(rows) * _worst(columns))
    # Of C products; of each transform, both ways and along both axes; of the weights, and the bias.
    roundings = C + 2 * (rows.frequencies + columns.frequencies) + 8
    growth = roundings * _ROUNDING / (1 - roundings * _ROUNDING)
    weights = np.abs(W, dtype=np.float64).sum(axis=(0, 1, 2))
    biases = np.zeros(F) if bias is None else np.abs(bias, dtype=np.float64)
    bound: Array = growth * (conditions * largest * weights + biases)
    return bound


def _worst(axis: Tiling) -> Fraction:
    sizes = [axis.outputs] * bool(axis.big) + [axis.outputs - 1] * bool(axis.small)
    return max(condition(m, axis.kernel, axis.frequencies) for m in sizes)


@cache
def condition(m: int, r: int, n: int) -> Fraction:
    """Of a tile of m outputs of an r-kernel, with weights transformed for n frequencies."""
    used = m + r - 1
    A, G = shared_output_matrix(m, r, n), weight_matrix(n - r + 1, r)[:used]
    inputs = [sum(row) for row in _evaluated(used)]
    return max(
        sum((abs(a[j] * G[j][k]) * inputs[j] for j in range(used)), Fraction(0))
        for a in A
        for k in range(r)
    )


@cache
def growth(m: int, r: int, n: int) -> Fraction:
    """How much larger any number on the way may be than what it is made of, along one axis.

    Forward, an input's or a product's than max|x| and max|x| * sum|W| over the filter; for dW a
    gradient's or a product's than max|dy| and max|x| * sum|dy|. No partial sum exceeds these.
    """
    used = m + r - 1
    A, G = shared_output_matrix(m, r, n), weight_matrix(n - r + 1, r)[:used]
    inputs = [sum(row, Fraction(0)) for row in _evaluated(used)]
    columns = [[abs(a[j]) for a in A] for j in range(used)]
    gradients = [sum(column, Fraction(0)) for column in columns]
    products = [inputs[j] * max(columns[j]) for j in range(used)]
    weights = [
        sum((abs(G[j][k]) * products[j] for j in range(used)), Fraction(0)) for k in range(r)
    ]
    return max(condition(m, r, n), *inputs, *gradients, *products, *weights)


def _evaluated(n: int) -> Matrix:
    """|B^T| as it is worked out: for points p and -p a half sum plus or minus a half difference.

    Of |a + b|/2 + |a - b|/2 = max(|a|, |b|), each pair of rows.
    """
    rows = [[abs(c) for c in row] for row in input_matrix(n)]
    for j in range(2, n - 1, 2):
        together = [max(pair) for pair in zip(rows[j], rows[j + 1], strict=True)]
        rows[j] = rows[j + 1] = together
    return tuple(map(tuple, rows))
