import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.kernels.relu import relu, relu_backward
from tinycnn.testing.strategies import dtypes, generators


@given(st.integers(0, 40), dtypes, generators, st.data())
def test_relu_is_its_twin(size, dtype, rng, data):
    x = rng.choice(np.array([np.nan, np.inf, -np.inf, 0, -0.0, -1, 2, 1e-40], dtype), size)
    against_twin(relu, x, *data.draw(ranges(size)), np.full(size, 77, dtype))


@given(st.integers(0, 40), dtypes, generators, st.data())
def test_relu_backward_is_its_twin(size, dtype, rng, data):
    y = rng.choice(np.array([np.nan, np.inf, 0.0, -0.0, -1.0, 2.0], dtype), size)
    first, last = data.draw(ranges(size))
    against_twin(relu_backward, whole(rng, size, dtype), y, first, last, np.full(size, 77, dtype))


@given(st.integers(0, 40), dtypes, generators)
def test_relu_backward_may_write_over_dy(size, dtype, rng):
    dy, y, dz = whole(rng, (3, size), dtype)
    relu_backward(dy, y, 0, size, dz)
    relu_backward(dy, y, 0, size, dy)
    np.testing.assert_array_equal(dy, dz)


def test_relu_backward_lets_nan_pass_and_stops_at_both_zeros():
    y, dz = np.array([np.nan, 0.0, -0.0, 1e-45], np.float32), np.empty(4, np.float32)
    relu_backward(np.full(4, 5, np.float32), y, 0, 4, dz)
    np.testing.assert_array_equal(dz, [5, 0, 0, 5])
