import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, row_shapes, whole
from twins import against_twin

from tinycnn.kernels.bias import add_bias, add_sums, bias_gradient, relu_bias_gradient
from tinycnn.testing.strategies import dtypes, generators


@given(st.integers(0, 9), st.integers(1, 9), dtypes, generators, st.booleans())
def test_add_bias_is_its_twin(rows, F, dtype, rng, relu):
    y, b = whole(rng, (rows, F), dtype), whole(rng, F, dtype)
    y[rng.random(y.shape) < 0.2] = rng.choice([np.nan, np.inf, -np.inf])
    against_twin(add_bias, y, b, relu)


def test_add_bias_rectifies_the_sum_and_lets_nan_pass():
    y = np.array([[-3.0, 3, np.nan, np.inf, -np.inf, -2]])
    b = np.array([2.0, -2, 1, -1, 1, 2])
    add_bias(y, b, True)
    np.testing.assert_array_equal(y, [[0, 1, np.nan, np.inf, 0, 0]])
    add_bias(y, b, False)
    np.testing.assert_array_equal(y, [[2, -1, np.nan, np.inf, 1, 2]])


@given(row_shapes(), dtypes, generators, st.data())
def test_bias_gradient_is_its_twin(shape, dtype, rng, data):
    dy, sums = whole(rng, shape, dtype), whole(rng, (3, shape[1]))
    rows = data.draw(st.just((0, shape[0])) | ranges(shape[0]))
    against_twin(bias_gradient, dy, *rows, sums, data.draw(st.integers(0, 2)))


@given(row_shapes(), dtypes, generators, st.data())
def test_relu_bias_gradient_is_its_twin(shape, dtype, rng, data):
    y = rng.choice(np.array([np.nan, np.inf, 0.0, -0.0, -1.0, 2.0], dtype), shape)
    dy, dz, sums = whole(rng, shape, dtype), np.full(shape, 77, dtype), whole(rng, (2, shape[1]))
    rows = data.draw(st.just((0, shape[0])) | ranges(shape[0]))
    against_twin(relu_bias_gradient, dy, y, *rows, dz, sums, data.draw(st.integers(0, 1)))


@given(st.integers(0, 9), st.integers(1, 9), dtypes, generators)
def test_add_sums_is_its_twin(blocks, F, dtype, rng):
    against_twin(add_sums, whole(rng, (blocks, F)), np.full(F, 77, dtype))


def test_gradients_of_float32_are_summed_in_float64():
    dy, sums = np.array([[2.0**24], [1], [1]], np.float32), np.zeros((1, 1))
    bias_gradient(dy, 0, 3, sums, 0)
    assert sums == 2.0**24 + 2
