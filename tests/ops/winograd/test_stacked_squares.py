"""A strided convolution and the one of stride 1 over stacked squares are the same sum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import whole
from twins import convolved

from tinycnn.ops.convolution.winograd.space_to_depth import SpaceToDepth
from tinycnn.runtime.calls import AT_ONCE
from tinycnn.runtime.feature_maps import FeatureMaps
from tinycnn.shapes import window
from tinycnn.testing.strategies import generators


def stacked(chosen, x):
    """The squares of ``x`` as an array, written over what was there before."""
    target = FeatureMaps.zeros((len(x), *chosen.size, chosen.channels), ((1, 0), (0, 1)))
    target.flat[...] = np.nan
    chosen.maps(AT_ONCE, FeatureMaps.of(x), target, (0, len(x) * chosen.size[0]))
    return target.view()


@st.composite
def convolutions(draw):
    """Sizes of the input, the kernel, the strides and the padding of a convolution that fits."""
    stride = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    kernel = tuple(draw(st.integers(1, 5 * s)) for s in stride)
    padding = tuple((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in stride)
    size = tuple(
        max(k - sum(p), 1) + draw(st.integers(0, 9)) for k, p in zip(kernel, padding, strict=True)
    )
    return (draw(st.integers(1, 2)), *size, draw(st.integers(1, 3))), kernel, stride, padding


def offered(case):
    """With each kernel that is large enough."""
    shape, kernel, stride, padding = case
    win = window(shape[1:3], kernel, stride=stride, padding=padding)
    return SpaceToDepth.offered(win, shape[3])


@settings(max_examples=60)
@given(convolutions(), st.integers(1, 3), generators)
def test_the_convolution_of_the_squares_is_the_strided_one(case, F, rng):
    shape, kernel, stride, padding = case
    chosen = rng.choice(offered(case))
    assert chosen.kernel in (2, 3, 5)
    x, W = whole(rng, shape, np.float32), whole(rng, (*kernel, shape[3], F), np.float32)
    ours = convolved(stacked(chosen, x), chosen.weights(W))
    np.testing.assert_array_equal(ours, convolved(x, W, stride=stride, pads=padding))


@settings(max_examples=40)
@given(convolutions(), generators)
def test_the_gradient_is_picked_by_the_adjoint(case, rng):
    shape, kernel, _, _ = case
    chosen = rng.choice(offered(case))
    W = whole(rng, (*kernel, shape[3], 2))
    gradient = whole(rng, (chosen.kernel, chosen.kernel, chosen.channels, 2))
    picked = chosen.weight_gradient(gradient)
    assert picked.shape == W.shape
    assert np.vdot(chosen.weights(W), gradient) == np.vdot(W, picked)


@settings(max_examples=60)
@given(convolutions(), generators)
def test_no_weight_lies_beyond_the_depths(case, rng):
    """At the frequency at infinity the last row, or column, of the kernel's squares is all that is seen."""
    shape, kernel, _, _ = case
    chosen = rng.choice(offered(case))
    W = chosen.weights(rng.uniform(1, 2, (*kernel, shape[3], 1)))
    last = slice(-1, None)
    for row, column in np.ndindex(2, 2):
        seen = W[last if row else slice(None), last if column else slice(None)]
        (channels,) = np.nonzero(seen.sum(axis=(0, 1, 3)))
        assert max(channels, default=-1) + 1 <= chosen.depths[row][column] <= chosen.channels


def test_the_depths_of_resnets_downsampling_layers():
    chosen = SpaceToDepth.offered(window((56, 56), 3, stride=2, padding=1), 64)[0]
    assert (chosen.kernel, chosen.channels, chosen.size) == (2, 256, (29, 29))
    assert chosen.depths == ((256, 192), (128, 64))


def test_alexnets_first_layer():
    """The twelfth cell of four to a square has no weight: row 3 of the last square, and its column 3."""
    chosen = SpaceToDepth.offered(window((227, 227), 11, stride=4), 3)[0]
    assert chosen.depths == ((48, 45), (36, 33))
    assert (chosen.kernel, chosen.channels, chosen.size) == (3, 48, (57, 57))


def test_resnets_first_layer():
    chosen = SpaceToDepth.offered(window((224, 224), 7, stride=2, padding=3), 3)[0]
    assert (chosen.kernel, chosen.channels, chosen.size) == (5, 12, (116, 116))


@pytest.mark.parametrize(
    ("kernel", "options"), [(11, {"stride": 2}), (3, {"stride": 2, "dilation": 2})]
)
def test_what_no_kernel_is_offered_for(kernel, options):
    assert SpaceToDepth.offered(window((40, 40), kernel, **options), 3) == []


def test_squares_over_the_edge_hold_zeros_there_not_a_neighbour():
    """What lies there meets a weight of zero, and zero times infinity is NaN."""
    x = np.full((2, 9, 10, 3), np.inf, np.float32)
    chosen = SpaceToDepth.offered(window((9, 10), 3, stride=2, padding=1), 3)[0]
    squares = stacked(chosen, x).reshape(2, *chosen.size, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5)
    image = squares.reshape(2, 2 * chosen.size[0], 2 * chosen.size[1], 3)
    inside = np.zeros(image.shape[1:3], bool)
    inside[1:10, 1:11] = True
    np.testing.assert_array_equal(
        image, np.broadcast_to(np.where(inside[..., None], np.inf, 0), image.shape)
    )
