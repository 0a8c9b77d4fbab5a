"""The matrices of Winograd's convolution, worked out from interpolation points in exact fractions.

m outputs of a kernel of r cells are read from n = m + r - 1 inputs x. Winograd's method (Toom and
Cook's multiplication of polynomials, transposed) needs n products instead of m*r:

    y = A^T [(G w) * (B^T x)],   A^T (m, n),  G (n, r),  B^T (n, n),  * cell by cell

Row or column j belongs to a point: to infinity for j = 0, to the (j-1)-th of `POINTS` after that.
With p a finite point and q the other finite ones,

    A^T[i, j] = p**i                               infinity: 1 for i = m - 1, else 0
    G[j, k]   = p**k / product of (p - q)          infinity: 1 for k = r - 1, else 0
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


@cache
def output_matrix(m: int, r: int) -> Matrix:
    """A^T (m, m + r - 1), from products to outputs."""
    finite = points(m + r - 1)
    return tuple((Fraction(int(i == m - 1)), *(p**i for p in finite)) for i in range(m))


@cache
def weight_matrix(m: int, r: int) -> Matrix:
    """G (m + r - 1, r), from weights to factors."""
    finite = points(m + r - 1)
    infinity = tuple(Fraction(int(k == r - 1)) for k in range(r))
    return (infinity, *(tuple(p**k / _distance(p, finite) for k in range(r)) for p in finite))


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
    further = POINTS[m + r - 2 : n - 1]
    scales = (
        Fraction(1),
        *(prod((p - q for q in further), start=Fraction(1)) for p in points(m + r - 1)),
    )
    return tuple(
        tuple(a * s for a, s in zip(row, scales, strict=True)) for row in output_matrix(m, r)
    )


def transposed(matrix: Matrix) -> Matrix:
    """Rows become columns."""
    return tuple(zip(*matrix, strict=True))


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
