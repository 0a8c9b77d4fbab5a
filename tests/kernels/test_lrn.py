import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges
from twins import against_twin, error

from tinycnn.kernels.lrn import local_response_norm, local_response_norm_backward
from tinycnn.testing.strategies import dtypes, generators


@st.composite
def cases(draw):
    """Shape, range of rows and (size, a, beta, k), from hardly any effect to a strong one."""
    rows, C = draw(st.integers(0, 5)), draw(st.integers(1, 12))
    size = draw(st.sampled_from([1, 3, 5, 9]))  # wider than the channels too
    a = draw(st.sampled_from([0.0, 1e-4, 0.1, 1.0]))
    beta = draw(st.sampled_from([0.0, 0.5, 0.75, 1.0, 1.3]))
    k = draw(st.sampled_from([0.5, 1.0, 2.0]))
    return (rows, C), draw(st.one_of(st.just((0, rows)), ranges(rows))), (size, a, beta, k)


def bound(dtype):
    return 32 * np.finfo(dtype).eps


@given(cases(), dtypes, generators)
def test_local_response_norm_is_its_twin(case, dtype, rng):
    shape, rows, constants = case
    x = 3 * rng.standard_normal(shape).astype(dtype)
    y = np.full(shape, 0.5, dtype)
    against_twin(local_response_norm, x, *rows, *constants, y, bound=bound(dtype))


@given(cases(), dtypes, generators)
def test_local_response_norm_backward_is_its_twin(case, dtype, rng):
    shape, rows, constants = case
    dy, x = 3 * rng.standard_normal((2, *shape)).astype(dtype)
    dx = np.full(shape, 0.5, dtype)
    against_twin(local_response_norm_backward, dy, x, *rows, *constants, dx, bound=bound(dtype))


@given(cases(), generators)
def test_local_response_norm_backward_is_the_slope_in_any_direction(case, rng):
    shape, _, constants = case
    x, dy, direction = rng.standard_normal((3, *shape))
    above, below, dx = np.empty((3, *shape))
    step = 1e-5
    local_response_norm(x + step * direction, 0, len(x), *constants, above)
    local_response_norm(x - step * direction, 0, len(x), *constants, below)
    local_response_norm_backward(dy, x, 0, len(x), *constants, dx)
    slope = np.vdot(dy, above - below) / (2 * step)
    size = np.abs(dy * above).sum() + np.abs(direction * dx).sum() + 1  # what may cancel
    assert abs(slope - np.vdot(direction, dx)) <= 1e-8 * size


@pytest.mark.parametrize("beta", [0.75, 1.3])
def test_every_partial_derivative_of_local_response_norm(beta):
    x, dy = np.random.default_rng(0).standard_normal((2, 1, 9))
    constants = 5, 0.4, beta, 2.0
    dx, slopes, step = np.empty_like(x), np.empty_like(x), 1e-5
    local_response_norm_backward(dy, x, 0, 1, *constants, dx)
    for c in range(9):
        shift = step * (np.arange(9) == c)
        above, below = np.empty((2, *x.shape))
        local_response_norm(x + shift, 0, 1, *constants, above)
        local_response_norm(x - shift, 0, 1, *constants, below)
        slopes[0, c] = np.vdot(dy, above - below) / (2 * step)
    assert error(dx, slopes) <= 1e-9


def test_local_response_norm_by_hand():
    y = np.empty((1, 4))
    local_response_norm(np.array([[1.0, 2.0, 0.0, 4.0]]), 0, 1, 3, 0.5, 1.0, 2.0, y)
    np.testing.assert_allclose(y, [[1 / 4.5, 2 / 4.5, 0, 4 / 10]], rtol=1e-15)
