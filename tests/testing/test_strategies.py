"""The hypothesis strategies: what they draw fits the ops, and is what they say."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, find, given, settings
from hypothesis import strategies as st
from strategies import examples

import tinycnn as tc
from tinycnn.checking.values import separated, tied
from tinycnn.ops import avg_pool2d, conv2d, dense, max_pool2d
from tinycnn.shapes import pool_window, window
from tinycnn.testing import strategies
from tinycnn.testing.strategies import (
    arrays,
    conv_arguments,
    convolutions,
    dense_arguments,
    generators,
    images,
    pool_arguments,
    pools,
)

shapes = st.lists(st.integers(0, 6), min_size=1, max_size=3).map(tuple)


@examples(200)
@given(conv_arguments())
def test_arguments_of_a_convolution_fit_each_other(drawn):
    assert conv2d(*drawn.arrays, **drawn.options).shape == drawn.dy.shape


@examples(200)
@given(pool_arguments())
def test_arguments_of_a_maximum_fit_each_other(drawn):
    assert max_pool2d(*drawn.arrays, **drawn.options)[0].shape == drawn.dy.shape


@given(pool_arguments(max_dilation=1))
def test_arguments_of_a_mean_fit_each_other(drawn):
    assert avg_pool2d(*drawn.arrays, **drawn.options).shape == drawn.dy.shape


@given(dense_arguments())
def test_arguments_of_a_dense_layer_fit_each_other(drawn):
    assert dense(*drawn.arrays, **drawn.options).shape == drawn.dy.shape


@examples(200)
@given(convolutions(), pools())
def test_sizes_are_those_of_the_shapes_module(convolution, pool):
    """Two rules written apart from each other."""
    drawn = convolution.geometry
    assert window(drawn.shape[1:3], drawn.kernel, **convolution.window).output == drawn.size
    assert pool_window(pool.geometry.shape[1:3], **pool.options).output == pool.geometry.size


@pytest.mark.parametrize(
    "wanted",
    [
        lambda drawn: drawn.options["groups"] > 1,
        lambda drawn: drawn.options["dilation"] == (2, 1),
        lambda drawn: drawn.options["activation"] == "relu",
        lambda drawn: len(drawn.arrays) == 2,
        lambda drawn: drawn.arrays[0].shape[0] == 0,
        lambda drawn: drawn.options["stride"][0] > drawn.arrays[1].shape[0],
        lambda drawn: drawn.options["padding"][0] == (0, 2),
    ],
    ids=["groups", "dilation", "relu", "no bias", "no image", "gaps", "lopsided padding"],
)
def test_every_dialect_of_a_convolution_is_drawn(wanted):
    find(conv_arguments(), wanted, settings=settings(max_examples=2000))


@given(images(max_size=4, max_channels=2, max_batch=2, dtype=np.float32))
def test_images_are_as_large_as_asked(x):
    assert x.dtype == np.float32 and x.ndim == 4
    assert all(1 <= size <= most for size, most in zip(x.shape, (2, 4, 4, 2), strict=True))


@given(shapes, generators)
def test_separated_values_lie_apart(shape, rng):
    x = separated(rng, shape)
    assert x.shape == shape and x.dtype == np.float64
    m = x.size + x.size % 2
    if m:
        assert np.abs(x).max() < 2
        assert np.abs(x).min() >= 1 / m
        assert np.diff(np.sort(x, axis=None)).min(initial=4) >= 2 / m


def test_separated_values_come_in_any_order():
    rng = np.random.default_rng(0)
    orders = {tuple(np.argsort(separated(rng, (3,)))) for _ in range(200)}
    assert len(orders) == 6


@given(shapes, generators)
def test_tied_values_are_small_whole_numbers(shape, rng):
    x = tied(rng, shape)
    assert x.shape == shape
    assert set(np.unique(x)) <= {-2, -1, 0, 1, 2}


@given(arrays((30,), values="tied", dtype=np.float32))
def test_thirty_tied_values_are_tied(x):
    assert len(np.unique(x)) <= 5 and x.dtype == np.float32


@settings(max_examples=30)
@given(pool_arguments(values="separated"))
def test_a_gradient_check_of_what_is_drawn_passes(drawn):
    (x,), options = drawn.arrays, drawn.options
    assume(x.size)

    def forward(x):
        return tc.ops.max_pool2d(x, **options)[0]

    def backward(dy, x):
        winner = tc.ops.max_pool2d(x, **options)[1]
        return tc.ops.max_pool2d_backward(dy, winner, x.shape, **options)

    report = tc.gradcheck((forward, backward), x, samples=4, directions=1)
    assert report.ok, report


def test_the_strategies_load_when_they_are_named():
    assert tc.testing.strategies is strategies
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        tc.testing.no_such_name  # noqa: B018


def test_without_hypothesis_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import tinycnn as tc\n"
        "assert tc.testing.LAYER_CHECKS\n"
        "try:\n    tc.testing.strategies\n"
        "except tc.errors.MissingExtraError as error:\n    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'tinycnn[test]'" in said.stdout
