import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import images_of, rows_of, whole
from twins import against_twin

from tinycnn.kernels.max_pool import cells_inside, max_pool2d, max_pool2d_backward
from tinycnn.testing.strategies import SlidingWindow, dtypes, generators, pool_windows


def arguments(window):
    return window.kernel, window.stride, window.padding, window.dilation


def pooled(window, x):
    """Maximum and argmax of all windows."""
    y, index = np.empty(window.out_shape, x.dtype), np.empty(window.out_shape, np.uint8)
    max_pool2d(x, 0, window.shape[0] * window.size[0], *arguments(window), y, index)
    return y, index


def unpooled(window, dy, argmax):
    dx = np.full(window.shape, 77, dy.dtype)
    max_pool2d_backward(dy, argmax, 0, len(dx), *arguments(window), dx)
    return dx


@given(st.integers(-9, 9), st.integers(1, 5), st.integers(1, 4), st.integers(1, 9))
def test_cells_inside_is_its_twin(start, length, dilation, limit):
    assume(any(0 <= start + i * dilation < limit for i in range(length)))
    against_twin(cells_inside, start, length, dilation, limit)


@given(rows_of(pool_windows()), dtypes, generators, st.sampled_from([0.0, 0.1, 0.5]))
def test_max_pool2d_is_its_twin(part, dtype, rng, special):
    window, first, last = part
    x = whole(rng, window.shape, dtype, top=3)  # few values, so that there are ties
    replaced = rng.random(x.shape) < special
    x[replaced] = rng.choice([np.nan, np.inf, -np.inf], np.count_nonzero(replaced))
    y = np.full(window.out_shape, 77, dtype)
    argmax = np.full(window.out_shape, 77, np.uint8)
    against_twin(max_pool2d, x, first, last, *arguments(window), y, argmax)


@given(images_of(pool_windows()), dtypes, generators)
def test_max_pool2d_backward_is_its_twin(part, dtype, rng):
    window, first, last = part
    _, argmax = pooled(window, whole(rng, window.shape, dtype, top=3))
    dy = whole(rng, window.out_shape, dtype)
    dx = np.full(window.shape, 77, dtype)
    against_twin(max_pool2d_backward, dy, argmax, first, last, *arguments(window), dx)


@given(st.integers(16, 18), st.integers(17, 19), st.integers(0, 3), generators)
def test_windows_of_more_than_256_cells_have_a_wider_winner(KH, KW, pad, rng):
    kernel, pads, size = (KH, KW), ((pad, 0), (0, pad)), (pad + 1, pad + 1)
    window = SlidingWindow((1, KH, KW, 1), kernel, (1, 1), pads, (1, 1), size)
    x, dy = rng.permutation(KH * KW).reshape(window.shape) * 1.0, whole(rng, window.out_shape)
    y, argmax = np.empty_like(dy), np.empty(window.out_shape, np.uint16)
    rows = 0, size[0]
    *_, argmax = against_twin(max_pool2d, x, *rows, *arguments(window), y, argmax)
    against_twin(max_pool2d_backward, dy, argmax, 0, 1, *arguments(window), np.empty_like(x))


@given(pool_windows(), generators)
def test_max_pool2d_backward_is_the_adjoint_of_picking_the_winners(window, rng):
    x, dy = whole(rng, window.shape), whole(rng, window.out_shape)
    y, argmax = pooled(window, x)
    assert np.vdot(y, dy) == np.vdot(x, unpooled(window, dy, argmax))


@given(pool_windows(), generators)
def test_max_pool2d_backward_is_linear_for_given_winners(window, rng):
    _, argmax = pooled(window, whole(rng, window.shape))
    one, other = whole(rng, window.out_shape), whole(rng, window.out_shape)
    combined = 2 * unpooled(window, one, argmax) - 3 * unpooled(window, other, argmax)
    np.testing.assert_array_equal(unpooled(window, 2 * one - 3 * other, argmax), combined)


# One 2 x 3 window each: its cells in row-major order, and the argmax among them.
NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("cells", "argmax"),
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
def test_the_first_maximum_wins_and_the_first_nan_over_everything(cells, argmax, dtype):
    window = SlidingWindow((1, 2, 3, 1), (2, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), (1, 1))
    x = np.array(cells, dtype).reshape(window.shape)
    y, index = pooled(window, x)
    assert index.item() == argmax
    np.testing.assert_array_equal(y.item(), x.flat[argmax])
    dx = unpooled(window, np.ones_like(y), index)
    np.testing.assert_array_equal(np.flatnonzero(dx), [argmax])


def test_padding_does_not_compete():
    window = SlidingWindow((1, 2, 2, 1), (2, 2), (1, 1), ((1, 1), (1, 1)), (1, 1), (3, 3))
    y, argmax = pooled(window, np.array([[-4.0, -3], [-2, -1]]).reshape(window.shape))
    np.testing.assert_array_equal(y[0, :, :, 0], [[-4, -3, -3], [-2, -1, -1], [-2, -1, -1]])
    np.testing.assert_array_equal(argmax[0, :, :, 0], [[3, 3, 2], [3, 3, 2], [1, 1, 0]])
