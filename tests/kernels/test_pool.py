import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.kernels.pool import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward
from tinycnn.testing.strategies import SlidingWindow, dtypes, generators, pool_windows

# Divisible by the cells of every window up to 5 x 5, so that each share of an average is whole.
SHARES = 3600


@st.composite
def rows_of(draw, geometries):
    """A geometry and a range of its output rows."""
    window = draw(geometries)
    rows = window.shape[0] * window.size[0]
    return window, *draw(st.one_of(st.just((0, rows)), ranges(rows)))


@st.composite
def images_of(draw, geometries):
    """A geometry and a range of its images."""
    window = draw(geometries)
    return window, *draw(st.one_of(st.just((0, window.shape[0])), ranges(window.shape[0])))


def arguments(window):
    return window.kernel, window.stride, window.padding, window.dilation


def pooled(window, x, winner=np.uint8):
    """Maximum and winner of all windows."""
    y, index = np.empty(window.out_shape, x.dtype), np.empty(window.out_shape, winner)
    max_pool2d(x, 0, window.shape[0] * window.size[0], *arguments(window), y, index)
    return y, index


def unpooled(window, dy, winner):
    dx = np.full(window.shape, 77, dy.dtype)
    max_pool2d_backward(dy, winner, 0, len(dx), *arguments(window), dx)
    return dx


@given(rows_of(pool_windows()), dtypes, generators, st.sampled_from([0.0, 0.1, 0.5]))
def test_max_pool2d_is_its_twin(part, dtype, rng, special):
    window, first, last = part
    x = whole(rng, window.shape, dtype, top=3)  # few values, so that there are ties
    replaced = rng.random(x.shape) < special
    x[replaced] = rng.choice([np.nan, np.inf, -np.inf], np.count_nonzero(replaced))
    y = np.full(window.out_shape, 77, dtype)
    winner = np.full(window.out_shape, 77, np.uint8)
    against_twin(max_pool2d, x, first, last, *arguments(window), y, winner)


@given(images_of(pool_windows()), dtypes, generators)
def test_max_pool2d_backward_is_its_twin(part, dtype, rng):
    window, first, last = part
    _, winner = pooled(window, whole(rng, window.shape, dtype, top=3))
    dy = whole(rng, window.out_shape, dtype)
    dx = np.full(window.shape, 77, dtype)
    against_twin(max_pool2d_backward, dy, winner, first, last, *arguments(window), dx)


@given(st.integers(16, 18), st.integers(17, 19), st.integers(0, 3), generators)
def test_windows_of_more_than_256_cells_have_a_wider_winner(KH, KW, pad, rng):
    kernel, pads, size = (KH, KW), ((pad, 0), (0, pad)), (pad + 1, pad + 1)
    window = SlidingWindow((1, KH, KW, 1), kernel, (1, 1), pads, (1, 1), size)
    x, dy = rng.permutation(KH * KW).reshape(window.shape) * 1.0, whole(rng, window.out_shape)
    y, winner = np.empty_like(dy), np.empty(window.out_shape, np.uint16)
    rows = 0, size[0]
    *_, winner = against_twin(max_pool2d, x, *rows, *arguments(window), y, winner)
    against_twin(max_pool2d_backward, dy, winner, 0, 1, *arguments(window), np.empty_like(x))


@given(pool_windows(), generators)
def test_max_pool2d_backward_is_the_adjoint_of_picking_the_winners(window, rng):
    x, dy = whole(rng, window.shape), whole(rng, window.out_shape)
    y, winner = pooled(window, x)
    assert np.vdot(y, dy) == np.vdot(x, unpooled(window, dy, winner))


@given(pool_windows(), generators)
def test_max_pool2d_backward_is_linear_for_given_winners(window, rng):
    _, winner = pooled(window, whole(rng, window.shape))
    one, other = whole(rng, window.out_shape), whole(rng, window.out_shape)
    combined = 2 * unpooled(window, one, winner) - 3 * unpooled(window, other, winner)
    np.testing.assert_array_equal(unpooled(window, 2 * one - 3 * other, winner), combined)


# One 2 x 3 window each: its cells in row-major order, and the winner among them.
NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("cells", "winner"),
    [
        ([1, 5, 2, 5, 5, 0], 1),
        ([0, 0, 0, 0, 0, 0], 0),
        ([-0.0, 0.0, -1, -1, -1, -1], 0),
        ([-INF, -INF, -INF, -INF, -INF, -INF], 0),
        ([-INF, -INF, -9, -INF, -INF, -INF], 2),
        ([1, INF, 2, INF, 3, 4], 1),
        ([NAN, 1, 2, 3, 4, 5], 0),
        ([1, 9, 2, NAN, 4, 5], 3),
        ([1, 2, NAN, 3, NAN, 9], 2),
        ([INF, 1, 2, 3, 4, NAN], 5),
        ([NAN, INF, -INF, 1, NAN, NAN], 0),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_first_maximum_wins_and_the_first_nan_over_everything(cells, winner, dtype):
    window = SlidingWindow((1, 2, 3, 1), (2, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), (1, 1))
    x = np.array(cells, dtype).reshape(window.shape)
    y, index = pooled(window, x)
    assert index.item() == winner
    np.testing.assert_array_equal(y.item(), x.flat[winner])
    dx = unpooled(window, np.ones_like(y), index)
    np.testing.assert_array_equal(np.flatnonzero(dx), [winner])


def test_padding_does_not_compete():
    window = SlidingWindow((1, 2, 2, 1), (2, 2), (1, 1), ((1, 1), (1, 1)), (1, 1), (3, 3))
    y, winner = pooled(window, np.array([[-4.0, -3], [-2, -1]]).reshape(window.shape))
    np.testing.assert_array_equal(y[0, :, :, 0], [[-4, -3, -3], [-2, -1, -1], [-2, -1, -1]])
    np.testing.assert_array_equal(winner[0, :, :, 0], [[3, 3, 2], [3, 3, 2], [1, 1, 0]])


@given(rows_of(pool_windows(max_dilation=1)), dtypes, generators, st.booleans())
def test_avg_pool2d_is_its_twin(part, dtype, rng, include_pad):
    window, first, last = part
    x, y = whole(rng, window.shape, dtype), np.full(window.out_shape, 77, dtype)
    against_twin(avg_pool2d, x, first, last, *arguments(window)[:3], window.limit, include_pad, y)


@given(images_of(pool_windows(max_dilation=1)), dtypes, generators, st.booleans())
def test_avg_pool2d_backward_is_its_twin(part, dtype, rng, include_pad):
    window, first, last = part
    dy = SHARES * whole(rng, window.out_shape, dtype)
    dx = np.full(window.shape, 77, dtype)
    against_twin(
        avg_pool2d_backward, dy, first, last, *arguments(window)[:3], window.limit, include_pad, dx
    )


@given(pool_windows(max_dilation=1), generators, st.booleans())
def test_avg_pool2d_backward_is_the_adjoint_of_avg_pool2d(window, rng, include_pad):
    N, OH = window.out_shape[:2]
    x, dy = SHARES * whole(rng, window.shape), SHARES * whole(rng, window.out_shape)
    y, dx = np.empty_like(dy), np.empty_like(x)
    geometry = *arguments(window)[:3], window.limit, include_pad
    avg_pool2d(x, 0, N * OH, *geometry, y)
    avg_pool2d_backward(dy, 0, N, *geometry, dx)
    assert np.vdot(y, dy) == np.vdot(x, dx)
