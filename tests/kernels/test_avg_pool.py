from dataclasses import replace

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import images_of, ranges, rows_of, whole
from twins import against_twin

from tinycnn.kernels import reference
from tinycnn.kernels.avg_pool import avg_pool2d, avg_pool2d_backward
from tinycnn.kernels.avg_pool_vectors import avg_pool_rows, avg_pool_rows_backward
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.windows import extent, windows_at
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


few_or_many = st.sampled_from(
    [1, 3, LANES - 1, LANES, LANES + 1, 2 * LANES + 3, 4 * LANES, 6 * LANES + 5]
)


@given(rows_of(pool_windows(max_dilation=1)), few_or_many, generators, st.booleans())
def test_avg_pool_rows_is_its_twin(part, channels, rng, include_pad):
    window, first, last = part
    window = replace(window, shape=(*window.shape[:3], channels))
    x, y = whole(rng, window.shape, np.float32), np.full(window.out_shape, 77, np.float32)
    against_twin(avg_pool_rows, x, first, last, *arguments(window), include_pad, y)


def test_the_last_four_vectors_write_nothing_beyond_their_cell():
    rng, C = np.random.default_rng(0), 6 * LANES + 5
    x, y = whole(rng, (1, 4, 4, C), np.float32), np.full((1, 2, 2, C), 77, np.float32)
    against_twin(avg_pool_rows, x, 0, 1, (2, 2), (2, 2), (0, 0), (4, 4), True, y)


@given(pool_windows(max_dilation=1), few_or_many, generators, st.booleans(), st.data())
def test_avg_pool_rows_backward_is_its_twin(window, channels, rng, include_pad, data):
    window = replace(window, shape=(*window.shape[:3], channels))
    first, last = data.draw(ranges(window.shape[0] * window.shape[1]))
    dy = SHARES * whole(rng, window.out_shape, np.float32)
    dx = np.full(window.shape, 77, np.float32)
    against_twin(avg_pool_rows_backward, dy, first, last, *arguments(window), include_pad, dx)


@given(st.integers(0, 20), st.integers(1, 5), st.integers(1, 5), st.integers(1, 6))
def test_windows_at_is_its_twin(place, length, stride, count):
    _, number = windows_at(place, length, stride, count)
    if number:
        against_twin(windows_at, place, length, stride, count)
    else:
        assert reference.windows_at(place, length, stride, count)[1] == 0


@given(st.integers(0, 6), st.integers(1, 5), st.integers(1, 3), st.integers(0, 4), st.integers(1, 9),
       st.integers(0, 4), st.booleans())  # fmt: skip
def test_extent_is_its_twin(cell, length, stride, padding, size, beyond, include_pad):
    start = cell * stride - padding
    assume(start < size and start + length > 0)
    against_twin(extent, cell, length, stride, padding, size, size + beyond, include_pad)


@given(pool_windows(max_dilation=1), generators, st.booleans())
def test_avg_pool2d_backward_is_the_adjoint_of_avg_pool2d(window, rng, include_pad):
    N, OH = window.out_shape[:2]
    x, dy = SHARES * whole(rng, window.shape), SHARES * whole(rng, window.out_shape)
    y, dx = np.empty_like(dy), np.empty_like(x)
    geometry = *arguments(window), include_pad
    avg_pool2d(x, 0, N * OH, *geometry, y)
    avg_pool2d_backward(dy, 0, N, *geometry, dx)
    assert np.vdot(y, dy) == np.vdot(x, dx)
