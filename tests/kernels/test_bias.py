import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import whole
from twins import against_twin

from tinycnn.kernels.bias import add_bias
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
