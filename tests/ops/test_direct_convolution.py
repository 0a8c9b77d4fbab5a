"""Convolution without unrolling, beside im2col in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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


@given(st.integers(1, 3), generators)
def test_its_gradients_are_im2cols(stride, rng):
    x, W = (rng.standard_normal(s).astype(np.float32) for s in ((2, 11, 12, 5), (3, 3, 5, 6)))
    y = conv2d(x, W, stride=stride, algorithm="direct")
    ours, theirs = (
        conv2d_backward(y, x, W, stride=stride, algorithm=algorithm)
        for algorithm in ("direct", "im2col")
    )
    for mine, expected in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, expected)
