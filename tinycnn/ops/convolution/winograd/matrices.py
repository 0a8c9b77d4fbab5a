"""The matrices of Winograd's convolution, worked out from interpolation points in exact fractions.

m outputs of a kernel of r cells are read from n = m + r - 1 inputs x. Winograd's method (Toom and
Cook's multiplication of polynomials, transposed) needs n products instead of m*r:

    y = A^T [(G w) * (B^T x)],   A^T (m, n),  G (n, r),  B^T (n, n),  * cell by cell

Row or column j belongs to a point: to infinity for j = 0, to the (j-1)-th of `POINTS` after that.
With p a finite point, q the other finite ones, and a the power (m-1)//2 of max(|p|, 1),

    A^T[i, j] = p**i / a                           infinity: 1 for i = m - 1, else 0
    G[j, k]   = a * p**k / product of (p - q)      infinity: 1 for k = r - 1, else 0
    B^T[j, l] = coefficient of x**l in the product of (x - q)      infinity: of (x - p) over all p

docs/mathematics/winograd.md derives them. See Winograd, Arithmetic Complexity of Computations (1980),
and Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2016).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from math import prod

Matrix = tuple[tuple[Fraction, ...], ...]

# A transform of n inputs takes infinity and the first n - 1 of these. In this order the rounding
# errors grow least, and neighbouring sizes share all points but the last.
POINTS = tuple(Fraction(p) for p in ("0", "1", "-1", "1/2", "-1/2", "2", "-2"))


def points(n: int) -> tuple[Fraction, ...]:
    """The finite points of a transform of n inputs."""
    return POINTS[: n - 1]


def output_matrix(m: int, r: int) -> Matrix:
    """A^T (m, m + r - 1), from products to outputs."""
    return shared_output_matrix(m, r, m + r - 1)


@cache
def weight_matrix(m: int, r: int) -> Matrix:
    """G (m + r - 1, r), from weights to factors."""
    finite = points(m + r - 1)
    infinity = tuple(Fraction(int(k == r - 1)) for k in range(r))
    scales = [_divisor(p, m) / _distance(p, finite) for p in finite]
    rows = (tuple(p**k * s for k in range(r)) for p, s in zip(finite, scales, strict=True))
    return (infinity, *rows)


@cache
def input_matrix(n: int) -> Matrix:
    """B^T (n, n), from inputs to factors."""
    finite = points(n)
    rows = [_coefficients(finite)]
    rows += [_coefficients(q for q in finite if q != p) for p in finite]
    return tuple(tuple(row + [Fraction(0)] * (n - len(row))) for row in rows)


@cache
def shared_output_matrix(m: int, r: int, n: int) -> Matrix:
    """A^T (m, m + r - 1) for products with the weights of a larger transform, of n inputs.

    The weights of point p are then divided by more distances, those to the further points q: the
    product of (p - q) puts them back.
    """
    finite, further = points(m + r - 1), POINTS[m + r - 2 : n - 1]
    scales = [prod((p - q for q in further), start=1 / _divisor(p, n - r + 1)) for p in finite]
    return tuple(
        (Fraction(int(i == m - 1)), *(p**i * s for p, s in zip(finite, scales, strict=True)))
        for i in range(m)
    )


def transposed(matrix: Matrix) -> Matrix:
    """Rows become columns."""
    return tuple(zip(*matrix, strict=True))


def _divisor(p: Fraction, m: int) -> Fraction:
    """What A's powers of p are divided by, and G's multiplied with, for big tiles of m outputs.

    Powers of 2 go up to 32: divided by the middle one, they make numbers on the way no larger than
    those of other points do. A power of two rounds nothing.
    """
    largest = max(abs(p), Fraction(1))
    return Fraction(largest ** ((m - 1) // 2))


def _distance(p: Fraction, finite: Sequence[Fraction]) -> Fraction:
    return prod((p - q for q in finite if q != p), start=Fraction(1))


def _coefficients(roots: Iterable[Fraction]) -> list[Fraction]:
    """Of the product of (x - root), the constant term first."""
    row = [Fraction(1)]
    for root in roots:
        row = [
            low - root * high
            for low, high in zip([Fraction(0), *row], [*row, Fraction(0)], strict=True)
        ]
    return row
