from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_convolutions import grouped_convolutions
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels import window_convolution as module
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.window_convolution import (
    POOL_WIDTH,
    window_convolution,
    window_input_gradient,
)
from tinycnn.runtime.feature_maps import FeatureMaps, aligned_zeros
from tinycnn.testing.strategies import generators

borders = st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2)
dtypes = st.sampled_from([np.float32, np.float64])


def called(
    x, W, b, groups, relu, first, last, stride, padding, dilation, flat, place, output, pool=1, dots=False
):  # fmt: skip
    """The kernel's arguments for arrays, and a place in a flat one for y; any numbers are turned weights."""
    return (
        read_only(x.reshape(-1)), x.shape[1:], read_only(W.reshape(-1)), read_only(b), groups, relu, dots,
        first, last, W.shape[:2], stride, padding, dilation, flat, place, output, pool,
    )  # fmt: skip


@settings(max_examples=80)
@given(
    grouped_convolutions(), st.booleans(), st.booleans(), dtypes, generators, borders, st.booleans(),
    st.data(),
)  # fmt: skip
def test_window_convolution_is_its_twin(sizes, relu, dots, dtype, rng, border, whole_vectors, data):
    """And what lies beside the rows of y stays as it was, a border and numbers between cells too."""
    x_shape, (N, OH, OW, F), (kernel, *window), groups = sizes
    x, W, b = (
        read_only(whole(rng, shape, dtype, top=4))
        for shape in (x_shape, (*kernel, x_shape[3] // groups, F), (F,))
    )
    rows = data.draw(st.just((0, N * OH)) | ranges(N * OH))
    maps = FeatureMaps.bordered(aligned_zeros, (N, OH, OW, F), border, whole_vectors=whole_vectors)
    y = np.full(maps.flat.size, 77, dtype)
    against_twin(
        window_convolution,
        *called(x, W, b, groups, relu, *rows, *window, y, maps.place, (OH, OW), dots=dots),
    )


@settings(max_examples=60)
@given(grouped_convolutions(), st.booleans(), dtypes, generators, borders, st.data())
def test_pooled_outputs_are_their_twin(sizes, relu, dtype, rng, border, data):
    """Windows hang over edges, or not; beside the maxima everything stays as it was."""
    (N, H, W_in, C), (_, OH, OW, F), (kernel, *window), _ = sizes
    F = min(F, LANES * 4 // np.dtype(dtype).itemsize)
    x, W, b = (
        read_only(whole(rng, shape, dtype, top=4)) for shape in ((N, H, W_in, C), (*kernel, C, F), (F,))
    )  # fmt: skip
    rows = data.draw(st.just((0, N * OH)) | ranges(N * OH))
    maps = FeatureMaps.bordered(aligned_zeros, (N, OH, OW, F), border, whole_vectors=False)
    y = np.full(maps.flat.size, 77, dtype)
    against_twin(
        window_convolution, *called(x, W, b, 1, relu, *rows, *window, y, maps.place, (OH, OW), POOL_WIDTH)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "kernel", "F", "rows"),
    [
        ((7, 28, 28, 1), 5, 6, (0, 7 * 14)),
        ((2, 40, 120, 2), 5, 4, (3, 31)),
        ((2, 40, 120, 2), 1, 3, (0, 40)),
    ],
)
def test_pooled_outputs_go_some_images_or_rows_at_a_time(shape, kernel, F, rows):
    (N, H, width, C), F = shape, min(F, LANES)
    rng = np.random.default_rng(0)
    x, W, b = (
        read_only(whole(rng, sizes, np.float32, top=4))
        for sizes in (shape, (kernel, kernel, C, F), (F,))
    )
    assert N * H * width * C > module._BORDERED and H * width > module._CELLS
    y = FeatureMaps.of(np.full((N, H // 2, width // 2, F), 77, np.float32))
    padding = (kernel // 2, kernel // 2)
    against_twin(
        window_convolution,
        *called(
            x, W, b, 1, True, *rows, (1, 1), padding, (1, 1), y.flat, y.place, y.shape[1:3], POOL_WIDTH
        ),
    )  # fmt: skip


def test_an_image_goes_in_some_rows_at_a_time():
    rng = np.random.default_rng(0)
    x, W, b = (
        read_only(whole(rng, shape, np.float32, top=4))
        for shape in ((2, 11, 70, 2), (3, 3, 2, 17), (17,))
    )
    y = FeatureMaps.of(np.full((2, 11, 70, 17), 77, np.float32))
    assert module._CELLS < 9 * 68
    against_twin(
        window_convolution,
        *called(x, W, b, 1, True, 3, 19, (1, 1), (1, 1), (1, 1), y.flat, y.place, (11, 70)),
    )


@pytest.mark.parametrize("dots", [False, True])
@pytest.mark.parametrize(
    ("shape", "F", "rows"),
    [((7, 28, 28, 1), 6, (0, 196)), ((2, 40, 120, 2), 17, (0, 80)), ((2, 40, 120, 2), 9, (3, 61))],
)
def test_thin_images_are_copied_with_a_border_some_at_a_time_or_in_bands(shape, F, rows, dots):
    """And what lies outside is zero for the first of them and for the last."""
    N, H, width, C = shape
    rng = np.random.default_rng(0)
    x, W, b = (
        read_only(whole(rng, sizes, np.float32, top=4)) for sizes in (shape, (5, 5, C, F), (F,))
    )
    assert module._THIN * C <= F and N * H * width * C > module._BORDERED
    y = FeatureMaps.of(np.full((N, H, width, F), 77, np.float32))
    against_twin(
        window_convolution,
        *called(
            x, W, b, 1, True, *rows, (1, 1), (2, 2), (1, 1), y.flat, y.place, (H, width), dots=dots
        ),
    )


def test_a_window_that_lies_in_the_border_alone_gives_the_bias():
    x, W, b = np.ones((1, 2, 2, 1), np.float32), np.ones((1, 1, 1, 3), np.float32), np.arange(3.0)
    y = np.full((1, 6, 6, 3), 77, np.float32)
    maps = FeatureMaps.of(y)
    b = b.astype(np.float32)
    window_convolution(
        *called(x, W, b, 1, False, 0, 6, (1, 1), (2, 2), (1, 1), maps.flat, maps.place, (6, 6))
    )
    expected = np.tile(b, (1, 6, 6, 1))
    expected[:, 2:4, 2:4] += 1
    np.testing.assert_array_equal(y, expected)


@settings(max_examples=60)
@given(grouped_convolutions(), st.booleans(), dtypes, generators, st.data())
def test_window_input_gradient_is_its_twin(sizes, dots, dtype, rng, data):
    """Of every phase of the stride, also where no window sees it."""
    (N, H, W, C), (_, OH, OW, F), (kernel, stride, *window), groups = sizes
    dz, weights = (
        read_only(whole(rng, shape, dtype, top=4).reshape(-1))
        for shape in ((N, OH, OW, F), (*kernel, F // groups, C))
    )
    lines = N * ceil(H / stride[0])
    rows = data.draw(st.just((0, lines)) | ranges(lines))
    dx = np.full(N * H * W * C, 77, dtype)
    against_twin(
        window_input_gradient, dz, (OH, OW, F), weights, groups, dots, *rows, kernel, stride, *window,
        dx, (H, W, C),
    )  # fmt: skip
