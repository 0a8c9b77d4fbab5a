import numpy as np
import pytest
from hypothesis import given, settings
from op_checks import assert_same_bits, call_converts_once, call_is_polite
from strategies import whole

from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.kernels import reference
from tinycnn.ops import col2im, conv2d, im2col
from tinycnn.testing.strategies import convolutions, dtypes, generators, windows


def arguments(window):
    """The window as the ops take it."""
    return {
        "kernel": window.kernel,
        "stride": window.stride,
        "padding": window.pads,
        "dilation": window.dilation,
    }


def twin(window):
    """The window as the twins take it."""
    return 0, 0, window.size, window.stride, window.padding, window.dilation


def cols_shape(window):
    N, OH, OW, C = window.out_shape
    return N * OH * OW, window.kernel[0] * window.kernel[1] * C


@settings(max_examples=60)
@given(windows(), dtypes, generators)
def test_im2col_is_its_twin(window, dtype, rng):
    x = whole(rng, window.shape, dtype)
    expected = np.empty((cols_shape(window)[0], *window.kernel, window.shape[3]), dtype)
    reference.im2col(x, *twin(window), expected)
    assert_same_bits(im2col(x, **arguments(window)), expected.reshape(cols_shape(window)))


@settings(max_examples=60)
@given(windows(), dtypes, generators)
def test_col2im_is_its_twin(window, dtype, rng):
    cols, expected = whole(rng, cols_shape(window), dtype), np.zeros(window.shape, dtype)
    cells = cols.reshape(len(cols), *window.kernel, window.shape[3])
    reference.col2im(cells, *twin(window), expected)
    assert_same_bits(col2im(cols, window.shape, **arguments(window)), expected)


@settings(max_examples=100)
@given(windows(), generators)
def test_col2im_is_the_adjoint_of_im2col(window, rng):
    x, c = whole(rng, window.shape), whole(rng, cols_shape(window))
    cols, dx = im2col(x, **arguments(window)), col2im(c, window.shape, **arguments(window))
    assert np.vdot(cols, c) == np.vdot(x, dx)


@settings(max_examples=50)
@given(convolutions(), generators)
def test_a_convolution_is_one_matrix_product(case, rng):
    x, W = whole(rng, case.x_shape), whole(rng, (*case.geometry.kernel, case.x_shape[3], 3))
    product = im2col(x, case.geometry.kernel, **case.window) @ W.reshape(-1, 3)
    y = conv2d(x, W, **case.window)
    np.testing.assert_array_equal(product.reshape(y.shape), y)


def test_rows_are_windows_and_columns_kernel_row_kernel_column_channel():
    x = np.arange(2 * 3 * 2).reshape(1, 2, 3, 2)
    cols = im2col(x, 2)
    np.testing.assert_array_equal(cols, [[0, 1, 2, 3, 6, 7, 8, 9], [2, 3, 4, 5, 8, 9, 10, 11]])
    summed = col2im(np.ones_like(cols), x.shape, 2)
    np.testing.assert_array_equal(summed[0, :, :, 0], [[1, 2, 1], [1, 2, 1]])


@settings(max_examples=15)
@given(windows(), dtypes, generators)
def test_any_memory_order_and_type_is_accepted_and_left_alone(window, dtype, rng):
    def unroll(x):
        return im2col(x, **arguments(window))

    def add_back(cols):
        return col2im(cols, window.shape, **arguments(window))

    for op, shape in ((unroll, window.shape), (add_back, cols_shape(window))):
        call_is_polite(op, whole(rng, shape, dtype))
        call_converts_once(op, whole(rng, shape, dtype))


def test_no_images():
    cols = im2col(np.empty((0, 4, 5, 3)), (2, 3))
    assert cols.shape == (0, 18)
    assert col2im(cols, (0, 4, 5, 3), (2, 3)).shape == (0, 4, 5, 3)


X, COLS = np.ones((2, 4, 5, 3)), np.ones((2 * 3 * 3, 18))


@pytest.mark.parametrize(
    ("kind", "message", "arguments"),
    [
        (ShapeError, r"^x must have the axes \(N, H, W, C\)", {"x": X[0]}),
        (ShapeError, "^x's axis W must not be empty", {"x": X[:, :, :0]}),
        (DTypeError, "^x must hold real numbers", {"x": X + 1j}),
        (ArgumentError, "^kernel must be at least 1, got 0$", {"kernel": 0}),
        (ArgumentError, r"^kernel must be an int or a pair \(height, width\)", {"kernel": "3"}),
        (ArgumentError, "^stride must be at least 1, got 0$", {"stride": (0, 1)}),
        (ShapeError, r"^the kernel does not fit .* width 5 \+ padding 0 = 5", {"kernel": (1, 6)}),
    ],
)
def test_bad_input_of_im2col(kind, message, arguments):
    with pytest.raises(kind, match=message):
        im2col(**{"x": X, "kernel": (2, 3), **arguments})


@pytest.mark.parametrize(
    ("kind", "message", "arguments"),
    [
        (
            ShapeError,
            r"^cols must have shape \(18, 18\) \(\(N\*OH\*OW, KH\*KW\*C\)\), got shape \(17, 18\)$",
            {"cols": COLS[1:]},
        ),
        (ShapeError, r"^cols must have the axes \(R, K\), got", {"cols": COLS[0]}),
        (
            ShapeError,
            r"^x_shape must be the four sizes \(N, H, W, C\), got \(4, 5, 3\)$",
            {"x_shape": (4, 5, 3)},
        ),
        (ShapeError, "^x_shape must be the four sizes .*, got 4$", {"x_shape": 4}),
        (ArgumentError, "^x_shape's H, W and C must be at least 1", {"x_shape": (2, 4, 5, 0)}),
        (ArgumentError, "^x_shape's N must be at least 0, got -1", {"x_shape": (-1, 4, 5, 3)}),
        (ArgumentError, r"^x_shape's N must be an int, got 2\.0", {"x_shape": (2.0, 4, 5, 3)}),
    ],
)
def test_bad_input_of_col2im(kind, message, arguments):
    with pytest.raises(kind, match=message):
        col2im(**{"cols": COLS, "x_shape": X.shape, "kernel": (2, 3), **arguments})
