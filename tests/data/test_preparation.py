"""Pictures as a network takes them, compared with NumPy's statistics and with formulas."""

import json

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.data import Preparation
from tinycnn.errors import ArgumentError, ShapeError


def pictures(channels, dtype=np.uint8, count=6, high=256):
    rng = np.random.default_rng(channels)
    images = rng.integers(0, high, (count, 4, 6, channels)).astype(dtype)
    images[0, 0, 0] = high - 1
    return tc.data.Dataset(images, np.arange(count) % 2, ("cat", "dog"))


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_training_pictures_get_mean_0_and_deviation_1(channels):
    data = pictures(channels)
    preparation = Preparation.of(data)
    x = preparation(data.images)
    pixels = data.images.astype(float)
    expected = (pixels - pixels.mean((0, 1, 2))) / pixels.std((0, 1, 2))
    assert x.dtype == np.float32 and preparation.input_shape == (4, 6, channels)
    np.testing.assert_allclose(x, expected, atol=1e-5)


def test_grey_is_the_same_in_three_channels():
    data = pictures(1)
    x = Preparation.of(data, channels=3)(data.images)
    grey = Preparation.of(data)(data.images)
    assert x.shape == (6, 4, 6, 3)
    assert (x == grey).all()


def test_colours_become_grey_by_their_luma():
    data = pictures(3)
    preparation = Preparation.of(data, channels=1)
    luma = data.images.astype(float) @ [0.299, 0.587, 0.114]
    assert preparation.mean == pytest.approx([luma.mean()], abs=1e-3)
    assert preparation.deviation == pytest.approx([luma.std()], abs=1e-3)
    expected = (np.floor(luma + 0.5) - luma.mean()) / luma.std()
    np.testing.assert_allclose(preparation(data.images)[..., 0], expected, atol=0.02)
    floats = preparation(data.images.astype(np.float64))[..., 0]
    np.testing.assert_allclose(floats, (luma - luma.mean()) / luma.std(), atol=1e-4)


def test_a_network_of_grey_pictures_sees_coloured_ones_in_grey():
    data, coloured = pictures(1), pictures(3)
    x = Preparation.of(data, channels=3)(coloured.images)
    assert (x[..., 0] == x[..., 1]).all() and (x[..., 0] == x[..., 2]).all()


def test_pictures_are_resized_and_their_middle_cut_out():
    data = pictures(1)
    x = Preparation.of(data, size=2)(data.images)
    # 4 x 6 becomes 2 x 3, which covers 2 x 2; the odd column is left at the end.
    blocks = data.images[:, :, :4].astype(float).reshape(6, 2, 2, 2, 2, 1)
    pixels = data.images.astype(float)
    expected = (np.rint(blocks.mean((2, 4))) - pixels.mean()) / pixels.std()
    np.testing.assert_allclose(x, expected, atol=1e-5)


def test_a_pixel_of_a_file_is_as_bright_as_the_data_sets():
    """Digits are bytes from 0 to 16: what is white in a file is 16 there."""
    data = pictures(1, high=17)
    preparation = Preparation.of(data)
    assert (preparation.black, preparation.white) == (0, 16)
    pixels = np.array([[0, 255, 51, 0, 0, 0]] * 4, np.uint8)[..., None]
    stored = np.array([[0, 16, 3.2, 0, 0, 0]] * 4)[None, ..., None]
    np.testing.assert_allclose(preparation.of_pixels(pixels), preparation(stored), atol=1e-6)
    bytes_ = Preparation.of(pictures(1))
    assert (bytes_.black, bytes_.white) == (0, 255)
    assert (bytes_.of_pixels(pixels) == bytes_(pixels[None])).all()


def test_numbers_from_minus_1_to_1_keep_their_black():
    images = np.linspace(-1, 1, 24).reshape(1, 4, 6, 1)
    preparation = Preparation.of(tc.data.Dataset(images, [0]))
    assert (preparation.black, preparation.white) == (-1, 1)
    black = preparation.of_pixels(np.zeros((4, 6, 1), np.uint8))
    assert black[0, 0, 0, 0] == pytest.approx(-1 / images.std(), abs=1e-6)


def test_it_comes_back_from_plain_values_and_from_a_checkpoint(tmp_path):
    preparation = Preparation.of(pictures(1), size=(5, 7), channels=3)
    again = Preparation.from_dict(json.loads(json.dumps(preparation.to_dict())))
    assert again == preparation
    model = tc.Sequential([tc.layers.Dense(2)], (5, 7, 3))
    tc.checkpoints.save(tmp_path / "m.npz", model, preparation=preparation.to_dict())
    parts = tc.checkpoints.load(tmp_path / "m.npz").parts
    assert Preparation.from_dict(parts["preparation"]) == preparation


def test_it_is_a_step_of_batches():
    data = pictures(1)
    preparation = Preparation.of(data, size=8, channels=3)
    x, _ = next(iter(tc.data.batches(data, 6, shuffle=False, augment=preparation)))
    assert (x == preparation(data.images)).all()


def test_what_it_refuses():
    with pytest.raises(ShapeError, match="takes 3 channels, and the images have 2"):
        Preparation.of(pictures(2), channels=3)
    with pytest.raises(ShapeError, match=r"C = 1 or 3, got shape \(6, 4, 6, 2\)"):
        Preparation.of(pictures(1))(pictures(2).images)
    with pytest.raises(ArgumentError, match="must have 1 or 3 numbers each for 3 channels"):
        Preparation((2, 2), 3, (1.0, 2.0), (1.0, 2.0))
    with pytest.raises(ArgumentError, match="mean must be finite numbers"):
        Preparation((2, 2), 1, (np.nan,), (1.0,))
    with pytest.raises(ArgumentError, match="deviation above 0"):
        Preparation((2, 2), 1, (0.0,), (0.0,))
    with pytest.raises(ArgumentError, match="no preparation of pictures"):
        Preparation.from_dict({"size": [2, 2], "colour": 1})
