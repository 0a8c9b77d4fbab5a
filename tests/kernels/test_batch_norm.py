import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, row_shapes, whole
from twins import against_twin

from tinycnn.kernels.batch_norm import (
    add_gradients,
    add_squared_deviations,
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


@given(row_shapes(), dtypes, generators, st.data())
def test_add_squared_deviations_is_its_twin(shape, dtype, rng, data):
    x, (mean, sums) = with_nan(rng, whole(rng, shape, dtype)), whole(rng, (2, shape[1]))
    against_twin(add_squared_deviations, x, mean, *some(data, shape[0]), sums)


@given(row_shapes(), dtypes, generators, st.data())
def test_add_gradients_is_its_twin(shape, dtype, rng, data):
    dy, x = (with_nan(rng, whole(rng, shape, dtype)) for _ in range(2))
    mean, dbeta, products = whole(rng, (3, shape[1]))
    against_twin(add_gradients, dy, x, mean, *some(data, shape[0]), dbeta, products)


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
    x, sums = np.array([[2.0**24 - 1], [2.0**24]], np.float32), np.zeros(1)
    mean = np.array([2.0**24 - 0.5])
    add_squared_deviations(x, mean, 0, 2, sums)
    assert sums == 0.5
