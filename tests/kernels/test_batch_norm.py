import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.kernels.batch_norm import (
    add_deviation_products,
    scale_deviations,
    scale_deviations_backward,
)
from tinycnn.testing.strategies import dtypes, generators

rows, channels = st.integers(0, 9), st.integers(1, 20)


def with_nan(rng, array):
    array[rng.random(array.shape) < 0.1] = np.nan
    return array


@given(rows, channels, dtypes, generators, st.data())
def test_add_deviation_products_is_its_twin(M, C, dtype, rng, data):
    a, b = (with_nan(rng, whole(rng, (M, C), dtype)) for _ in range(2))
    a_mean, b_mean, sums = whole(rng, (3, C))
    against_twin(add_deviation_products, a, a_mean, b, b_mean, *data.draw(ranges(M)), sums)


@given(rows, channels, dtypes, generators, st.data())
def test_scale_deviations_is_its_twin(M, C, dtype, rng, data):
    x, y = with_nan(rng, whole(rng, (M, C), dtype)), np.full((M, C), 77, dtype)
    against_twin(scale_deviations, x, *whole(rng, (3, C)), *data.draw(ranges(M)), y)


@given(rows, channels, dtypes, generators, st.data())
def test_scale_deviations_backward_is_its_twin(M, C, dtype, rng, data):
    dy, x = (with_nan(rng, whole(rng, (M, C), dtype)) for _ in range(2))
    dx, means = np.full((M, C), 77, dtype), whole(rng, (4, C))
    against_twin(scale_deviations_backward, dy, x, *means, *data.draw(ranges(M)), dx)


def test_a_large_mean_loses_nothing():
    x, sums = np.array([[2.0**24 - 1], [2.0**24]], np.float32), np.zeros(1)
    mean = np.array([2.0**24 - 0.5])
    add_deviation_products(x, mean, x, mean, 0, 2, sums)
    assert sums == 0.5
