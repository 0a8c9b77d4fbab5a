import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, row_shapes, whole
from twins import against_twin

from tinycnn.kernels.batch_norm import (
    add_gradients,
    channel_scales,
    gradient_factors,
    join_moments,
    moments_of_rows,
    scale_deviations,
    scale_deviations_backward,
)
from tinycnn.testing.strategies import dtypes, generators


def with_nan(rng, array):
    """NaN here and there, in some channels."""
    array[(rng.random(array.shape) < 0.1) & (rng.random(array.shape[1]) < 0.3)] = np.nan
    return array


def some(data, rows):
    return data.draw(st.just((0, rows)) | ranges(rows))


def one_of(data, rows):
    """How many ranges the rows are cut into, and one of them."""
    count = data.draw(st.integers(1, max(min(rows, 5), 1)))
    k = data.draw(st.integers(0, count - 1))
    return count, (rows * k // count, rows * (k + 1) // count)


@given(row_shapes(), dtypes, generators, st.data())
def test_moments_of_rows_is_its_twin(shape, dtype, rng, data):
    rows, C = shape[0] + 1, shape[1]
    count, part = one_of(data, rows)
    parts = np.full((count, 3, C), 77.0)
    against_twin(moments_of_rows, whole(rng, (rows, C), dtype), *part, parts, bound=1e-13)


@given(st.integers(0, 5), st.integers(1, 5), generators)
def test_join_moments_is_its_twin(count, C, rng):
    parts, (mean, variance) = np.abs(whole(rng, (count, 3, C))), np.full((2, C), 77.0)
    parts[:, 0] += 1
    against_twin(join_moments, parts, mean, variance, bound=1e-13)


@given(st.integers(1, 20), generators)
def test_channel_scales_is_its_twin(C, rng):
    gamma, (inverse, scale) = whole(rng, (C,)), np.full((2, C), 77.0)
    against_twin(channel_scales, gamma, rng.random(C), 1e-3, inverse, scale, bound=1e-15)


def test_a_variance_below_0_is_told():
    one, room = np.ones(2), np.empty(2)
    for variance, good in ([0, 1], True), ([1, -1e-9], False), ([np.nan, 0], True):
        assert channel_scales(one, np.array(variance, float), 1e-3, room, room.copy()) is good


@given(st.integers(1, 4), st.integers(1, 20), dtypes, generators)
def test_gradient_factors_is_its_twin(blocks, C, dtype, rng):
    inverse, scale = rng.random((2, C))
    (dgamma, dbeta), (dy_mean, slope) = np.empty((2, C), dtype), np.empty((2, C))
    given = whole(rng, (blocks, 2, C)), inverse, scale, 7
    against_twin(gradient_factors, *given, dgamma, dbeta, dy_mean, slope, bound=1e-14)


@given(row_shapes(), dtypes, generators, st.data())
def test_add_gradients_is_its_twin(shape, dtype, rng, data):
    dy, x = (with_nan(rng, whole(rng, shape, dtype)) for _ in range(2))
    count, part = one_of(data, shape[0])
    mean, parts = whole(rng, shape[1]), whole(rng, (count, 2, shape[1]))
    against_twin(add_gradients, dy, x, mean, *part, parts)


@given(row_shapes(), dtypes, generators, st.data())
def test_scale_deviations_is_its_twin(shape, dtype, rng, data):
    x, y = with_nan(rng, whole(rng, shape, dtype)), np.full(shape, 77, dtype)
    against_twin(scale_deviations, x, *whole(rng, (3, shape[1])), *some(data, shape[0]), y)


@given(row_shapes(), dtypes, generators, st.data())
def test_scale_deviations_backward_is_its_twin(shape, dtype, rng, data):
    dy, x = (with_nan(rng, whole(rng, shape, dtype)) for _ in range(2))
    dx, means = np.full(shape, 77, dtype), whole(rng, (4, shape[1]))
    against_twin(scale_deviations_backward, dy, x, *means, *some(data, shape[0]), dx)


def test_a_large_mean_loses_nothing():
    x, parts = np.array([[2.0**24 - 1], [2.0**24]], np.float32), np.zeros((1, 3, 1))
    moments_of_rows(x, 0, 2, parts)
    assert parts.ravel().tolist() == [2, 2.0**24 - 0.5, 0.5]


def test_a_first_row_far_from_the_others_loses_little():
    x, parts = np.array([[1e8], [1], [2], [3], [4]]), np.zeros((1, 3, 1))
    moments_of_rows(x, 0, 5, parts)
    mean = 1e8 / 5 + 2
    squares = (1e8 - mean) ** 2 + sum((number - mean) ** 2 for number in (1, 2, 3, 4))
    np.testing.assert_allclose(parts.ravel(), [5, mean, squares], rtol=1e-15)


def test_infinity_and_nan_are_seen_in_the_moments():
    x, parts = np.ones((4, 3), np.float32), np.zeros((1, 3, 3))
    x[0, 0], x[2, 1] = np.inf, np.nan
    with np.errstate(invalid="ignore"):  # without Numba, NumPy warns
        moments_of_rows(x, 0, 4, parts)
    assert np.isnan(parts[0, 2, :2]).all() and parts[0, :, 2].tolist() == [4, 1, 0]
