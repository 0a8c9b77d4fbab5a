"""The stated bound holds where rounding hurts most, and errors are far below it where it does not."""

from fractions import Fraction

import numpy as np
import pytest

from tinycnn.kernels.jit import numba
from tinycnn.ops import conv2d, conv2d_backward
from tinycnn.ops.convolution.winograd.accuracy import SAFE, condition, error_bound, growth
from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.tiling import LARGEST, tiling
from tinycnn.runtime.calls import AT_ONCE
from tinycnn.runtime.feature_maps import FeatureMaps


def ordinary(rng, shape):
    return np.maximum(rng.standard_normal(shape), 0)


def large_mean(rng, shape):
    return 1000 + rng.standard_normal(shape)


def mixed_scales(rng, shape):
    """From a millionth to a million, by channel."""
    return rng.standard_normal(shape) * 10.0 ** rng.integers(-6, 7, shape[-1])


def alternating(rng, shape):
    """Full marks of both signs, by cell: differences of neighbours are as large as they can be."""
    signs = 1 - 2 * (np.indices(shape[1:3]).sum(axis=0) % 2)
    return np.broadcast_to(signs[..., None], shape).astype(np.float64)


def one_hot(rng, shape):
    """A single large cell in every image."""
    x = 1e-3 * rng.standard_normal(shape)
    x[:, shape[1] // 2, shape[2] // 2] = 1e4
    return x


def errors(case, inputs, images=2, seed=0):
    """(largest error, rms error) over outputs of a unit standard deviation, and bound / largest error."""
    C, length, kernel, largest = case
    if numba.config.DISABLE_JIT:
        C //= 8  # or it takes minutes
    rng = np.random.default_rng(seed)
    cut, F = tiling(length, kernel, largest=largest), 24
    conv = WinogradConvolution(C, F, cut, cut)
    x = inputs(rng, (images, length + kernel - 1, length + kernel - 1, C)).astype(np.float32)
    W = rng.standard_normal((kernel, kernel, C, F)) / (kernel * np.sqrt(C))
    W, bias = W.astype(np.float32), rng.standard_normal(F).astype(np.float32)
    source = FeatureMaps.zeros(x.shape)
    source.view()[...] = x
    y = np.empty((images, length, length, F), np.float32)
    conv.block(AT_ONCE, source, conv.pack(W, bias), FeatureMaps.of(y), relu=False)
    exact = np.zeros(y.shape) + bias
    for i, j in np.ndindex(kernel, kernel):
        exact += np.float64(x[:, i : i + length, j : j + length]) @ np.float64(W[i, j])
    error = np.abs(y - exact)
    bound = error_bound(W, bias, cut, cut, np.abs(x).max())
    worst = (bound / np.maximum(error.max(axis=(0, 1, 2)), 1e-300)).min()
    return error.max() / exact.std(), np.sqrt((error**2).mean()) / exact.std(), worst


# As AlexNet's, with a few tiles of each size: (channels, outputs along an axis, kernel, largest tile).
LAYERS = {
    "conv1": (48, 10, 3, 5),
    "conv2": (96, 7, 5, None),
    "conv3": (256, 9, 3, None),
    "conv4": (384, 9, 3, None),
    "large tiles": (512, 12, 3, None),
    "large and smaller": (256, 11, 3, None),
    "of a stride of 2": (512, 7, 2, None),
    "small tiles": (384, 5, 3, 3),
    "tiles of 2": (64, 4, 3, 2),
    "middle tiles": (64, 8, 3, 4),
}


@pytest.mark.parametrize("inputs", [ordinary, large_mean, mixed_scales, alternating, one_hot])
@pytest.mark.parametrize("layer", LAYERS)
def test_no_error_exceeds_the_bound(layer, inputs):
    assert errors(LAYERS[layer], inputs)[2] >= 1


# From the smallest tiles to the largest: rms and largest error over outputs of unit deviation.
SEEN = {
    "tiles of 2": (1e-6, 8e-6),
    "small tiles": (3e-6, 4e-5),
    "middle tiles": (6e-6, 8e-5),
    "large tiles": (8e-6, 1.5e-4),
    "large and smaller": (8e-6, 1.5e-4),
    "of a stride of 2": (3e-6, 4e-5),
    "conv1": (6e-6, 1e-4),
    "conv2": (6e-6, 8e-5),
    "conv3": (8e-6, 1.5e-4),
    "conv4": (8e-6, 1.5e-4),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_ordinary_inputs_lead_to_small_errors(layer):
    largest, rms, _ = errors(LAYERS[layer], ordinary)
    assert rms < SEEN[layer][0]
    assert largest < SEEN[layer][1]


def test_a_bound_worked_out_by_hand():
    """F(2, 3): G has rows (0,0,1), (1,0,0), (1,1,1)/2 and (1,-1,1)/2 but for signs, B two 1s a row."""
    assert condition(2, 3, 4) == Fraction(4)
    cut = tiling(2, 3)
    W = np.ones((3, 3, 5, 2), np.float32)
    u, d = 2.0**-24, 5 + 2 * (cut.frequencies + cut.frequencies) + 8
    growth = d * u / (1 - d * u)
    bound = error_bound(W, np.array([0, 7], np.float32), cut, cut, 3.0)
    np.testing.assert_allclose(bound, growth * (4 * 4 * 3 * 45 + np.array([0, 7])), rtol=1e-12)


@pytest.mark.parametrize(
    ("m", "r", "n"), [(3, 2, 5), (2, 3, 5), (3, 3, 6), (4, 3, 7), (5, 3, 8), (3, 5, 8)]
)
def test_sharing_weights_does_not_change_the_condition(m, r, n):
    """What one matrix is multiplied with the other is divided by."""
    assert condition(m, r, n) == condition(m, r, n - 1)


TILES = sorted(
    {
        (m, kernel, cut.frequencies)
        for kernel in LARGEST
        for length in range(2, 30)
        for largest in range(3, LARGEST[kernel] + 1)
        if (cut := tiling(length, kernel, largest=largest))
        for m in (cut.outputs, cut.outputs - 1)[not cut.big :]
    }
)


def test_nothing_on_the_way_is_2_to_the_12_times_larger():
    assert len(TILES) >= 11
    worst = max(growth(*tile) for tile in TILES)
    assert 2**11 < worst**2 < 2**12
    assert worst**2 * Fraction(SAFE) < Fraction(float(np.finfo(np.float32).max))
    # F(2, 3) by hand: B has two 1s a row, and for the middle points three halves, twice, times two 1s.
    assert growth(2, 3, 4) == 4


def signs(rng, shape, pattern):
    """+-1: at random, or turning with every cell, or every other, or not at all."""
    if pattern == 0:
        return rng.choice([-1.0, 1.0], shape)
    h, w = np.indices(shape[1:3]) // (pattern - 1 or 100)
    return np.broadcast_to((1.0 - 2 * ((h + w) % 2))[..., None], shape)


@pytest.mark.parametrize(
    ("kernel", "length"), [(3, n) for n in (2, 4, 5, 6, 7, 8, 11, 15)] + [(5, 7), (5, 8), (2, 7)]
)
@pytest.mark.parametrize("pattern", range(4))
def test_what_is_safe_by_the_documented_range_is_finite_and_right(kernel, length, pattern):
    """At its very end: largest inputs, with weights, or gradients, whose sums are 1."""
    rng = np.random.default_rng(length)
    x = (SAFE * signs(rng, (2, length + kernel - 1, length + kernel - 1, 16), pattern)).astype(
        np.float32
    )
    W = rng.choice([-1.0, 1.0], (kernel, kernel, 16, 16)).astype(np.float32) / kernel**2 / 16
    large = (SAFE * signs(rng, (2, length, length, 16), pattern)).astype(np.float32)
    small = large / np.float32(SAFE * 2 * length**2)
    near(conv2d(x, W, algorithm="winograd"), conv2d(np.float64(x), W))
    dx, _, _ = conv2d_backward(large, x / np.float32(SAFE), W, algorithm="winograd")
    near(dx, conv2d_backward(np.float64(large), x, W)[0])
    _, dW, _ = conv2d_backward(small, x, W, algorithm="winograd")
    near(dW, conv2d_backward(np.float64(small), x, W)[1])


def near(ours, exact):
    """Finite, and right to the rounding of sums of SAFE."""
    assert np.isfinite(ours).all()
    assert np.abs(ours - exact).max() < 1e-4 * SAFE


def test_beyond_the_range_im2col_is_finite_where_winograd_is_not():
    rng = np.random.default_rng(0)
    x = rng.choice([-3e38, 3e38], (1, 9, 9, 16)).astype(np.float32)
    W = rng.choice([-1.0, 1.0], (3, 3, 16, 16)).astype(np.float32) / 144
    assert not np.isfinite(conv2d(x, W, algorithm="winograd")).all()
    for algorithm in ("im2col", "direct", "reference"):
        assert np.isfinite(conv2d(x, W, algorithm=algorithm)).all()
