"""Maxima taken before a convolution's outputs are written, and where they may not be."""

import numpy as np
import pytest
from inference_nets import BOUND, in_float64
from small_nets import images
from test_folding import drawn, planned
from twins import error

import tinycnn as tc
from tinycnn.kernels.simd import LANES
from tinycnn.layers import BatchNormalization, Conv2D, MaxPool2D, ReLU

SHAPE = (17, 22, 1)


@pytest.mark.parametrize("count", [1, 5, 40])
@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        (SHAPE, lambda: [Conv2D(4, 5, padding=2, activation="relu"), MaxPool2D(2)]),
        (SHAPE, lambda: [Conv2D(LANES, 3), MaxPool2D(2)]),
        ((9, 9, 3), lambda: [Conv2D(4, 3, stride=2, algorithm="direct"), MaxPool2D(2)]),
        ((9, 9, 3), lambda: [Conv2D(3, 3, padding=2, dilation=2), ReLU(), MaxPool2D(2)]),
    ],
)
def test_maxima_take_no_step(shape, layers, count):
    model, x = drawn(layers(), shape), images(count, shape)
    x[0, 3, 4], x[-1, 5, 6] = np.nan, np.inf
    assert planned(model, count) == ["conv1"]
    bare = tc.Sequential(layers()[:-1], shape)
    bare.load_weights(model.parameters())
    expected, _ = tc.ops.max_pool2d(bare.predict(x, count), 2)
    # Two columns of one channel may be added up apart, or not.
    np.testing.assert_allclose(model.predict(x, count), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [Conv2D(LANES + 1, 3), MaxPool2D(2)],
        lambda: [Conv2D(4, 3), MaxPool2D(3)],
        lambda: [Conv2D(4, 3), MaxPool2D(2, stride=1)],
        lambda: [Conv2D(4, 3), MaxPool2D(2, padding=1)],
        lambda: [Conv2D(4, 3), MaxPool2D(2, dilation=2)],
        lambda: [Conv2D(4, 3), MaxPool2D(2, ceil_mode=True)],
        lambda: [Conv2D(4, 3, algorithm="im2col"), MaxPool2D(2)],
    ],
)
def test_other_maxima_are_a_step_of_their_own(layers):
    model, x = drawn(layers(), SHAPE), images(4, SHAPE)
    assert planned(model) == ["conv1", "pool1"]
    assert error(model.predict(x), in_float64(model, x)) < BOUND


def test_what_comes_after_the_maxima_is_no_part_of_the_product():
    """A negative factor would make the smallest of what was the largest."""
    layers = [Conv2D(4, 3), MaxPool2D(2), BatchNormalization(), ReLU()]
    model, x = drawn(layers, SHAPE), images(4, SHAPE)
    assert planned(model)[:2] == ["conv1", "batchnorm1"]
    assert error(model.predict(x), in_float64(model, x)) < BOUND


@pytest.mark.parametrize("count", [1, 3])
def test_threads_share_an_image_with_the_same_bits(monkeypatch, count):
    monkeypatch.setattr("tinycnn.inference.chain.LEAST_WORK", 1)
    model = drawn([Conv2D(6, 5, padding=2), MaxPool2D(2), Conv2D(7, 3), MaxPool2D(2)], (28, 28, 1))
    x = images(count, model.input_shape)
    with tc.use_threads(1):
        expected = model.predict(x)
    for threads in (2, 3, 5):
        with tc.use_threads(threads):
            np.testing.assert_array_equal(model.predict(x), expected)
