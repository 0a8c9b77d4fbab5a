"""Pictures: the bundled one, photographs, arrays, and files that are neither."""

import builtins
import io
import os
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from tinycnn.errors import FileError, MissingExtraError, ShapeError
from tinycnn.explain.pictures import picture
from tinycnn.pictures import resizing

SHAPE = (227, 227, 3)


def test_bundled_photograph_names_its_source_and_licence():
    loaded = picture.load(None, SHAPE)
    assert loaded.pixels.shape == SHAPE and loaded.pixels.dtype == np.uint8
    assert loaded.pixels.std() > 20  # a photograph, not a blank
    assert "CC0" in loaded.title and "van der Walt" in loaded.title
    assert loaded.label == 281


@pytest.mark.parametrize("shape", [(99, 99, 3), (224, 224, 3), (50, 80, 3), (64, 64, 1)])
def test_bundled_photograph_is_cut_to_any_input(shape):
    assert picture.load(None, shape).pixels.shape == shape


def test_input_is_whole_multiples_of_one_128th():
    x = picture.load(None, SHAPE).x
    assert x.shape == (1, *SHAPE) and x.dtype == np.float32
    np.testing.assert_array_equal(x * 128, np.rint(x * 128))
    assert x.min() >= -1 and x.max() <= 127 / 128


def by_hand(pixels, size):
    """One channel resized to ``size``, in exact fractions, pixel by pixel."""
    for _ in range(2):  # rows, then columns
        old, new = len(pixels), size[0]
        rows = []
        for i in range(new):
            if new <= old:
                first, end = Fraction(i * old, new), Fraction((i + 1) * old, new)
                shares = [max(min(j + 1, end) - max(j, first), 0) for j in range(old)]
            else:
                middle = Fraction((2 * i + 1) * old, 2 * new) - Fraction(1, 2)
                shares = [max(1 - abs(middle - j), 0) for j in range(old)]
            rows.append([sum(s * p for s, p in zip(shares, column, strict=True)) / sum(shares)
                         for column in zip(*pixels, strict=True)])  # fmt: skip
        pixels, size = list(zip(*rows, strict=True)), size[::-1]
    return [list(map(round, row)) for row in pixels]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_picture_of_any_size_is_resized_to_cover_and_cut_in_the_middle(data):
    draw = data.draw
    h, w, H, W = (draw(st.integers(1, 12), label) for label in "hwHW")
    pixels = draw(arrays(np.uint8, (h, w, 1)))
    factor = max(Fraction(H, h), Fraction(W, w))
    size = resizing.covering((h, w), (H, W))
    assert size[0] >= H and size[1] >= W and (size[0] == H or size[1] == W)
    assert abs(size[0] - h * factor) <= Fraction(1, 2) and abs(size[1] - w * factor) <= Fraction(
        1, 2
    )
    top, left = (size[0] - H) // 2, (size[1] - W) // 2
    whole = np.array(by_hand(pixels[:, :, 0].tolist(), size))
    cut = resizing.middle(pixels, size, (H, W))
    assert cut.dtype == np.uint8
    np.testing.assert_array_equal(cut[:, :, 0], whole[top : top + H, left : left + W])


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((4, 4), "4 x 4 (rows x columns)"),
        ((4, 7), "4 x 7 (rows x columns), cut to 4 x 4"),
        ((8, 8), "8 x 8 (rows x columns), shrunk to 4 x 4"),
        ((9, 6), "9 x 6 (rows x columns), shrunk to 6 x 4, cut to 4 x 4"),
        ((1, 1), "1 x 1 (rows x columns), enlarged to 4 x 4, every pixel 9, 9, 9"),
        ((1, 5000), "1 x 5000 (rows x columns), enlarged to 4 x 20000, cut to 4 x 4"),
        ((5000, 1), "5000 x 1 (rows x columns), enlarged to 20000 x 4, cut to 4 x 4"),
    ],
)
def test_title_says_what_was_done(tmp_path, size, words):
    pixels = np.arange(size[0] * size[1], dtype=np.uint32).reshape(size) + 9
    np.save(tmp_path / "a.npy", pixels.astype(np.uint8))
    assert picture.load(tmp_path / "a.npy", (4, 4, 3)).title == f"a.npy, {words}"


def test_the_same_pixels_are_the_same_picture_in_any_file(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (31, 47, 3), np.uint8)
    np.save(tmp_path / "a.npy", pixels)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(pixels).save(tmp_path / "a.tiff")
    for shape in ((99, 99, 3), (20, 20, 1), (31, 47, 1)):
        expected = picture.load(tmp_path / "a.npy", shape).pixels
        for name in ("a.png", "a.tiff"):
            np.testing.assert_array_equal(picture.load(tmp_path / name, shape).pixels, expected)


def test_grey_is_luma(tmp_path):
    colours = np.array(
        [[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9], [200, 100, 50]]], np.uint8
    )
    np.save(tmp_path / "a.npy", colours)
    grey = picture.load(tmp_path / "a.npy", (1, 5, 1)).pixels[0, :, 0]
    exact = colours[0] @ [0.299, 0.587, 0.114]
    np.testing.assert_array_equal(grey, np.rint(exact))


def test_grey_array_serves_a_colour_network(tmp_path):
    np.save(tmp_path / "grey.npy", np.full((4, 4), 7, np.uint8))
    np.testing.assert_array_equal(picture.load(tmp_path / "grey.npy", (4, 4, 3)).pixels, 7)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_photograph_of_any_kind_and_size(tmp_path, name):
    Image.fromarray(np.full((40, 90, 3), 200, np.uint8)).save(tmp_path / name)
    loaded = picture.load(tmp_path / name, (60, 50, 3))
    assert loaded.pixels.shape == (60, 50, 3)
    assert abs(int(loaded.pixels.mean()) - 200) <= 2
    assert loaded.title.startswith(name)


def test_photograph_is_turned_upright(tmp_path):
    sideways = Image.new("RGB", (30, 20))
    sideways.paste((255, 0, 0), (0, 0, 15, 20))
    exif = sideways.getexif()
    exif[0x0112] = 6  # rotated by 90 degrees
    sideways.save(tmp_path / "phone.jpg", exif=exif)
    upright = picture.load(tmp_path / "phone.jpg", (30, 20, 3)).pixels
    assert upright[2, 10, 0] > 200 and upright[28, 10, 0] < 50


def test_missing_file():
    with pytest.raises(FileError, match=r"there is no picture 'nowhere\.png'"):
        picture.load("nowhere.png", SHAPE)


def _npy(array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


CLAIM = b"{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 1024, 3), }"
HUGE = b"\x93NUMPY\x01\x00v\x00" + CLAIM.ljust(117) + b"\n"


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("text.png", b"this is no picture", "is not a picture that Pillow can read"),
        ("cut.png", b"\x89PNG\r\n\x1a\n", "is not a picture that Pillow can read"),
        ("hello.npy", b"hello", "is not a readable .npy file: EOF: reading magic string"),
        ("text.npy", b"this is no array", "npy file: the magic string is not correct"),
        ("zip.npy", b"PK\x03\x04 no array", "npy file: the magic string is not correct"),
        ("empty.npy", b"", "empty.npy is empty"),
        ("huge.npy", HUGE, "is not a readable .npy file"),
        ("object.npy", _npy(np.array([{}])), "is not a readable .npy file"),
        ("complex.npy", _npy(np.zeros((3, 3), complex)), "real numbers, got dtype complex128"),
        ("text.npy", _npy(np.array([["a"]])), "real numbers, got dtype <U1"),
        ("record.npy", _npy(np.zeros((3, 3), "u1,u1")), "must hold one array of real numbers"),
        ("nan.npy", _npy(np.array([[0.5, np.nan]])), "holds NaN or infinity"),
        ("inf.npy", _npy(np.array([[0.5, -np.inf]], np.float16)), "holds NaN or infinity"),
        ("rank.npy", _npy(np.zeros((2, 30, 30, 3), np.uint8)), "height, width, channels"),
        ("line.npy", _npy(np.zeros(9, np.uint8)), "height, width, channels"),
        ("five.npy", _npy(np.zeros((30, 30, 5), np.uint8)), r"got shape \(30, 30, 5\)$"),
        ("first.npy", _npy(np.zeros((3, 30, 30), np.uint8)), "channels come last: np.moveaxis"),
        (
            "none.npy",
            _npy(np.zeros((0, 30, 3), np.uint8)),
            r"holds no pixels: its shape is \(0, 30, 3\)",
        ),
        ("bits.npy", _npy(np.zeros((30, 0))), r"holds no pixels: its shape is \(30, 0, 1\)"),
        ("empty.png", b"", "empty.png is empty"),
    ],
)
def test_what_is_no_picture(tmp_path, name, content, match):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=match):
        picture.load(tmp_path / name, SHAPE)


def test_what_is_no_regular_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for path, words in (
        (tmp_path, "is a folder, not a picture"),
        (tmp_path / "pipe.png", "is a device or a pipe"),
        ("/dev/zero", "is a device or a pipe"),
        (tmp_path / ("x" * 300), "there is no picture"),
        (tmp_path / ("x" * 300 + ".png"), "cannot be read"),
    ):
        with pytest.raises(FileError, match=words):
            picture.load(path, SHAPE)


def test_network_without_images():
    with pytest.raises(ShapeError, match="network's input is 10"):
        picture.load(None, (10,))


def test_without_pillow_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"x")
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("PIL"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'tinycnn\[image\]'"):
        picture.load(tmp_path / "a.png", SHAPE)
