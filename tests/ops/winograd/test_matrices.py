"""The matrices make Winograd's identity true, in exact fractions."""

from fractions import Fraction

import numpy as np
import pytest

from tinycnn.ops.convolution.winograd import matrices

# (r, m, n): m outputs of an r-kernel, from the first m + r - 1 of n frequencies.
TILES = [
    (3, 6, 8),
    (3, 5, 8),
    (3, 5, 7),
    (3, 4, 7),
    (3, 4, 6),
    (3, 3, 6),
    (3, 3, 5),
    (3, 2, 5),
    (3, 2, 4),
    (2, 4, 5),
    (2, 3, 5),
    (5, 4, 8),
    (5, 3, 8),
]


def exact(matrix):
    return np.array(matrix, dtype=object)


def fractions(rng, shape):
    """Random sevenths."""
    numbers = [Fraction(int(k), 7) for k in rng.integers(-50, 51, np.prod(shape))]
    return np.array(numbers, dtype=object).reshape(shape)


def matrices_of(r, m, n):
    """A^T, G and B^T of a tile that shares the weights of a transform of n inputs."""
    used = m + r - 1
    G = exact(matrices.weight_matrix(n - r + 1, r))[:used]
    return exact(matrices.shared_output_matrix(m, r, n)), G, exact(matrices.input_matrix(used))


@pytest.mark.parametrize(("r", "m", "n"), TILES)
def test_the_identity_holds_along_an_axis(r, m, n):
    rng = np.random.default_rng(0)
    A, G, B = matrices_of(r, m, n)
    w, x = fractions(rng, r), fractions(rng, m + r - 1)
    expected = [sum(w[k] * x[i + k] for k in range(r)) for i in range(m)]
    assert list(A @ ((G @ w) * (B @ x))) == expected


@pytest.mark.parametrize(("r", "m", "n"), TILES)
def test_the_identity_holds_in_two_dimensions(r, m, n):
    rng = np.random.default_rng(1)
    A, G, B = matrices_of(r, m, n)
    w, x = fractions(rng, (r, r)), fractions(rng, (m + r - 1, m + r - 1))
    y = A @ ((G @ w @ G.T) * (B @ x @ B.T)) @ A.T
    for i, j in np.ndindex(m, m):
        assert y[i, j] == (w * x[i : i + r, j : j + r]).sum()


def test_f_2_3_by_hand():
    """The first three points, 0, 1 and -1, and infinity before them."""
    half = Fraction(1, 2)
    assert matrices.output_matrix(2, 3) == ((0, 1, 1, 1), (1, 0, 1, -1))
    assert matrices.weight_matrix(2, 3) == (
        (0, 0, 1),
        (-1, 0, 0),
        (half, half, half),
        (half, -half, half),
    )
    assert matrices.input_matrix(4) == ((0, -1, 0, 1), (-1, 0, 1, 0), (0, 1, 1, 0), (0, -1, 1, 0))


@pytest.mark.parametrize("n", [4, 5, 6, 7, 8])
def test_neighbouring_sizes_share_all_points_but_one(n):
    assert matrices.points(n)[:-1] == matrices.points(n - 1)
    assert len(matrices.points(n)) == n - 1


def test_inputs_and_outputs_are_multiplied_by_numbers_that_float32_holds():
    numbers = [c for n in range(4, 9) for row in matrices.input_matrix(n) for c in row]
    numbers += [
        c for r, m, n in TILES for row in matrices.shared_output_matrix(m, r, n) for c in row
    ]
    assert all(Fraction(float(np.float32(float(c)))) == c for c in numbers)
