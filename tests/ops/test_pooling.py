import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from op_checks import (
    assert_same_bits,
    call_converts_once,
    call_is_polite,
    call_is_repeatable,
    untouched,
)
from strategies import examples, whole

from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.kernels import max_pool as kernels
from tinycnn.kernels import reference
from tinycnn.ops import (
    avg_pool2d,
    avg_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
    pooling,
)
from tinycnn.testing.layouts import LAYOUTS, laid_out
from tinycnn.testing.strategies import Pooling, SlidingWindow, dtypes, generators, pools

# Divisible by the cells of every window up to 5 x 5, so that each share of an average is whole.
SHARES = 3600


def twin(pool, *, average=None):
    """The pool as the twins take it; ``average`` is what the padding counts for."""
    window = pool.geometry
    last = window.dilation if average is None else window.limit
    common = window.kernel, window.stride, window.padding, last
    return common if average is None else (*common, average)


def simple(shape, kernel, *, stride=None, pads=((0, 0), (0, 0))):
    """A pool without dilation and ceil mode."""
    stride = stride or kernel
    room = [n + sum(p) - k for n, p, k in zip(shape[1:3], pads, kernel, strict=True)]
    size = tuple(r // s + 1 for r, s in zip(room, stride, strict=True))
    geometry = SlidingWindow(shape, kernel, stride, pads, (1, 1), size)
    return Pooling(geometry, {"kernel": kernel, "stride": stride, "padding": pads})


# -------------------------------------------------------------------------------------- maximum


def agree(pool, x, dy):
    """Maximum, winner and gradient as the twins have them, bit for bit."""
    window = pool.geometry
    y, winner = max_pool2d(x, **pool.options)
    expected = np.empty(window.out_shape, x.dtype), np.empty(window.out_shape, winner.dtype)
    rows = 0, window.shape[0] * window.size[0]
    reference.max_pool2d(x, *rows, *twin(pool), *expected)
    np.testing.assert_array_equal(y, expected[0])
    np.testing.assert_array_equal(winner, expected[1])
    dx = np.empty(window.shape, x.dtype)
    reference.max_pool2d_backward(dy, winner, 0, len(x), *twin(pool), dx)
    ours = max_pool2d_backward(dy, winner, x.shape, **pool.options)
    np.testing.assert_array_equal(ours, dx)
    assert y.dtype == ours.dtype == x.dtype
    assert winner.dtype == np.uint8


@examples(300)
@given(pools(), dtypes, generators, st.sampled_from([0.0, 0.1, 0.5]))
def test_max_pool_is_its_twin(pool, dtype, rng, special):
    x = whole(rng, pool.geometry.shape, dtype, top=3)  # few values, so that there are ties
    replaced = rng.random(x.shape) < special
    x[replaced] = rng.choice([np.nan, np.inf, -np.inf], np.count_nonzero(replaced))
    agree(pool, x, whole(rng, pool.geometry.out_shape, dtype))


@settings(max_examples=60)
@given(pools(), generators)
def test_max_pool_of_real_numbers(pool, rng):
    x = rng.standard_normal(pool.geometry.shape, np.float32)
    agree(pool, x, whole(rng, pool.geometry.out_shape, np.float32))


@settings(max_examples=80)
@given(pools(), generators)
def test_max_pool_backward_is_the_adjoint_of_picking_the_winners(pool, rng):
    x, dy = whole(rng, pool.geometry.shape), whole(rng, pool.geometry.out_shape)
    y, winner = max_pool2d(x, **pool.options)
    dx = max_pool2d_backward(dy, winner, x.shape, **pool.options)
    assert np.vdot(y, dy) == np.vdot(x, dx)


def test_padding_never_wins():
    x = np.array([[-4.0, -3], [-2, -1]]).reshape(1, 2, 2, 1)
    y, winner = max_pool2d(x, 2, stride=1, padding=1)
    np.testing.assert_array_equal(y[0, :, :, 0], [[-4, -3, -3], [-2, -1, -1], [-2, -1, -1]])
    np.testing.assert_array_equal(winner[0, :, :, 0], [[3, 3, 2], [3, 3, 2], [1, 1, 0]])
    y, winner = max_pool2d(np.full((1, 2, 2, 1), -np.inf), 3, padding=1, stride=3)
    assert (y.item(), winner.item()) == (-np.inf, 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("cells", "place"),
    [
        ([1, 5, 2, 5, 5, 0], 1),
        ([0, 0, 0, 0, 0, 0], 0),
        ([-0.0, 0.0, -1, -1, -1, -1], 0),
        ([1, 9, np.nan, np.inf, np.nan, 9], 2),
        ([np.nan, np.inf, 1, 2, 3, np.nan], 0),
    ],
)
def test_the_first_maximum_wins_and_the_first_nan_over_everything(cells, place, dtype):
    x = np.array(cells, dtype).reshape(1, 2, 3, 1)
    y, winner = max_pool2d(x, (2, 3))
    assert winner.item() == place
    np.testing.assert_array_equal(y.item(), x.flat[place])
    dx = max_pool2d_backward(np.full((1, 1, 1, 1), 7), winner, x.shape, (2, 3))
    np.testing.assert_array_equal(dx.ravel(), 7 * (np.arange(6) == place))


def test_the_gradients_of_a_shared_winner_add():
    x = np.zeros((1, 3, 3, 1))
    x[0, 1, 1, 0] = 1
    _, winner = max_pool2d(x, 2, stride=1)
    dy = np.array([[1.0, 10], [100, 1000]]).reshape(1, 2, 2, 1)
    dx = max_pool2d_backward(dy, winner, x.shape, 2, stride=1)
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 0, 0], [0, 1111, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    ("kernel", "dtype"), [((16, 16), np.uint8), ((1, 257), np.uint16), ((257, 256), np.uint32)]
)
def test_winners_are_as_wide_as_the_window_needs(kernel, dtype):
    x = np.arange(kernel[0] * kernel[1]).reshape(1, *kernel, 1)
    y, winner = max_pool2d(x, kernel)
    assert winner.dtype == dtype
    assert y.item() == winner.item() == x.size - 1
    dy, expected = np.full((1, 1, 1, 1), 3), 3 * (x == x.size - 1)
    for given_winner in (winner, winner.astype(winner.dtype.newbyteorder(">")), np.uint64(winner)):
        dx = max_pool2d_backward(dy, given_winner, x.shape, kernel)
        np.testing.assert_array_equal(dx, expected)


@settings(max_examples=80)
@given(pools(), generators)
def test_a_winner_outside_the_image_is_refused(pool, rng):
    window = pool.geometry
    assume(0 not in window.out_shape)
    x, dy = whole(rng, window.shape), whole(rng, window.out_shape)
    _, winner = max_pool2d(x, **pool.options)
    n, oh, ow, c = cell = tuple(rng.integers(winner.shape))
    top, left = (o * s - p for o, s, p in zip((oh, ow), window.stride, window.padding, strict=True))
    for index in range(window.kernel[0] * window.kernel[1] + 2):
        i, j = divmod(index, window.kernel[1])
        h, w = top + i * window.dilation[0], left + j * window.dilation[1]
        inside = i < window.kernel[0] and 0 <= h < window.shape[1] and 0 <= w < window.shape[2]
        corrupt = winner.copy()
        corrupt[cell] = index
        if inside:
            dx = max_pool2d_backward(dy, corrupt, x.shape, **pool.options)
            moved = dx - max_pool2d_backward(dy, winner, x.shape, **pool.options)
            if corrupt[cell] != winner[cell]:
                assert moved[n, h, w, c] == dy[cell]
        else:
            with pytest.raises(ArgumentError, match=r"^winner holds an index outside .*; use the"):
                max_pool2d_backward(dy, corrupt, x.shape, **pool.options)


@settings(max_examples=80)
@given(pools(), generators)
def test_the_kernel_writes_inside_dx_whatever_the_winner_holds(pool, rng):
    shape, out_shape = pool.geometry.shape, pool.geometry.out_shape
    guard = 1000
    memory = np.full(int(np.prod(shape)) + 2 * guard, 77.0)
    dx = memory[guard:-guard].reshape(shape)
    winner = rng.integers(0, 256, out_shape, np.uint8)
    kernels.max_pool2d_backward(np.ones(out_shape), winner, 0, len(dx), *twin(pool), dx)
    np.testing.assert_array_equal(np.r_[memory[:guard], memory[-guard:]], 77)
    assert 0 <= dx.sum() <= winner.size


# -------------------------------------------------------------------------------------- average


@examples(300)
@given(pools(max_dilation=1), dtypes, generators, st.booleans())
def test_avg_pool_is_its_twin(pool, dtype, rng, include_pad):
    window, options = pool.geometry, {**pool.options, "count_include_pad": include_pad}
    x, dy = whole(rng, window.shape, dtype), SHARES * whole(rng, window.out_shape, dtype)
    y, dx = np.empty(window.out_shape, dtype), np.empty(window.shape, dtype)
    rows = 0, window.shape[0] * window.size[0]
    reference.avg_pool2d(x, *rows, *twin(pool, average=include_pad), y)
    reference.avg_pool2d_backward(dy, 0, len(x), *twin(pool, average=include_pad), dx)
    np.testing.assert_array_equal(avg_pool2d(x, **options), y)
    np.testing.assert_array_equal(avg_pool2d_backward(dy, x.shape, **options), dx)
    assert avg_pool2d(x, **options).dtype == dtype


@settings(max_examples=80)
@given(pools(max_dilation=1), generators, st.booleans())
def test_avg_pool_backward_is_its_adjoint(pool, rng, include_pad):
    options = {**pool.options, "count_include_pad": include_pad}
    x = SHARES * whole(rng, pool.geometry.shape)
    dy = SHARES * whole(rng, pool.geometry.out_shape)
    dx = avg_pool2d_backward(dy, x.shape, **options)
    assert np.vdot(avg_pool2d(x, **options), dy) == np.vdot(x, dx)


def test_what_the_average_counts():
    x = np.full((1, 3, 3, 1), 12.0)
    y = avg_pool2d(x, 2, padding=((1, 0), (1, 0)))
    np.testing.assert_array_equal(y[0, :, :, 0], [[3, 6], [6, 12]])
    y = avg_pool2d(x, 2, padding=((1, 0), (1, 0)), count_include_pad=False)
    np.testing.assert_array_equal(y[0, :, :, 0], 12)
    # Of the window that overhangs, one row and one column of the image count, and nothing beyond.
    for include_pad in (False, True):
        y = avg_pool2d(x, 2, ceil_mode=True, count_include_pad=include_pad)
        np.testing.assert_array_equal(y[0, :, :, 0], [[12, 12], [12, 12]])


def test_nan_and_infinity_pass_the_average():
    x = np.zeros((1, 1, 6, 1))
    x[0, 0, [0, 4], 0] = np.nan, np.inf
    np.testing.assert_array_equal(avg_pool2d(x, (1, 2)).ravel(), [np.nan, 0, np.inf])


# ----------------------------------------------------------------------- arguments and results


@settings(max_examples=15)
@given(pools(max_dilation=1), dtypes, generators, st.sampled_from(LAYOUTS))
def test_any_memory_order_and_type_is_accepted_and_left_alone(pool, dtype, rng, layout):
    shape, options = pool.geometry.shape, pool.options
    x, dy = whole(rng, shape, dtype), whole(rng, pool.geometry.out_shape, dtype)
    _, winner = max_pool2d(x, **options)
    given_winner = laid_out(winner, layout)
    call_is_polite(lambda dy, winner: max_pool2d_backward(dy, winner, shape, **options), dy, winner)
    with untouched(given_winner):
        call_converts_once(lambda dy: max_pool2d_backward(dy, given_winner, shape, **options), dy)
    for op, array in (
        (lambda x: max_pool2d(x, **options)[0], x),
        (lambda x: avg_pool2d(x, **options), x),
        (lambda dy: avg_pool2d_backward(dy, shape, **options), dy),
    ):
        call_is_polite(op, array)
        call_converts_once(op, array)
    call_is_polite(lambda x: max_pool2d(x, **options), x)


def test_the_stride_is_the_kernel_unless_given():
    x = np.arange(48.0).reshape(1, 6, 8, 1)
    for op in (max_pool2d, avg_pool2d):
        assert_same_bits(op(x, (2, 3)), op(x, (2, 3), stride=(2, 3)))
        assert_same_bits(op(x, 2), op(x, (2, 2), stride=2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_images(dtype):
    x = np.empty((0, 5, 7, 3), dtype)
    y, winner = max_pool2d(x, 3, stride=2)
    assert (y.shape, y.dtype) == (winner.shape, dtype) == ((0, 2, 3, 3), dtype)
    assert winner.dtype == np.uint8
    assert_same_bits(max_pool2d_backward(y, winner, x.shape, 3, stride=2), x)
    assert_same_bits(avg_pool2d(x, 3, stride=2), y)
    assert_same_bits(avg_pool2d_backward(y, x.shape, 3, stride=2), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_for_every_thread_count_and_run(monkeypatch, dtype):
    monkeypatch.setattr(pooling, "_CELLS", 500)  # small blocks, so that small images make several
    pool = simple((9, 11, 9, 5), (3, 3), stride=(2, 1), pads=((1, 0), (1, 1)))
    rng = np.random.default_rng(0)
    x = rng.standard_normal(pool.geometry.shape).astype(dtype)
    dy = rng.standard_normal(pool.geometry.out_shape).astype(dtype)
    options = pool.options
    _, winner = max_pool2d(x, **options)
    for call in (
        lambda: max_pool2d(x, **options),
        lambda: max_pool2d_backward(dy, winner, x.shape, **options),
        lambda: avg_pool2d(x, **options),
        lambda: avg_pool2d_backward(dy, x.shape, **options),
    ):
        with untouched(x, dy, winner):
            call_is_repeatable(monkeypatch, call)
            in_small_blocks = call()
            with monkeypatch.context() as patch:
                patch.setattr(pooling, "_CELLS", 1 << 30)
                assert_same_bits(call(), in_small_blocks)


# ------------------------------------------------------------------------------------ bad input

X = np.ones((2, 6, 7, 3))

WRONG = {
    "kernel 0": (ArgumentError, "^kernel must be at least 1, got 0$", {"kernel": 0}),
    "real kernel": (ArgumentError, r"^kernel must be an int, got 2\.5$", {"kernel": (2.5, 2)}),
    "stride 0": (ArgumentError, "^stride must be at least 1, got 0$", {"stride": 0}),
    "padding -1": (ArgumentError, "^padding must be at least 0, got -1$", {"padding": (-1, 0)}),
    "padding word": (
        ArgumentError,
        '^padding must be numbers, "valid" or "same", got \'half\'',
        {"padding": "half"},
    ),
    "kernel too large": (
        ShapeError,
        r"^the kernel does not fit the padded image: width 7 \+ padding 0 = 7 is less than 8, the "
        r"reach of kernel 8 with dilation 1; use a smaller kernel or more padding$",
        {"kernel": (2, 8)},
    ),
    "all padding ahead": (
        ShapeError,
        r"^a pool window lies wholly in the padding: height 6 with padding \(2, 0\), kernel 2, "
        r"dilation 1; use less padding than the kernel reaches$",
        {"padding": ((2, 0), (0, 0))},
    ),
    "all padding behind": (
        ShapeError,
        r"^a pool window lies wholly in the padding: width 7 with padding \(0, 3\)",
        {"padding": ((0, 0), (0, 3))},
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_bad_window(wrong):
    kind, message, arguments = WRONG[wrong]
    options = {"kernel": 2, **arguments}
    dy, winner = np.ones((2, 3, 3, 3)), np.zeros((2, 3, 3, 3), np.uint8)
    for call in (
        lambda: max_pool2d(X, **options),
        lambda: avg_pool2d(X, **options),
        lambda: max_pool2d_backward(dy, winner, X.shape, **options),
        lambda: avg_pool2d_backward(dy, X.shape, **options),
    ):
        with pytest.raises(kind, match=message):
            call()


def test_dilation_lets_a_window_straddle_the_image():
    with pytest.raises(ShapeError, match=r"wholly in the padding: height 1 .* dilation 2"):
        max_pool2d(np.ones((1, 1, 3, 1)), (2, 1), padding=(1, 0), dilation=2)
    y, winner = max_pool2d(np.ones((1, 1, 3, 1)), (3, 1), padding=(2, 0), dilation=2)
    assert (y.shape, winner[0, 0, 0, 0]) == ((1, 1, 3, 1), 1)


@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
@pytest.mark.parametrize(
    ("kind", "message", "x"),
    [
        (ShapeError, r"^x must have the axes \(N, H, W, C\).*; for a batch of one, pass", X[0]),
        (ShapeError, "^x's axis H must not be empty", X[:, :0]),
        (ShapeError, "^x's axis C must not be empty", X[..., :0]),
        (DTypeError, "^x must hold real numbers, got dtype complex128", 1j * X),
        (DTypeError, "^x must hold real numbers, got dtype object", X.astype(object)),
    ],
)
def test_bad_images(pool, kind, message, x):
    with pytest.raises(kind, match=message):
        pool(x, 2)


DY, WINNER = np.ones((2, 3, 3, 3)), np.zeros((2, 3, 3, 3), np.uint8)


@pytest.mark.parametrize(
    ("kind", "message", "arguments"),
    [
        (
            ShapeError,
            r"^dy must have shape \(2, 3, 3, 3\) \(the pool's output\), got shape \(2, 3, 2, 3\)$",
            {"dy": DY[:, :, 1:]},
        ),
        (DTypeError, "^dy must hold real numbers", {"dy": 1j * DY}),
        (ShapeError, "^x_shape must be the four sizes", {"x_shape": (6, 7, 3)}),
        (ArgumentError, r"^x_shape's H, W and C must be an int", {"x_shape": (2, 6.0, 7, 3)}),
        (
            ShapeError,
            r"^winner must have shape \(2, 3, 3, 3\) \(the shape of dy\), got shape \(3, 3, 3\)$",
            {"winner": WINNER[0]},
        ),
        (
            DTypeError,
            "^winner must be the unsigned array that max_pool2d returned, got int64$",
            {"winner": np.int64(WINNER)},
        ),
        (DTypeError, "^winner must be the unsigned .* got object$", {"winner": None}),
        (ArgumentError, "^winner holds an index outside the image", {"winner": WINNER + 4}),
        (
            ArgumentError,
            "^winner holds an index outside the image",
            {"winner": np.full(DY.shape, 2**64 - 1, np.uint64)},
        ),
    ],
)
def test_bad_input_of_backward(kind, message, arguments):
    arguments = {"dy": DY, "winner": WINNER, "x_shape": X.shape, "kernel": 2, **arguments}
    with pytest.raises(kind, match=message):
        max_pool2d_backward(**arguments)
    if arguments.pop("winner") is WINNER:
        with pytest.raises(kind, match=message):
            avg_pool2d_backward(**arguments)
