import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import whole
from twins import against_twin

from tinycnn.kernels.relu import relu_backward
from tinycnn.testing.strategies import dtypes, generators


@given(hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9), dtypes, generators)
def test_relu_backward_is_its_twin(shape, dtype, rng):
    y = rng.choice(np.array([np.nan, np.inf, 0.0, -0.0, -1.0, 2.0], dtype), shape)
    against_twin(relu_backward, whole(rng, shape, dtype), y, np.full(shape, 77, dtype))


@given(st.integers(0, 9), dtypes, generators)
def test_relu_backward_may_write_over_dy(rows, dtype, rng):
    dy, y, dz = whole(rng, (3, rows, 4), dtype)
    relu_backward(dy, y, dz)
    relu_backward(dy, y, dy)
    np.testing.assert_array_equal(dy, dz)


def test_relu_backward_lets_nan_pass_and_stops_at_both_zeros():
    y, dz = np.array([[np.nan, 0.0, -0.0, 1e-45]], np.float32), np.empty((1, 4), np.float32)
    relu_backward(np.full((1, 4), 5, np.float32), y, dz)
    np.testing.assert_array_equal(dz, [[5, 0, 0, 5]])
