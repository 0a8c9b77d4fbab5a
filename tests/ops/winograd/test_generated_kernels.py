"""Each generated kernel does what its name says."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import whole

from tinycnn import kernels
from tinycnn.arrays import read_only
from tinycnn.kernels import microkernels, winograd_transforms
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, splat
from tinycnn.ops.convolution.winograd import matrices
from tinycnn.testing.strategies import generators

FOLDER = Path(kernels.__path__[0])
TRANSFORMS = re.findall(r"^def (\w+)", (FOLDER / "winograd_transforms.py").read_text(), re.M)


def cases():
    """(name, m): each transform; those of outputs for a big tile and for a small one."""
    for name in TRANSFORMS:
        if name.startswith("output"):
            k, n = map(int, re.findall(r"\d+", name))
            yield from ((name, n - k + 1), (name, n - k))
        else:
            yield name, None


CASES = list(cases())


def matrix_of(name, m):
    """The matrix that a transform's name promises, for tiles of m outputs."""
    *k, n = map(int, re.findall(r"\d+", name))
    if name.startswith("input"):
        matrix = matrices.input_matrix(n)
    else:
        matrix = matrices.shared_output_matrix(m, k[0], n)
        matrix = matrices.transposed(matrix) if "gradient" in name else matrix
    return np.array(matrix, dtype=np.float64)


def test_the_transforms_are_found():
    assert len(TRANSFORMS) == 17
    assert {
        "input_n7",
        "output_k3_n8",
        "output_gradient_k5_n8",
    } <= set(TRANSFORMS)


def called(name, m):
    """A transform as a function of arrays and numbers; one that finishes outputs adds 3, from -5 up."""
    transform = getattr(winograd_transforms, name)
    if m is None:
        return transform
    if not name.startswith("output_k"):
        return partial(transform, m)

    @kernel
    def finished(x, at, step, stride, y, to, y_step, y_stride, count):
        transform(m, x, at, step, stride, y, to, y_step, y_stride, count, splat(3.0), splat(-5.0))

    return finished


@pytest.mark.parametrize(("name", "m"), CASES)
def test_a_transform_multiplies_with_its_matrix(name, m):
    """Three columns of vectors, with gaps between them; whole numbers, so only thirds are rounded."""
    rng, matrix = np.random.default_rng(2), matrix_of(name, m)
    rows, columns = matrix.shape
    x = whole(rng, (3, columns + 1, LANES + 1), np.float32)
    x[:, columns:] = np.nan  # where the further input of a big tile would be
    y = np.full((3, rows + 2, LANES + 3), 77, np.float32)
    results = np.einsum("ij,tjl->til", matrix, x[:, :columns, :LANES])
    if name.startswith("output_k"):
        results = np.maximum(results + 3, -5)
    expected = y.copy()
    expected[:, 1 : rows + 1, :LANES] = results
    called(name, m)(
        read_only(x.reshape(-1)), 0, LANES + 1, (columns + 1) * (LANES + 1),
        y.reshape(-1), LANES + 3, LANES + 3, (rows + 2) * (LANES + 3), 3,
    )  # fmt: skip
    np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-5)


def measured(name, m=None):
    """The matrix that a transform multiplies with: what it makes of a 1 in each place and 0 elsewhere."""
    rows, columns = matrix_of(name, m).shape
    x, y = (
        np.zeros((columns, columns, LANES), np.float32),
        np.zeros((columns, rows, LANES), np.float32),
    )
    x[range(columns), range(columns)] = 1
    called(name, m)(
        read_only(x.reshape(-1)), 0, LANES, columns * LANES, y.reshape(-1), 0, LANES, rows * LANES, columns,
    )  # fmt: skip
    return np.float64(y[..., 0].T) - (3 if name.startswith("output_k") else 0)


@pytest.mark.parametrize(("name", "m"), [case for case in CASES if case[0].startswith("output_k")])
def test_together_the_transforms_are_a_correlation(name, m):
    """y_i = sum over a of w_a x_(i+a): Winograd's identity, of what the compiled code does.

    The gradients of the outputs go the same way back, by the transposed transform.
    """
    k, n = map(int, re.findall(r"\d+", name))
    inputs = m + k - 1
    A, B = measured(name, m), measured(f"input_n{inputs}")
    G = np.array(matrices.weight_matrix(n - k + 1, k), np.float64)[:inputs]
    i, a, c = np.ogrid[:m, :k, :inputs]
    ours = np.einsum("if,fa,fc->iac", A, G, B)
    np.testing.assert_allclose(ours, np.where(c == i + a, 1, 0), rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        measured(name.replace("output", "output_gradient"), m), A.T, atol=1e-6
    )


@st.composite
def products(draw):
    """Sizes of c = a b: (rows, depth, a read by columns?, gap of b's rows, add to c?)."""
    booleans = st.booleans()
    return (
        draw(st.integers(0, 26)),
        draw(st.integers(0, 9)),
        draw(booleans),
        draw(booleans),
        draw(booleans),
    )


@pytest.mark.parametrize("width", [2, 3, 4])
@settings(max_examples=60)
@given(sizes=products(), rng=generators)
def test_a_product_is_that_of_the_matrices(width, sizes, rng):
    """And cells beside those that are to be written stay as they were."""
    rows, depth, by_columns, gap, add = sizes
    columns = width * LANES
    a = whole(rng, (depth, rows + 1) if by_columns else (rows, depth + 1), np.float32)
    b = whole(rng, (depth + 1, columns + LANES * gap), np.float32)
    c = whole(rng, (rows + 1, columns + 2), np.float32)
    left = a[:, :rows].T if by_columns else a[:, :depth]
    expected = c.copy()
    expected[:rows, 1 : columns + 1] *= add
    expected[:rows, 1 : columns + 1] += left @ b[:depth, :columns]
    a_row, a_column = (1, rows + 1) if by_columns else (depth + 1, 1)
    job = np.array([[rows, depth, 0, 3, 1]])
    getattr(microkernels, f"products_{width}")(
        read_only(job), read_only(a.reshape(-1)), a_row, a_column,
        read_only(np.append(np.zeros(5, np.float32), b)), 2, b.shape[1],
        c.reshape(-1), columns + 2, add,
    )  # fmt: skip
    np.testing.assert_array_equal(c, expected)
