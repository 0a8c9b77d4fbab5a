"""Means, deviations and colour noise, compared with NumPy's own over all pixels at once."""

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.data import PCANoise, Standardize
from tinycnn.data.statistics import colour_moments
from tinycnn.errors import ArgumentError, ShapeError


def photographs(dtype=np.uint8, count=300):
    """Images of colours that vary together; more of them than are read at once."""
    rng = np.random.default_rng(0)
    grey = rng.normal(120, 50, (count, 3, 4, 1))
    colours = grey * [1.0, 0.8, 0.5] + rng.normal(0, [5, 15, 9], (count, 3, 4, 3))
    clipped = np.clip(colours, 0, 255)
    return tc.data.Dataset(clipped.astype(dtype), np.arange(count) % 2)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_moments_are_those_of_all_pixels(dtype):
    data = photographs(dtype)
    pixels = data.images.reshape(-1, 3).astype(np.float64)
    mean, covariance = colour_moments(data)
    np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(pixels.T, bias=True), rtol=1e-11)


def test_moments_of_large_numbers_that_hardly_vary():
    images = 1e8 + np.random.default_rng(0).normal(0, 1e-3, (50, 2, 2, 1))
    mean, covariance = colour_moments(tc.data.Dataset(images, np.zeros(50)))
    np.testing.assert_allclose(mean, images.mean(), rtol=1e-15)
    np.testing.assert_allclose(covariance[0, 0], np.var(images - 1e8), rtol=1e-6)


def test_standardised_channels_have_mean_0_and_deviation_1():
    data = photographs()
    x = Standardize.of(data)(data.images)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x.mean(axis=(0, 1, 2), dtype=float), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=(0, 1, 2), dtype=float), 1, rtol=1e-6)
    wide = Standardize.of(data)(data.images.astype(np.float64))
    pixels = data.images.reshape(-1, 3).astype(np.float64)
    expected = (data.images - pixels.mean(axis=0)) / pixels.std(axis=0)
    np.testing.assert_allclose(wide, expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(x, expected, rtol=1e-5, atol=1e-6)


def test_the_statistics_are_those_of_the_part_that_is_named():
    images = np.zeros((10, 1, 1, 1))
    images[8:] = 1000
    data = tc.data.Dataset(images, np.zeros(10))
    training, test = data.select(range(8)), data.select([8, 9])
    assert Standardize.of(training)(test.images).ravel().tolist() == [1000, 1000]


def test_a_channel_that_never_varies_becomes_0():
    data = tc.data.Dataset(np.full((4, 2, 2, 3), [7, 0, 255], np.uint8), np.zeros(4))
    assert (Standardize.of(data)(data.images) == 0).all()


def test_the_mean_image():
    data = photographs()
    step = Standardize.mean_image(data)
    expected = data.images - data.images.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(step(data.images), expected, rtol=1e-5, atol=1e-4)
    with pytest.raises(ShapeError, match="crop and resize after it, not before"):
        step(tc.data.CenterCrop(2)(data.images))


def test_numbers_of_ones_own():
    step = Standardize([124, 116, 104], 58)
    x = step(np.full((1, 1, 1, 3), [182, 116, 46], np.uint8))
    assert x.ravel().tolist() == [1, 0, -1]
    assert repr(step) == "Standardize(mean=[124.0, 116.0, 104.0], deviation=58.0)"
    for wrong in (0, -1, np.nan, [1, 0, 1]):
        with pytest.raises(ArgumentError, match="deviation above 0"):
            Standardize(0, wrong)


# ---------------------------------------------------------------------------------- colour noise


UNIFORM = np.random.default_rng(1).random((200_000, 4))


def close(found, expected):
    """Covariances of 200,000 draws: each entry's standard error is below 0.4 % of the largest variance."""
    assert np.abs(found - expected).max() < 0.015 * expected.max()


def test_noise_varies_as_the_colours_of_the_images_do():
    """sigma P diag(sqrt(lambda)) a has the covariance sigma^2 P diag(lambda) P^T, that of the pixels."""
    data = photographs()
    noise = PCANoise.of(data, sigma=0.1).noise(UNIFORM)
    pixels = data.images.reshape(-1, 3).astype(np.float64)
    close(np.cov(noise.T), 0.01 * np.cov(pixels.T))
    assert np.abs(noise.mean(axis=0)).max() < 0.05


def test_noise_as_the_paper_has_it():
    """With pixels from 0 to 1 each eigenvector's part is lambda times N(0, sigma^2)."""
    data = photographs()
    values, vectors = np.linalg.eigh(np.cov(data.images.reshape(-1, 3).T / 255))
    noise = PCANoise.of(data, sigma=0.1, form="paper").noise(UNIFORM) / 255
    close(np.cov(noise.T), vectors @ np.diag((0.1 * values) ** 2) @ vectors.T)
    as_floats = tc.data.Dataset(data.images / 255, data.labels)
    other = PCANoise.of(as_floats, form="paper").noise(UNIFORM)
    np.testing.assert_allclose(other, noise, rtol=1e-6, atol=1e-9)


def test_its_parts_are_normal():
    """Along the eigenvectors: independent, and with the moments and tails of a normal."""
    parts = PCANoise(np.eye(3), np.ones(3), sigma=1).noise(UNIFORM)
    assert np.abs(np.corrcoef(parts.T) - np.eye(3)).max() < 0.01
    for moment, expected in ((1, 0), (2, 1), (3, 0), (4, 3)):
        assert np.abs((parts**moment).mean(axis=0) - expected).max() < 0.1
    assert np.abs((np.abs(parts) > 1.959964).mean(axis=0) - 0.05).max() < 0.002
    assert np.isfinite(PCANoise(np.eye(3), np.ones(3)).noise(np.zeros((1, 4)))).all()
    assert np.isfinite(PCANoise(np.eye(3), np.ones(3)).noise(np.full((1, 4), 1 - 2**-53))).all()


def test_all_pixels_of_an_image_get_the_same_colour():
    data = photographs()
    step = PCANoise.of(data)
    numbers = UNIFORM[: len(data)]
    added = step(data.images, numbers) - data.images.astype(np.float32)
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1, :1], added.shape), atol=1e-4)
    np.testing.assert_allclose(added[:, 0, 0], step.noise(numbers), atol=1e-4)
    assert np.ptp(added[:, 0, 0], axis=0).min() > 1


def test_the_sign_of_an_eigenvector_is_settled():
    vectors = PCANoise.of(photographs()).vectors
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(3), atol=1e-12)
    assert (vectors[np.abs(vectors).argmax(axis=0), range(3)] > 0).all()


def test_grey_images_have_no_colour_noise():
    grey = tc.data.Dataset(np.ones((2, 2, 2, 1)), [0, 1])
    with pytest.raises(ShapeError, match="got 1 channels"):
        PCANoise.of(grey)
    with pytest.raises(ShapeError, match="leave it out for grey ones"):
        PCANoise(np.eye(3), np.ones(3))(grey.images, np.zeros((2, 4)))
    with pytest.raises(ShapeError, match=r"vectors must be \(3, 3\)"):
        PCANoise(np.eye(2), np.ones(3))
    with pytest.raises(ArgumentError, match="form must be one of 'code', 'paper'"):
        PCANoise.of(photographs(count=2), form="caffe")
