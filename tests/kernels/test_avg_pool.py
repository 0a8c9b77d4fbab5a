import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import images_of, rows_of, whole
from twins import against_twin

from tinycnn.kernels.avg_pool import avg_pool2d, avg_pool2d_backward
from tinycnn.testing.strategies import dtypes, generators, pool_windows

# Divisible by the cells of every window up to 5 x 5, so that each share of an average is whole.
SHARES = 3600


def arguments(window):
    return window.kernel, window.stride, window.padding, window.limit


@given(rows_of(pool_windows(max_dilation=1)), dtypes, generators, st.booleans())
def test_avg_pool2d_is_its_twin(part, dtype, rng, include_pad):
    window, first, last = part
    x, y = whole(rng, window.shape, dtype), np.full(window.out_shape, 77, dtype)
    against_twin(avg_pool2d, x, first, last, *arguments(window), include_pad, y)


@given(images_of(pool_windows(max_dilation=1)), dtypes, generators, st.booleans())
def test_avg_pool2d_backward_is_its_twin(part, dtype, rng, include_pad):
    window, first, last = part
    dy = SHARES * whole(rng, window.out_shape, dtype)
    dx = np.full(window.shape, 77, dtype)
    against_twin(avg_pool2d_backward, dy, first, last, *arguments(window), include_pad, dx)


@given(pool_windows(max_dilation=1), generators, st.booleans())
def test_avg_pool2d_backward_is_the_adjoint_of_avg_pool2d(window, rng, include_pad):
    N, OH = window.out_shape[:2]
    x, dy = SHARES * whole(rng, window.shape), SHARES * whole(rng, window.out_shape)
    y, dx = np.empty_like(dy), np.empty_like(x)
    geometry = *arguments(window), include_pad
    avg_pool2d(x, 0, N * OH, *geometry, y)
    avg_pool2d_backward(dy, 0, N, *geometry, dx)
    assert np.vdot(y, dy) == np.vdot(x, dx)
