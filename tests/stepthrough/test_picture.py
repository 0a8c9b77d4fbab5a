"""Pictures: the bundled one, photographs, arrays, and files that are neither."""

import builtins
import io

import numpy as np
import pytest
from PIL import Image

from tinycnn.errors import FileError, MissingExtraError, ShapeError
from tinycnn.stepthrough import picture

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


def test_array_is_shrunk_by_means_and_cut_in_the_middle(tmp_path):
    pixels = np.zeros((5, 8, 3), np.uint8)
    pixels[0:2, 2:4] = [[[10], [20]], [[30], [40]]]  # one 2 x 2 block of the middle four columns
    np.save(tmp_path / "a.npy", pixels)
    loaded = picture.load(tmp_path / "a.npy", (2, 2, 3)).pixels
    np.testing.assert_array_equal(loaded[:, :, 0], [[25, 0], [0, 0]])


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
        ("text.npy", b"this is no array", "is not a readable .npy file"),
        ("empty.npy", b"", "is not a readable .npy file"),
        ("huge.npy", HUGE, "is not a readable .npy file"),
        ("object.npy", _npy(np.array([{}])), "is not a readable .npy file"),
        ("float.npy", _npy(np.zeros((300, 300, 3))), "pixels 0 .. 255, dtype uint8"),
        ("rank.npy", _npy(np.zeros((2, 300, 300, 3), np.uint8)), r"axes \(height, width, 3\)"),
        ("small.npy", _npy(np.zeros((100, 300, 3), np.uint8)), "wants at least 227 x 227"),
    ],
)
def test_what_is_no_picture(tmp_path, name, content, match):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=match):
        picture.load(tmp_path / name, SHAPE)


def test_folder_is_no_picture(tmp_path):
    with pytest.raises(FileError, match="there is no picture"):
        picture.load(tmp_path, SHAPE)


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
