from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels import reference
from tinycnn.kernels.max_pool import max_pool2d
from tinycnn.kernels.max_pool_disjoint import max_pool_disjoint_backward
from tinycnn.kernels.max_pool_maps import max_pool
from tinycnn.kernels.max_pool_vectors import max_pool_argmax, max_pool_argmax_backward
from tinycnn.kernels.simd import LANES
from tinycnn.runtime.feature_maps import FeatureMaps
from tinycnn.testing.strategies import generators, pool_windows

NAN, INF = np.nan, np.inf


@st.composite
def pools(draw, channels, max_dilation=2):
    """A pool's geometry with as many ``channels``, and a range of its output rows."""
    window = draw(pool_windows(max_dilation))
    N, H, W, _ = window.shape
    window = replace(window, shape=(min(N, 2), H, W, draw(channels)))
    rows = window.shape[0] * window.size[0]
    return window, *draw(st.one_of(st.just((0, rows)), ranges(rows)))


def arguments(window):
    return window.kernel, window.stride, window.padding, window.dilation


def images(rng, shape, special):
    """Few values, so that there are ties, and some of them not finite."""
    x = whole(rng, shape, np.float32, top=3)
    replaced = rng.random(x.shape) < special
    x[replaced] = rng.choice([NAN, INF, -INF], np.count_nonzero(replaced))
    return x


def placed(array, border, *, whole_vectors):
    """Maps that hold ``array``, with NaN in the border; in whole vectors or as the array lies."""
    if not whole_vectors:
        return FeatureMaps.of(array)
    maps = FeatureMaps.zeros(array.shape, border)
    maps.flat[...] = NAN
    maps.view()[...] = array
    return maps


few_or_many = st.sampled_from(
    [1, 3, LANES - 1, LANES, LANES + 1, 2 * LANES, 2 * LANES + 3, 4 * LANES, 6 * LANES + 5]
)
special = st.sampled_from([0.0, 0.1, 0.5])
borders = st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2)


@settings(max_examples=60)
@given(pools(few_or_many), generators, special, borders, borders, st.booleans(), st.booleans())
def test_max_pool_is_its_twin(part, rng, special, border, other, source_whole, target_whole):
    window, first, last = part
    source = placed(images(rng, window.shape, special), border, whole_vectors=source_whole)
    y = np.full(window.out_shape, 77, np.float32)
    target = placed(y, other, whole_vectors=target_whole)
    against_twin(
        max_pool, read_only(source.flat), source.place, window.shape[1:3], first, last,
        *arguments(window), window.shape[3], target.flat, target.place, window.size,
    )  # fmt: skip


@settings(max_examples=60)
@given(pools(few_or_many), generators, special)
def test_max_pool_argmax_is_its_twin(part, rng, special):
    window, first, last = part
    x = read_only(images(rng, window.shape, special))
    y = np.full(window.out_shape, 77, np.float32)
    argmax = np.full(window.out_shape, 77, np.uint8)
    against_twin(max_pool_argmax, x, first, last, *arguments(window), y, argmax)


@pytest.mark.parametrize("kernel", [(2, 2), (3, 3), (2, 3), (3, 2), (4, 4), (5, 1), (16, 16)])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("special", [0.0, 0.3, 1.0])
def test_max_pool_argmax_finds_what_the_plain_kernel_finds(kernel, padding, special):
    """On images large enough for many whole windows, of both unrolled sizes."""
    rng, stride = np.random.default_rng(5), (2, 1)
    padding = tuple(min(padding, side // 2) for side in kernel)
    x = read_only(images(rng, (2, 19, 23, LANES + 5), special))
    size = [
        (n + 2 * p - k) // s + 1
        for n, p, k, s in zip((19, 23), padding, kernel, stride, strict=True)
    ]
    shape, rows = (2, *size, LANES + 5), 2 * size[0]
    results = []
    for pool in (max_pool2d, max_pool_argmax):
        y, argmax = np.empty(shape, np.float32), np.empty(shape, np.uint8)
        pool(x, 0, rows, kernel, stride, padding, (1, 1), y, argmax)
        results.append((y, argmax))
    for ours, expected in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, expected)


def pooled(rng, window, channels):
    """Slopes and argmax of a pool's output, as kernels take them, and room for dx."""
    N, H, W, _ = window.shape
    shape, out_shape = (N, H, W, channels), (N, *window.size, channels)
    y, argmax = np.empty(out_shape, np.float32), np.empty(out_shape, np.uint8)
    x = whole(rng, shape, np.float32, top=3)
    max_pool2d(x, 0, N * window.size[0], *arguments(window), y, argmax)
    dy = read_only(whole(rng, out_shape, np.float32))
    return dy, read_only(argmax), np.full(shape, 77, np.float32)


def apart(part):
    """The pool with strides no smaller than its kernel, and the output that fits then."""
    window, *_ = part
    stride = tuple(map(max, window.kernel, window.stride))
    size = tuple(
        (length + sum(pads) - k) // s + 1
        for length, pads, k, s in zip(
            window.shape[1:3], window.pads, window.kernel, stride, strict=True
        )
    )
    return replace(window, stride=stride, size=size)


@settings(max_examples=90)
@given(pools(few_or_many, max_dilation=1).map(apart), generators, st.booleans(), st.data())
def test_max_pool_disjoint_backward_is_its_twin(window, rng, streamed, data):
    N, H, _, C = window.shape
    dy, argmax, dx = pooled(rng, window, 2 * LANES if streamed else C)
    rows = data.draw(st.just((0, N * H)) | ranges(N * H))
    against_twin(
        max_pool_disjoint_backward, dy, argmax, *rows, *arguments(window)[:3], streamed, dx
    )


def test_cells_between_windows_get_nothing_whatever_the_number_of_cells():
    """The last of 256 cells is number 255, which is -1 in 8 bits, and 256 would be 0."""
    dy, argmax = np.ones((1, 1, 2, LANES), np.float32), np.full((1, 1, 2, LANES), 255, np.uint8)
    argmax[0, 0, 1] = 3
    dx = np.full((1, 17, 36, LANES), 77, np.float32)
    max_pool_disjoint_backward(
        read_only(dy), read_only(argmax), 0, 17, (16, 16), (17, 18), (0, 0), False, dx
    )
    assert [tuple(cell) for cell in np.argwhere(dx[..., 0])] == [(0, 0, 21), (0, 15, 15)]
    assert dx.sum() == 2 * LANES


@settings(max_examples=60)
@given(
    pools(st.integers(LANES, 2 * LANES + 3), max_dilation=1), generators, st.booleans(), st.data()
)
def test_max_pool_argmax_backward_is_its_twin(part, rng, streamed, data):
    window, *_ = part
    N, H, _, C = window.shape
    dy, argmax, dx = pooled(rng, window, 2 * LANES if streamed else C)
    rows = data.draw(st.just((0, N * H)) | ranges(N * H))
    against_twin(max_pool_argmax_backward, dy, argmax, *rows, *arguments(window)[:3], streamed, dx)


@pytest.mark.parametrize("channels", [LANES + 1, 2 * LANES - 1])
@pytest.mark.parametrize(("kernel", "stride"), [(2, 1), (2, 2), (3, 2), (3, 1)])
def test_the_last_vector_of_a_gradient_may_overlap_the_one_before(kernel, stride, channels):
    """Of cells in one window, in two, in four, and in nine."""
    rng, kernel, stride = np.random.default_rng(6), (kernel,) * 2, (stride,) * 2
    shape = 2, 7, 7, channels
    size = [(7 - k) // s + 1 for k, s in zip(kernel, stride, strict=True)]
    y, argmax = np.empty((2, *size, channels), np.float32), np.empty((2, *size, channels), np.uint8)
    x = whole(rng, shape, np.float32, top=3)
    reference.max_pool2d(x, 0, 2 * size[0], kernel, stride, (0, 0), (1, 1), y, argmax)
    dy, dx = read_only(whole(rng, y.shape, np.float32)), np.full(shape, 77, np.float32)
    against_twin(
        max_pool_argmax_backward, dy, read_only(argmax), 0, 14, kernel, stride, (0, 0), False, dx
    )


# One window each: its cells in row-major order, and the argmax among them.
@pytest.mark.parametrize(
    ("kernel", "cells", "argmax"),
    [
        ((2, 2), [1, 5, 5, 5], 1),
        ((2, 2), [-0.0, 0.0, -1, -1], 0),
        ((2, 2), [1, NAN, INF, NAN], 1),
        ((2, 2), [-INF, -INF, NAN, -INF], 2),
        ((3, 3), [0, 0, 0, 0, 0, 0, 0, 0, 0], 0),
        ((3, 3), [1, 2, 3, 4, 5, 6, 7, 8, 9], 8),
        ((3, 3), [1, 2, 3, 9, 5, 9, 7, 9, 9], 3),
        ((3, 3), [INF, 2, 3, 4, 5, 6, 7, NAN, NAN], 7),
        ((3, 3), [1, 2, NAN, 4, 5, 6, 7, INF, NAN], 2),
        ((3, 3), [-INF, -INF, -INF, -INF, -INF, -INF, -INF, -INF, -9], 8),
        ((2, 3), [1, 5, 2, 5, 5, 0], 1),
        ((2, 3), [1, 2, NAN, 3, NAN, 9], 2),
    ],
)
def test_the_first_maximum_wins_and_the_first_nan_over_everything(kernel, cells, argmax):
    column = np.array(cells, np.float32).reshape(1, *kernel, 1)
    x = read_only(np.repeat(column, LANES, axis=3))
    y, index = np.empty((1, 1, 1, LANES), np.float32), np.empty((1, 1, 1, LANES), np.uint8)
    max_pool_argmax(x, 0, 1, kernel, (1, 1), (0, 0), (1, 1), y, index)
    assert (index == argmax).all()
    expected = np.full(LANES, cells[argmax], np.float32)
    assert y.tobytes() == expected.tobytes() or np.isnan(y).all()  # -0.0 as it came
