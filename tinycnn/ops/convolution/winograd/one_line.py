"""Winograd's algorithm on one line of numbers, a function a step: to look at, in float64.

    v = B^T x,  u = G w,  m = u * v cell by cell,  y = A^T m

The kernels do the same to the columns and then to the rows of a tile, with the matrices of
`tinycnn.ops.convolution.winograd.matrices` written out. Gradients go through the transposed matrices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array


def transform(matrix: ArrayLike, x: ArrayLike) -> Array:
    """The matrix (n, l) times the l numbers of ``x``, an array of any shape: (n,)."""
    result: Array = np.asarray(matrix) @ np.ravel(x)
    return result


def transform_backward(dy: ArrayLike, matrix: ArrayLike) -> Array:
    """Gradient of `transform` with respect to x: the transposed matrix times ``dy`` (n,), (l,)."""
    return transform(np.transpose(matrix), dy)


def multiply(u: ArrayLike, v: ArrayLike) -> Array:
    """The products of ``u`` (n,) and ``v`` (n,) cell by cell."""
    result: Array = np.asarray(u) * np.asarray(v)
    return result


def multiply_backward(dm: ArrayLike, u: ArrayLike, v: ArrayLike) -> tuple[Array, Array]:
    """Gradients (du, dv) of `multiply`: each the upstream ``dm`` (n,) times the other factor."""
    return multiply(dm, v), multiply(dm, u)
