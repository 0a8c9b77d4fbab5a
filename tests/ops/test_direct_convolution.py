"""Convolution without unrolling, beside im2col in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from op_checks import call_is_polite, call_is_repeatable
from twins import error

from tinycnn.errors import ArgumentError
from tinycnn.ops import conv2d, conv2d_backward
from tinycnn.testing.strategies import convolutions, generators

BOUND = 2e-6  # of the largest output: sums of up to 2,000 products in float32


def operands(x_shape, W_shape, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal(shape).astype(np.float32) for shape in (x_shape, W_shape, W_shape[3:])
    )


@settings(max_examples=100)
@given(convolutions().filter(lambda case: case.groups == 1), generators)
def test_it_is_im2col_in_float64(case, rng):
    x, W, b = (
        rng.standard_normal(shape).astype(np.float32)
        for shape in (case.x_shape, case.W_shape, (case.filters,))
    )
    ours = conv2d(x, W, b, **case.options, algorithm="direct")
    exact = conv2d(np.float64(x), W, b, **case.options, algorithm="im2col")
    assert ours.dtype == np.float32
    assert error(ours, exact) < BOUND


@pytest.mark.parametrize(
    ("x_shape", "W_shape", "options"),
    [
        ((3, 40, 70, 3), (3, 3, 3, 64), {"padding": 1}),  # a row of a window is one run
        ((2, 30, 31, 17), (3, 2, 17, 130), {"padding": ((0, 2), (1, 0)), "dilation": (1, 2)}),
        ((9, 14, 14, 48), (1, 1, 48, 70), {}),  # no border, several images in a block
        ((1, 200, 33, 2), (5, 5, 2, 16), {"stride": (1, 2), "padding": 2}),  # blocks of rows
    ],
)
def test_blocks_of_images_and_of_rows(monkeypatch, x_shape, W_shape, options):
    x, W, b = operands(x_shape, W_shape)
    options |= {"activation": "relu"}

    def call():
        return conv2d(x, W, b, **options, algorithm="direct")

    assert error(call(), conv2d(np.float64(x), W, b, **options)) < BOUND
    call_is_repeatable(monkeypatch, call, least_blocks=1)


def test_what_is_in_one_image_reaches_no_other():
    x, W, b = operands((5, 12, 12, 8), (3, 3, 8, 20))
    clean = conv2d(x, W, b, padding=1, algorithm="direct")
    x[2] = np.nan
    spoilt = conv2d(x, W, b, padding=1, algorithm="direct")
    assert np.isnan(spoilt[2]).all()
    np.testing.assert_array_equal(np.delete(spoilt, 2, axis=0), np.delete(clean, 2, axis=0))


def test_it_is_polite_and_takes_no_images():
    x, W, b = operands((2, 9, 9, 4), (3, 3, 4, 5))
    call_is_polite(lambda x, W: conv2d(x, W, b, padding=1, algorithm="direct"), x, W)
    assert conv2d(x[:0], W, algorithm="direct").shape == (0, 7, 7, 5)


@pytest.mark.parametrize(
    ("dtype", "channels", "options", "words"),
    [
        (np.float64, 4, {}, "works in float32.* in float64"),
        (np.float32, 2, {"groups": 2}, "takes no groups, got 2"),
    ],
)
def test_where_it_does_not_apply_it_says_why(dtype, channels, options, words):
    x, W = np.ones((2, 9, 9, 4), dtype), np.ones((3, 3, channels, 2), dtype)
    with pytest.raises(ArgumentError, match=f'"direct" does not apply: .*{words}'):
        conv2d(x, W, **options, algorithm="direct")


@given(convolutions().filter(lambda case: case.groups == 1), generators)
def test_its_gradients_are_im2cols_in_float64(case, rng):
    x, W, dy = (
        rng.standard_normal(shape).astype(np.float32)
        for shape in (case.x_shape, case.W_shape, case.y_shape)
    )
    options = {name: value for name, value in case.options.items() if name != "activation"}
    ours = conv2d_backward(dy, x, W, **options, algorithm="direct")
    exact = conv2d_backward(np.float64(dy), x, W, **options, algorithm="im2col")
    # A gradient that is a single sum may cancel: it rounds as its terms do.
    sizes = conv2d_backward(
        np.abs(np.float64(dy)), *map(np.abs, (x, W)), **options, algorithm="im2col"
    )
    for mine, expected, size in zip(ours, exact, sizes, strict=True):
        assert mine.dtype == np.float32
        assert np.abs(mine - expected).max(initial=0) <= BOUND * size.max(initial=0)


@pytest.mark.parametrize(
    ("x_shape", "W_shape", "options"),
    [
        ((70, 28, 28, 1), (5, 5, 1, 6), {"padding": 2}),  # blocks of images
        ((2, 9, 11, 130), (3, 3, 130, 70), {}),  # rows of dW, channels of dx
        ((300, 6, 5, 40), (3, 2, 40, 33), {"stride": (2, 1), "dilation": (1, 2)}),  # both
        ((2, 60, 90, 3), (3, 3, 3, 80), {"padding": 1}),  # an image in some rows at a time
    ],
)
def test_its_gradients_go_in_parts(monkeypatch, x_shape, W_shape, options):
    x, W, _ = operands(x_shape, W_shape)
    dy = conv2d(x, W, **options)

    def call():
        return conv2d_backward(dy, x, W, **options, algorithm="direct")

    exact = conv2d_backward(np.float64(dy), x, W, **options)
    for mine, expected in zip(call(), exact, strict=True):
        assert error(mine, expected) < 5e-6  # up to 50,000 products
    call_is_repeatable(monkeypatch, call, least_blocks=2)


def test_what_is_in_one_image_reaches_no_others_gradient():
    x, W, _ = operands((5, 12, 12, 8), (3, 3, 8, 20))
    dy = conv2d(x, W, padding=1)
    clean, _, _ = conv2d_backward(dy, x, W, padding=1, algorithm="direct")
    dy[2] = np.nan
    spoilt, dW, _ = conv2d_backward(dy, x, W, padding=1, algorithm="direct")
    assert np.isnan(spoilt[2]).all() and np.isnan(dW).all()
    np.testing.assert_array_equal(np.delete(spoilt, 2, axis=0), np.delete(clean, 2, axis=0))


@pytest.mark.parametrize("images", [0, 1, 40])
@pytest.mark.parametrize(("H", "C", "F"), [(13, 2, 6), (8, 128, 128), (26, 32, 64)])
def test_auto_is_exact_whoever_does_the_gradients(images, H, C, F):
    """Few images or many: what takes less work is another, for dW and dx apart."""
    x, W, _ = operands((images, H, H, C), (3, 3, C, F))
    dy = conv2d(x, W, padding=1)
    ours = conv2d_backward(dy, x, W, padding=1)
    exact = conv2d_backward(np.float64(dy), x, W, padding=1)
    for mine, expected in zip(ours, exact, strict=True):
        assert error(mine, expected) < 2e-5
