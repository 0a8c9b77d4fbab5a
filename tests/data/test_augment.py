"""Crops, mirror images and sizes, compared with slices written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinycnn as tc
from tinycnn.data import CenterCrop, Mirror, RandomCrop, Resize, TenCrop
from tinycnn.errors import ArgumentError, DTypeError, ShapeError


@st.composite
def crops(draw):
    """Images whose pixels are all different, and the size of a crop within."""
    H, W, C, N = (draw(st.integers(1, 9)) for _ in range(4))
    images = np.arange(N * H * W * C).reshape(N, H, W, C)
    return images, (draw(st.integers(1, H)), draw(st.integers(1, W)))


@given(crops())
def test_the_middle_of_any_size(given):
    images, (h, w) = given
    H, W = images.shape[1:3]
    cut = CenterCrop((h, w))(images)
    for n, i, j in np.ndindex(len(images), h, w):
        assert (cut[n, i, j] == images[n, (H - h) // 2 + i, (W - w) // 2 + j]).all()
    assert cut.shape[1:3] == (h, w)


@given(crops(), st.integers(0, 2), st.integers(0, 2), st.integers(0, 99))
def test_a_random_crop_lies_where_its_numbers_say(given, rows, columns, seed):
    images, (h, w) = given
    N, H, W, C = images.shape
    numbers = np.random.default_rng(seed).random((N, 2))
    cut = RandomCrop((h, w), (rows, columns))(images, numbers)
    assert cut.shape == (N, h, w, C) and cut.dtype == images.dtype
    for n in range(N):
        top = int(numbers[n, 0] * (H + 2 * rows - h + 1)) - rows
        left = int(numbers[n, 1] * (W + 2 * columns - w + 1)) - columns
        for i, j in np.ndindex(h, w):
            inside = 0 <= top + i < H and 0 <= left + j < W
            expected = images[n, top + i, left + j] if inside else np.zeros(C)
            np.testing.assert_array_equal(cut[n, i, j], expected)


def test_all_places_of_a_crop_are_equally_likely():
    images = np.broadcast_to(np.arange(20).reshape(1, 4, 5, 1), (60_000, 4, 5, 1))
    cut = RandomCrop((2, 3))(images, np.random.default_rng(0).random((60_000, 2)))
    found = np.bincount(cut[:, 0, 0, 0], minlength=20)
    places = [5 * top + left for top in range(3) for left in range(3)]
    assert found.sum() == found[places].sum()
    expected = 60_000 / 9
    assert (
        (found[places] - expected) ** 2 / expected
    ).sum() < 26.1  # chi squared, 8 degrees, p = 0.001


def test_the_last_number_is_still_inside():
    almost = np.full((1, 2), np.nextafter(1, 0))
    cut = RandomCrop(3)(np.arange(25).reshape(1, 5, 5, 1), almost)
    assert cut[0, 0, 0, 0] == 12 and cut[0, 2, 2, 0] == 24


def test_mirror_images():
    images = np.arange(4 * 2 * 3 * 2).reshape(4, 2, 3, 2)
    turned = Mirror(0.3)(images, np.array([[0.0], [0.29], [0.3], [0.9]]))
    for n in range(2):
        np.testing.assert_array_equal(turned[n], images[n, :, [2, 1, 0]].swapaxes(0, 1))
    np.testing.assert_array_equal(turned[2:], images[2:])
    assert (Mirror(1)(images, np.full((4, 1), 0.999))[:, :, 0] == images[:, :, 2]).all()
    assert (Mirror(0)(images, np.zeros((4, 1))) == images).all()


def test_ten_crops_are_corners_middle_and_their_mirror_images():
    images = np.arange(2 * 5 * 7 * 3).reshape(2, 5, 7, 3)
    ten = TenCrop((2, 4))(images)
    assert ten.shape == (2, 10, 2, 4, 3)
    for k, (top, left) in enumerate([(0, 0), (0, 3), (3, 0), (3, 3), (1, 1)]):
        cut = images[:, top : top + 2, left : left + 4]
        np.testing.assert_array_equal(ten[:, k], cut)
        np.testing.assert_array_equal(ten[:, 5 + k], cut[:, :, [3, 2, 1, 0]])


def test_the_mean_of_ten_answers():
    y = np.random.default_rng(0).random((30, 4))
    expected = [sum(y[10 * n + k] for k in range(10)) / 10 for n in range(3)]
    np.testing.assert_allclose(TenCrop.mean(y), expected, rtol=1e-12)
    with pytest.raises(ShapeError, match="ten rows an image"):
        TenCrop.mean(y[:-1])


def test_ten_crops_go_through_batches_and_a_network():
    data = tc.data.Dataset(
        np.random.default_rng(0).integers(0, 256, (3, 6, 6, 1), np.uint8), [0, 1, 0]
    )
    model = tc.Sequential([tc.layers.Dense(2, activation="softmax")], (4, 4, 1))
    crops = TenCrop(4)
    ((x, _),) = tc.data.batches(
        data, 3, shuffle=False, augment=[crops, tc.data.Standardize(100, 50)]
    )
    y = crops.mean(model.predict(x.reshape(-1, 4, 4, 1)))
    expected = model.predict((data.images[:, 1:5, 1:5] - np.float32(100)) / 50)
    assert y.shape == (3, 2) and expected.shape == (3, 2)
    np.testing.assert_allclose(x[:, 4], (data.images[:, 1:5, 1:5] - 100.0) / 50, rtol=1e-6)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-6)


def test_sizes():
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3), np.uint8)
    half = images.reshape(2, 2, 2, 3, 2, 3).mean(axis=(2, 4))
    np.testing.assert_array_equal(Resize((2, 3))(images), np.rint(half))
    np.testing.assert_array_equal(Resize(2)(images), np.rint(half)[:, :, :2])  # of 2 x 3 the middle
    np.testing.assert_array_equal(Resize((4, 6))(images), images)
    for dtype in (np.float32, np.float64):
        resized = Resize((2, 3))(images.astype(dtype))
        assert resized.dtype == dtype
        np.testing.assert_allclose(resized, half, rtol=1e-6)
    enlarged = Resize(9)(images[:, :3, :3])
    np.testing.assert_array_equal(enlarged[:, 1::3, 1::3], images[:, :3, :3])  # on the same points


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: CenterCrop(5)(np.ones((1, 4, 6, 1))), ShapeError, "5 x 5 does not fit into images of 4 x 6"),
        (lambda: TenCrop((4, 7))(np.ones((1, 4, 6, 1))), ShapeError, "4 x 7 does not fit"),
        (lambda: RandomCrop(9, 1)(np.ones((1, 6, 6, 1)), np.ones((1, 2))), ShapeError, "images of 8 x 8"),
        (lambda: Resize(2)(np.ones((1, 4, 4, 1), int)), DTypeError, "uint8 or floats, got int64"),
        (lambda: Mirror(1.5), ArgumentError, "probability must be a finite number"),
        (lambda: RandomCrop(0), ArgumentError, "size must be at least 1"),
        (lambda: RandomCrop(2, -1), ArgumentError, "padding must be at least 0"),
    ],
)  # fmt: skip
def test_what_does_not_fit(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
