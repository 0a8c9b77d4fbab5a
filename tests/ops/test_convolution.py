import numpy as np
import pytest
from drawn_convolutions import formula
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from op_checks import (
    assert_same_bits,
    call_converts_once,
    call_is_polite,
    call_is_repeatable,
    results,
    untouched,
)
from strategies import examples, whole

from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.ops import bias, conv2d, conv2d_backward
from tinycnn.ops.convolution import im2col
from tinycnn.testing.strategies import Convolution, SlidingWindow, convolutions, dtypes, generators


def operands(case, rng, dtype=np.float64):
    """x, W and b (or None) of small integers, so that every sum is exact."""
    x, W = whole(rng, case.x_shape, dtype, top=5), whole(rng, case.W_shape, dtype, top=5)
    return x, W, whole(rng, (case.filters,), dtype) if case.bias else None


def backward(case, dy, x, W, y, **options):
    y = y if case.activation else None
    return conv2d_backward(dy, x, W, y=y, **case.options, **options)


def agree(case, rng, dtype):
    """Every algorithm, forward and backward, bit for bit."""
    x, W, b = operands(case, rng, dtype)
    dy = whole(rng, case.y_shape, dtype)
    expected = formula(x, W, b, case).astype(dtype)
    gradients = backward(case, dy, x, W, expected, algorithm="reference")
    direct = ("direct",) if dtype == np.float32 and case.groups == 1 else ()
    for algorithm in ("reference", "im2col", "auto", "grouped", *direct):
        y = conv2d(x, W, b, **case.options, algorithm=algorithm)
        assert y.dtype == dtype
        np.testing.assert_array_equal(y, expected)
        ours = backward(case, dy, x, W, y, algorithm=algorithm)
        for mine, reference in zip(ours, gradients, strict=True):
            assert mine.dtype == dtype
            np.testing.assert_array_equal(mine, reference)


def simple(shape, kernel, filters, *, stride=(1, 1), pads=((0, 0), (0, 0)), **options):
    """A convolution without dilation."""
    room = [n + sum(p) - k for n, p, k in zip(shape[1:3], pads, kernel, strict=True)]
    size = tuple(r // s + 1 for r, s in zip(room, stride, strict=True))
    geometry = SlidingWindow(shape, kernel, stride, pads, (1, 1), size)
    options = {"groups": 1, "bias": True, "activation": None, **options}
    return Convolution(geometry, filters, **options)


@examples(300)
@given(convolutions(), generators, dtypes)
def test_every_algorithm_is_the_formula(case, rng, dtype):
    agree(case, rng, dtype)


# Kernel rows that im2col unrolls whole, cell by cell, and in ranges of channels, with and without
# groups; several blocks of rows, that end within an image.
@pytest.mark.parametrize(
    "case",
    [
        simple((3, 23, 21, 3), (5, 3), 7, stride=(2, 1), pads=((2, 1), (0, 3))),
        simple((2, 9, 17, 130), (3, 2), 4, activation="relu"),
        simple((2, 12, 13, 300), (2, 3), 6, groups=2, pads=((1, 1), (2, 0))),
        simple((1, 30, 19, 8), (1, 1), 20, groups=4, stride=(1, 2), bias=False),
        simple((5, 11, 7, 6), (11, 7), 3),
    ],
    ids=lambda case: f"{case.x_shape}{case.geometry.kernel}",
)
def test_large_convolutions_are_the_formula(case):
    rng = np.random.default_rng(3)
    x, W, b = operands(case, rng, np.float32)
    y = conv2d(x, W, b, **case.options)
    np.testing.assert_array_equal(y, formula(x, W, b, case))
    dy = whole(rng, case.y_shape, np.float32)
    dx, dW, db = backward(case, dy, x, W, y)
    # The formula is linear in x and in W, so its adjoints are read off with unit vectors' sums.
    dz = np.float64(dy * (y > 0) if case.activation else dy)
    linear = simple(
        case.x_shape,
        case.geometry.kernel,
        case.filters,
        stride=case.geometry.stride,
        pads=case.geometry.pads,
        groups=case.groups,
    )
    np.testing.assert_array_equal(db, dz.sum(axis=(0, 1, 2)))
    for _ in range(3):
        direction = whole(rng, case.x_shape)
        assert np.vdot(dx, direction) == np.vdot(dz, formula(direction, W, None, linear))
        direction = whole(rng, case.W_shape)
        assert np.vdot(dW, direction) == np.vdot(dz, formula(x, direction, None, linear))


@examples(300)
@given(convolutions(), generators)
def test_backward_is_the_adjoint_in_x_and_in_w(case, rng):
    x, W, _ = operands(case, rng)
    dy = whole(rng, case.y_shape)
    options = {**case.options, "activation": None}
    dx, dW, db = conv2d_backward(dy, x, W, **options)
    y = conv2d(x, W, **options)
    assert np.vdot(y, dy) == np.vdot(x, dx) == np.vdot(W, dW)
    ones = conv2d(x, W, np.ones(case.filters), **options) - y
    assert np.vdot(ones, dy) == db.sum()


@settings(max_examples=30)
@given(st.integers(1, 4), st.integers(1, 4), generators)
def test_dx_at_stride_1_is_the_full_convolution_of_dy_with_the_turned_kernel(KH, KW, rng):
    x, W = whole(rng, (2, KH + 3, KW + 2, 3)), whole(rng, (KH, KW, 3, 4))
    dy = whole(rng, (2, 4, 3, 4))
    turned = W[::-1, ::-1].transpose(0, 1, 3, 2)
    dx, _, _ = conv2d_backward(dy, x, W)
    np.testing.assert_array_equal(dx, conv2d(dy, turned, padding=(KH - 1, KW - 1)))


@settings(max_examples=60)
@given(convolutions(), generators, dtypes)
def test_real_numbers_agree_to_rounding(case, rng, dtype):
    shapes = case.x_shape, case.W_shape, (case.filters,), case.y_shape
    x, W, b, dy = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    y = conv2d(x, W, b, **case.options)
    reference = conv2d(x, W, b, **case.options, algorithm="reference")
    ours = y, *backward(case, dy, x, W, reference)
    theirs = reference, *backward(case, dy, x, W, reference, algorithm="reference")
    # Rounding is of the size of what was added up, and that may cancel: so add up absolute values.
    x, W, b, dy = (np.abs(array, dtype=np.float64) for array in (x, W, b, dy))
    linear = {**case.options, "activation": None}
    sums = conv2d(x, W, b, **linear), *conv2d_backward(dy, x, W, **linear)
    for mine, other, added in zip(ours, theirs, sums, strict=True):
        bound = 16 * np.finfo(dtype).eps * added.max(initial=0)
        assert np.abs(mine - other).max(initial=0) <= bound


# ------------------------------------------------------------------------------- planted errors


def shifted(im2col):
    def planted(x, first, channel, size, stride, padding, dilation, cols):
        im2col(x, first, channel, size, stride, (padding[0], padding[1] + 1), dilation, cols)

    return planted


def turned(im2col):
    """Height and width of the kernel in the wrong order."""

    def planted(x, first, channel, size, stride, padding, dilation, cols):
        cells, KH, KW, C = cols.shape
        mine = np.empty((cells, KW, KH, C), cols.dtype)
        im2col(x, first, channel, size, stride, padding, dilation, mine)
        cols[...] = mine.reshape(cols.shape)

    return planted


def swapped(im2col):
    """Height and width of the stride in the wrong order."""

    def planted(x, first, channel, size, stride, padding, dilation, cols):
        im2col(x, first, channel, size, stride[::-1], padding, dilation, cols)

    return planted


def scaled(im2col):
    """Too large by a thousandth."""

    def planted(*arguments):
        im2col(*arguments)
        arguments[-1][...] *= 1.001

    return planted


@pytest.mark.parametrize("plant", [shifted, turned, swapped, scaled])
def test_the_comparison_sees_a_planted_error(monkeypatch, plant):
    case = simple((2, 6, 7, 2), (3, 2), 3, stride=(2, 1))
    for dtype in (np.float32, np.float64):
        agree(case, np.random.default_rng(0), dtype)
    monkeypatch.setattr(im2col, "im2col", plant(im2col.im2col))
    for dtype in (np.float32, np.float64):
        with pytest.raises(AssertionError):
            agree(case, np.random.default_rng(0), dtype)


def test_the_comparison_sees_a_planted_error_of_dx(monkeypatch):
    monkeypatch.setattr(im2col, "col2im", lambda *arguments: None)
    with pytest.raises(AssertionError):
        agree(simple((1, 4, 4, 1), (2, 2), 1), np.random.default_rng(0), np.float64)


# ----------------------------------------------------------------------- arguments and results


@settings(max_examples=15)
@given(convolutions(), generators, dtypes)
def test_any_memory_order_and_type_is_accepted_and_left_alone(case, rng, dtype):
    x, W = whole(rng, case.x_shape, dtype), whole(rng, case.W_shape, dtype)
    b, dy = whole(rng, (case.filters,), dtype), whole(rng, case.y_shape, dtype)
    y = conv2d(x, W, b, **case.options)

    def forward(x, W, b):
        return conv2d(x, W, b, **case.options)

    def gradients(dy, x, W, y):
        return conv2d_backward(dy, x, W, **case.options, y=y)

    for op, arrays in ((forward, (x, W, b)), (gradients, (dy, x, W, y))):
        call_is_polite(op, *arrays)
        call_converts_once(op, *arrays)


@settings(max_examples=20)
@given(convolutions(), generators)
def test_real_numbers_give_the_same_bits_in_any_memory_order(case, rng):
    arrays = [rng.standard_normal(s, np.float32) for s in (case.x_shape, case.W_shape)]
    call_is_polite(lambda x, W: conv2d(x, W, **case.options), *arrays)


def test_one_float64_argument_makes_all_float64():
    x, W, b = np.ones((1, 2, 2, 1), np.float32), np.ones((1, 1, 1, 1), np.float32), np.ones(1)
    assert conv2d(x, W).dtype == np.float32
    assert conv2d(x, W, b).dtype == conv2d(x, np.float64(W)).dtype == np.float64
    dx, dW, db = conv2d_backward(np.ones((1, 2, 2, 1)), x, W)
    assert dx.dtype == dW.dtype == db.dtype == np.float64


def test_lists_are_arrays():
    y = conv2d([[[[1], [2], [3]]]], [[[[1]], [[10]]]], [100])
    np.testing.assert_array_equal(y, [[[[121], [132]]]])


@settings(max_examples=30)
@given(convolutions(), generators, st.sampled_from(["im2col", "reference"]), dtypes)
def test_without_dx_and_with_out(case, rng, algorithm, dtype):
    x, W, b = operands(case, rng, dtype)
    dy = whole(rng, case.y_shape, dtype)
    y = conv2d(x, W, b, **case.options)
    _, dW, db = backward(case, dy, x, W, y, algorithm=algorithm)
    buffer = np.full(W.size + case.filters + 2, 77, dtype)
    out = buffer[1 : W.size + 1].reshape(W.shape), buffer[W.size + 1 : -1]
    returned = backward(case, dy, x, W, y, algorithm=algorithm, need_dx=False, out=out)
    assert returned[0] is None
    assert returned[1] is out[0]
    assert returned[2] is out[1]
    assert_same_bits(out, (dW, db))
    assert buffer[0] == buffer[-1] == 77


@pytest.mark.parametrize("algorithm", ["im2col", "reference"])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_no_images(algorithm, activation):
    x, W, b = np.empty((0, 5, 6, 4), np.float32), np.ones((2, 3, 2, 6)), np.ones(6)
    options = {"groups": 2, "padding": 1, "activation": activation, "algorithm": algorithm}
    y = conv2d(x, W, b, **options)
    assert y.shape == (0, 6, 6, 6)
    dx, dW, db = conv2d_backward(y, x, W, y=y, **options)
    assert dx.shape == x.shape
    np.testing.assert_array_equal(dW, np.zeros(W.shape))
    np.testing.assert_array_equal(db, np.zeros(6))


@settings(max_examples=40)
@given(convolutions(), generators, st.sampled_from([np.nan, np.inf]))
@example(simple((2, 3, 3, 1), (2, 2), 1), np.random.default_rng(0), np.nan)
def test_nan_and_infinity_reach_what_saw_them_and_nothing_else(case, rng, bad):
    x, W, _ = operands(case, rng)
    assume(x.size)
    W[W == 0] = 1
    cell = tuple(rng.integers(x.shape))
    clean = conv2d(x, W, **case.window, groups=case.groups)
    seen = np.zeros(x.shape)
    seen[cell] = 1
    saw = formula(seen, np.ones(W.shape), None, case) > 0
    x[cell] = bad
    y = conv2d(x, W, **case.window, groups=case.groups)
    assert not np.isfinite(y[saw]).any()
    np.testing.assert_array_equal(y[~saw], clean[~saw])


@pytest.mark.parametrize("algorithm", ["im2col", "reference"])
def test_relu_lets_nan_pass_forward_and_backward(algorithm):
    x, W = np.array([np.nan, -2, 0, 3]).reshape(1, 1, 4, 1), np.ones((1, 1, 1, 1))
    y = conv2d(x, W, activation="relu", algorithm=algorithm)
    np.testing.assert_array_equal(y.ravel(), [np.nan, 0, 0, 3])
    dy = np.full(x.shape, 5.0)
    dx, *_ = conv2d_backward(dy, x, W, activation="relu", y=y, algorithm=algorithm)
    np.testing.assert_array_equal(dx.ravel(), [5, 0, 0, 5])


@pytest.mark.parametrize(
    "case",
    [
        simple((8, 17, 18, 6), (4, 5), 16, pads=((1, 1), (2, 2)), activation="relu"),
        simple((4, 13, 29, 70), (2, 2), 6, groups=2),
    ],
    ids=["a part is a kernel row", "a part is a kernel cell"],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_for_every_thread_count_and_run(monkeypatch, case, dtype):
    rng = np.random.default_rng(0)
    shapes = case.x_shape, case.W_shape, (case.filters,), case.y_shape
    x, W, b, dy = (rng.standard_normal(shape).astype(dtype) for shape in shapes)
    options = {**case.options, "algorithm": "im2col"}
    y = conv2d(x, W, b, **options)
    monkeypatch.setattr(bias, "_CELLS", 1 << 8)
    with untouched(x, W, b, dy, y):
        call_is_repeatable(monkeypatch, lambda: conv2d(x, W, b, **options))
        call_is_repeatable(monkeypatch, lambda: backward(case, dy, x, W, y, algorithm="im2col"))


# ------------------------------------------------------------------------------------ bad input

X, W, B = np.ones((2, 5, 6, 4)), np.ones((3, 2, 4, 8)), np.ones(8)

WRONG = {
    "rank of x": (
        ShapeError,
        r"^x must have the axes \(N, H, W, C\), got shape \(5, 6, 4\); for a batch of one, pass "
        r"x\[None\]$",
        {"x": X[0]},
    ),
    "rank of x, far off": (
        ShapeError,
        r"\(N, H, W, C\), got shape \(2, 5\)$",
        {"x": X[:, :, 0, 0]},
    ),
    "rank of W": (
        ShapeError,
        r"^W must have the axes \(KH, KW, C // groups, F\), got shape \(3, 2, 4\)$",
        {"W": W[..., 0]},
    ),
    "rank of b": (ShapeError, r"^b must have the axes \(F\), got shape \(1, 8\)$", {"b": B[None]}),
    "channels": (
        ShapeError,
        r"^W must have shape \(3, 2, 3, 8\) \(\(KH, KW, C // groups, F\) with x's last axis C = 3\), "
        r"got shape \(3, 2, 4, 8\)$",
        {"x": X[..., :3]},
    ),
    "channels of groups": (ShapeError, r"must have shape \(3, 2, 2, 8\)", {"groups": 2}),
    "size of b": (
        ShapeError,
        r"^b must have shape \(8,\) \(one for each filter\), got shape \(4,\)$",
        {"b": B[:4]},
    ),
    "no height": (ShapeError, r"^x's axis H must not be empty, got shape \(2, 0", {"x": X[:, :0]}),
    "no channels": (ShapeError, "^x's axis C must not be empty", {"x": X[..., :0]}),
    "no filters": (ShapeError, "^W's axis F must not be empty", {"W": W[..., :0]}),
    "no kernel": (ShapeError, "^W's axis KW must not be empty", {"W": W[:, :0]}),
    "complex": (
        DTypeError,
        "^x must hold real numbers, got dtype complex128; convert it to float32 or float64$",
        {"x": X * 1j},
    ),
    "object": (DTypeError, "^W must hold real numbers, got dtype object", {"W": W.astype(object)}),
    "strings": (DTypeError, "^b must hold real numbers, got dtype <U1", {"b": ["1"] * 8}),
    "dates": (DTypeError, r"^b must .* dtype datetime64", {"b": np.zeros(8, "datetime64[s]")}),
    "nothing": (DTypeError, "^x must hold real numbers, got dtype object", {"x": None}),
    "uneven lists": (
        ShapeError,
        "^an array argument must be an array or lists of equal lengths: .*inhomogeneous",
        {"x": [[1, 2], [3]]},
    ),
    "stride 0": (ArgumentError, "^stride must be at least 1, got 0$", {"stride": 0}),
    "negative stride": (ArgumentError, "^stride must be at least 1, got -2$", {"stride": (1, -2)}),
    "real stride": (ArgumentError, r"^stride must be an int, got 1\.5$", {"stride": (1, 1.5)}),
    "bool stride": (ArgumentError, "^stride must be an int, got True$", {"stride": True}),
    "three strides": (
        ArgumentError,
        r"^stride must be an int or a pair \(height, width\) of ints, got \(1, 1, 1\)$",
        {"stride": (1, 1, 1)},
    ),
    "huge stride": (ArgumentError, "^stride must be at most 2147483647, got", {"stride": 2**31}),
    "dilation 0": (ArgumentError, "^dilation must be at least 1, got 0$", {"dilation": 0}),
    "padding -1": (ArgumentError, "^padding must be at least 0, got -1$", {"padding": -1}),
    "padding word": (
        ArgumentError,
        '^padding must be numbers, "valid" or "same", got \'full\'$',
        {"padding": "full"},
    ),
    "three paddings": (
        ArgumentError,
        r"^padding must be an int, \(height, width\), \(\(top, bottom\), \(left, right\)\), "
        r'"valid" or "same", got \(1, 2, 3\)$',
        {"padding": (1, 2, 3)},
    ),
    "kernel too large": (
        ShapeError,
        r"^the kernel does not fit the padded image: height 5 \+ padding 2 = 7 is less than 9, the "
        r"reach of kernel 3 with dilation 4; use a smaller kernel or more padding$",
        {"padding": 1, "dilation": 4},
    ),
    "groups 0": (ArgumentError, "^groups must be at least 1, got 0$", {"groups": 0}),
    "real groups": (ArgumentError, r"^groups must be an int, got 2\.0$", {"groups": 2.0}),
    "groups that do not divide": (
        ShapeError,
        "^groups must divide the channels and the filters, got 3 groups for 4 channels and 8 "
        "filters$",
        {"groups": 3},
    ),
    "activation": (
        ArgumentError,
        "^activation must be one of None, 'relu', got 'softmax'$",
        {"activation": "softmax"},
    ),
    "algorithm": (
        ArgumentError,
        "^algorithm must be one of 'auto', 'im2col', .*'reference', got 'fft'$",
        {"algorithm": "fft"},
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_bad_input(wrong):
    kind, message, arguments = WRONG[wrong]
    with pytest.raises(kind, match=message):
        conv2d(**{"x": X, "W": W, "b": B, **arguments})
    if not arguments.keys() & {"b"}:
        with pytest.raises(kind, match=message):
            conv2d_backward(**{"dy": np.ones((2, 3, 5, 8)), "x": X, "W": W, **arguments})


@pytest.mark.parametrize(
    ("kind", "message", "arguments"),
    [
        (
            ShapeError,
            r"^dy must have shape \(2, 3, 5, 8\) \(the convolution's output\), got shape "
            r"\(2, 3, 5, 4\)$",
            {"dy": np.ones((2, 3, 5, 4))},
        ),
        (ShapeError, r"^dy must have the axes \(N, H, W, F\), got shape \(8,\)$", {"dy": B}),
        (
            ArgumentError,
            '^activation="relu" needs y, what conv2d returned$',
            {"activation": "relu"},
        ),
        (
            ShapeError,
            r"^y must have shape \(2, 3, 5, 8\)",
            {"activation": "relu", "y": np.ones((2, 5, 3, 8))},
        ),
        (ArgumentError, r"^out must be two arrays \(dW, db\), got ndarray$", {"out": W}),
        (
            ArgumentError,
            r"^out must be two arrays \(dW, db\), got tuple$",
            {"out": (W.tolist(), B)},
        ),
        (
            ShapeError,
            r"^out's dW must have shape \(3, 2, 4, 8\) \(the shape of its parameter\), got shape "
            r"\(2, 3, 4, 8\)$",
            {"out": (np.empty((2, 3, 4, 8)), np.empty(8))},
        ),
        (
            DTypeError,
            "^out's db must be float64, the dtype of the computation, got float32$",
            {"out": (np.empty(W.shape), np.empty(8, np.float32))},
        ),
        (
            ArgumentError,
            "^out's dW is read-only; give an array that may be written to$",
            {"out": (np.broadcast_to(0.0, W.shape), np.empty(8))},
        ),
        (
            ArgumentError,
            "^out's dW shares memory with an input; give arrays of its own$",
            {"out": (W, np.empty(8))},
        ),
    ],
)
def test_bad_input_of_backward(kind, message, arguments):
    with pytest.raises(kind, match=message):
        conv2d_backward(**{"dy": np.ones((2, 3, 5, 8)), "x": X, "W": W, **arguments})


def test_every_output_is_new():
    y = conv2d(X, W, B)
    for result in results(conv2d_backward(y, X, W)):
        assert not any(np.shares_memory(result, array) for array in (X, W, B, y))
