from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_convolutions import grouped_convolutions
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels import window_weight_gradient as module
from tinycnn.kernels.window_weight_gradient import window_weight_gradient
from tinycnn.testing.strategies import generators


@settings(max_examples=60)
@given(
    grouped_convolutions(), st.booleans(), st.sampled_from([np.float32, np.float64]), generators,
    st.data(),
)  # fmt: skip
def test_window_weight_gradient_is_its_twin(sizes, along, dtype, rng, data):
    x_shape, dz_shape, window, groups = sizes
    x, dz = (read_only(whole(rng, prod(shape), dtype, top=4)) for shape in (x_shape, dz_shape))
    rows = prod(window[0]) * x_shape[3] // groups
    images = data.draw(st.just((0, x_shape[0])) | ranges(x_shape[0]))
    some = data.draw(st.just((0, rows)) | ranges(rows))
    dW, start = np.full(rows * dz_shape[3] + 3, 77, dtype), data.draw(st.integers(0, 3))
    sizes = x, x_shape[1:], dz, dz_shape[1:]
    against_twin(window_weight_gradient, *sizes, groups, along, *images, *window, *some, dW, start)


@pytest.mark.parametrize("along", [False, True])
def test_outputs_go_some_rows_at_a_time_where_an_image_is_large(along):
    rng = np.random.default_rng(0)
    x_shape, dz_shape, window = (1, 40, 30, 2), (1, 38, 28, 9), ((3, 3), (1, 1), (0, 0), (1, 1))
    assert prod(dz_shape) > module._SLOPES
    x, dz = (read_only(whole(rng, prod(shape), np.float32, top=4)) for shape in (x_shape, dz_shape))
    sizes, dW = (x, x_shape[1:], dz, dz_shape[1:]), np.empty(18 * 9, np.float32)
    against_twin(window_weight_gradient, *sizes, 1, along, 0, 1, *window, 0, 18, dW, 0)
