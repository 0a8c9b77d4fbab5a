"""What files hold, brought to 0 .. 255: wide numbers, opacity, frames, and files that are damaged."""

import logging
import random
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from tinycnn.errors import FileError
from tinycnn.pictures import pixels

RAMP = np.linspace(0, 65535, 20 * 30).reshape(20, 30)  # black to white in 16 bits
BYTES = np.rint(RAMP / 65535 * 255).astype(np.uint8)
LOGO = np.zeros((20, 30, 4), np.uint8)  # black on nothing, and nothing is red beneath
LOGO[..., 0] = 255
LOGO[5:15, 5:15] = (0, 0, 0, 255)
LOGO[5:15, 15] = (0, 0, 0, 128)
ON_WHITE = np.full((20, 30, 3), 255, np.uint8)
ON_WHITE[5:15, 5:15] = 0
ON_WHITE[5:15, 15] = 127  # 255 * (255 - 128) / 255


def read(path):
    """As a user's program may have it: warnings are errors, and nothing is printed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return pixels.read(path)


def png(values, bits):
    """A PNG of ``bits`` a sample, (H, W, C): what Pillow does not write."""
    H, W, C = values.shape
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[C]
    kind = ">u2" if bits == 16 else "u1"
    rows = b"".join(b"\0" + row.astype(kind).tobytes() for row in values)

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", W, H, bits, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("array", "name", "words"),
    [
        (RAMP.astype(np.uint16), "a.png", "16 bits: 65,535 is white"),
        (RAMP.astype(np.uint16), "a.tif", "16 bits: 65,535 is white"),
        (RAMP.astype(">u2"), "a.tif", "16 bits: 65,535 is white"),
        (RAMP.astype(np.uint16), "a.npy", "16 bits: 65,535 is white"),
        (RAMP.astype(">u2"), "a.npy", "16 bits: 65,535 is white"),
        ((RAMP - 9000).astype(np.int32), "a.tif", "stretched: -9000 is black, 56535 is white"),
        ((RAMP / 65535).astype(np.float32), "a.tif", "1.0 is white"),
        ((RAMP / 257).astype(np.float32), "a.tif", "255 is white"),
        ((RAMP / 65535).astype(np.float16), "a.npy", "1.0 is white"),
        (RAMP / 65535, "a.NPY", "1.0 is white"),
        (BYTES.astype(np.int64), "a.npy", "255 is white"),
        (RAMP / 65535 * 2 - 1, "a.npy", "stretched: -1 is black, 1 is white"),
        ((RAMP / 65535 * 2 - 1) * 1.5e308, "a.npy", "stretched: -1.5e+308 is black, 1.5e+308 is white"),
        ((RAMP / 65535 * 2 - 1) * 1.5e-308, "a.npy", "stretched: -1.5e-308 is black, 1.5e-308 is white"),
        ((RAMP / 65535).astype(np.longdouble), "a.npy", "1.0 is white"),
        (RAMP / 65535 * 1.002, "a.npy", "1.002 is white"),
        ((RAMP / 65535 * 1.002).astype(np.float32), "a.tif", "1.002 is white"),
        (RAMP / 65535 * 1.2 - 1.2, "a.npy", "stretched: -1.2 is black, 0 is white"),
        (-RAMP[::-1, ::-1] / 65535 * 3.0, "a.npy", "stretched: -3 is black, 0 is white"),
    ],
)  # fmt: skip
def test_wide_numbers_keep_their_shades(tmp_path, array, name, words):
    path = tmp_path / name
    if name.lower().endswith(".npy"):
        with path.open("wb") as stream:
            np.save(stream, array)
    else:
        Image.fromarray(array).save(path)
    found = read(path)
    assert found.notes == (words,) and found.values.dtype == np.uint8
    off = np.abs(found.values[:, :, 0].astype(int) - BYTES)
    assert off.max() <= 1 and np.unique(found.values).size == 256


def test_bits_are_black_and_white(tmp_path):
    np.save(tmp_path / "a.npy", BYTES > 99)
    Image.fromarray(BYTES > 99).save(tmp_path / "a.png")
    for name in ("a.npy", "a.png"):
        np.testing.assert_array_equal(read(tmp_path / name).values[:, :, 0], (BYTES > 99) * 255)


def test_sixteen_bits_in_colours_and_with_opacity(tmp_path):
    wide = np.repeat(RAMP[:, :, None].astype(np.uint16), 4, axis=2)
    wide[..., 3] = 65535
    for channels in (1, 2, 3, 4):
        values = wide[..., [0, 3]] if channels == 2 else wide[..., :channels]
        (tmp_path / "a.png").write_bytes(png(values, 16))
        shades = read(tmp_path / "a.png").values
        assert np.abs(shades.astype(int) - BYTES[:, :, None]).max() <= 1, channels


def test_what_is_transparent_lies_on_white(tmp_path):
    files = []
    for name in ("rgba.png", "rgba.webp", "rgba.tif"):
        Image.fromarray(LOGO).save(
            tmp_path / name, **({"lossless": True} if "webp" in name else {})
        )
        files.append(name)
    Image.fromarray(LOGO[..., [1, 3]], "LA").save(tmp_path / "la.png")
    np.save(tmp_path / "rgba.npy", LOGO)
    np.save(tmp_path / "la.npy", LOGO[..., [1, 3]])
    np.save(tmp_path / "float.npy", LOGO / 255)
    np.save(tmp_path / "wide.npy", LOGO.astype(np.uint16) * 257)
    (tmp_path / "wide.png").write_bytes(png(LOGO.astype(np.uint16) * 257, 16))
    for name in (*files, "la.png", "rgba.npy", "la.npy", "float.npy", "wide.npy", "wide.png"):
        found = read(tmp_path / name)
        assert found.notes[-1] == "what is transparent on white", name
        shape = (20, 30, 1 if name.startswith("la") else 3)
        np.testing.assert_array_equal(found.values, ON_WHITE[..., : shape[2]], err_msg=name)


def test_one_colour_that_is_transparent(tmp_path):
    clear = LOGO[..., 3] < 128  # the half transparent column is none of it
    expected = np.where(clear, 255, 0)
    grey = np.where(clear, 70, 0).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png", transparency=70)
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "wide.png", transparency=70 * 257)
    Image.fromarray(np.repeat(grey[..., None], 3, 2)).save(
        tmp_path / "rgb.png", transparency=(70, 70, 70)
    )
    palette = Image.fromarray(clear.astype(np.uint8), "P")
    palette.putpalette([0, 0, 0, 255, 0, 0])
    for name, transparency in (("p.png", 1), ("bytes.png", b"\xff\x00"), ("p.gif", 1)):
        palette.save(tmp_path / name, transparency=transparency)
    for name in ("grey.png", "wide.png", "rgb.png", "p.png", "bytes.png", "p.gif"):
        found = read(tmp_path / name).values
        np.testing.assert_array_equal(found.max(axis=2), expected, err_msg=name)
        np.testing.assert_array_equal(found.min(axis=2), expected, err_msg=name)


def test_an_opaque_picture_with_an_opacity_channel_needs_no_words(tmp_path):
    Image.fromarray(np.dstack([BYTES, BYTES, BYTES, np.full_like(BYTES, 255)])).save(
        tmp_path / "a.png"
    )
    found = read(tmp_path / "a.png")
    assert found.notes == ()
    np.testing.assert_array_equal(found.values, np.repeat(BYTES[..., None], 3, 2))


def test_inks_become_colours(tmp_path):
    for name in ("a.jpg", "a.tif"):
        Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / name)
        assert np.abs(read(tmp_path / name).values.astype(int) - [255, 0, 0]).max() <= 2


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.tif"])
def test_of_several_frames_the_first_is_taken_and_it_is_said(tmp_path, name):
    frames = [Image.new("RGB", (9, 9), (40 * k, 0, 0)) for k in (5, 1, 2)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    found = read(tmp_path / name)
    assert found.notes == ("the first of 3 frames",)
    assert np.abs(found.values[..., 0].astype(int) - 200).max() <= 3


def test_a_picture_that_was_turned_says_so(tmp_path):
    sideways = Image.fromarray(BYTES)
    exif = sideways.getexif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    sideways.save(tmp_path / "a.png", exif=exif)
    found = read(tmp_path / "a.png")
    assert found.notes == ("turned upright",)
    np.testing.assert_array_equal(found.values[:, :, 0], np.rot90(BYTES, -1))


@pytest.mark.parametrize("orientation", [0, 1, 9, 99])
def test_a_picture_that_was_not_turned_does_not_say_so(tmp_path, orientation):
    straight = Image.fromarray(BYTES)
    exif = straight.getexif()
    exif[0x0112] = orientation
    straight.save(tmp_path / "a.png", exif=exif)
    found = read(tmp_path / "a.png")
    assert found.notes == ()
    np.testing.assert_array_equal(found.values[:, :, 0], BYTES)


@pytest.mark.parametrize("dtype", ["i1", "<i4", ">i8", "<u4", bool])
def test_a_mask_is_black_and_white(tmp_path, dtype):
    mask = np.indices((5, 7)).sum(axis=0) % 2
    np.save(tmp_path / "a.npy", mask.astype(dtype))
    found = read(tmp_path / "a.npy")
    assert found.notes == ("true is white" if dtype is bool else "1 is white",)
    np.testing.assert_array_equal(found.values[:, :, 0], 255 * mask)


def test_float_pictures_that_hold_no_brightness(tmp_path):
    for bad in (np.nan, np.inf):
        Image.fromarray(np.array([[0, bad]], np.float32)).save(tmp_path / "a.tif")
        with pytest.raises(FileError, match=r"a\.tif holds NaN or infinity"):
            read(tmp_path / "a.tif")


def test_a_bomb_is_refused_before_it_goes_off(tmp_path):
    content = bytearray(png(np.zeros((1, 1, 1)), 8))
    for size, allowed in (
        ((20_000, 20_000), False),
        ((9_500, 9_500), True),
    ):  # Pillow warns of both
        content[16:24] = struct.pack(">II", *size)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
        (tmp_path / "a.png").write_bytes(content)
        words = "is not a picture that Pillow can read" if allowed else "has too many pixels"
        with pytest.raises(FileError, match=words):
            read(tmp_path / "a.png")
    np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, (20_000, 20_000))
    with pytest.raises(FileError, match="too many pixels: 20,000 x 20,000, and 178,956,970 are"):
        read(tmp_path / "a.npy")


def written():
    """The kinds of pictures that this Pillow writes, among those that people have."""
    kinds = [
        "avif",
        "bmp",
        "dds",
        "gif",
        "ico",
        "jp2",
        "jpg",
        "png",
        "ppm",
        "qoi",
        "tga",
        "tif",
        "webp",
    ]
    known = Image.registered_extensions()
    return [kind for kind in kinds if known.get(f".{kind}") in Image.SAVE]


@pytest.mark.parametrize("kind", written())
def test_damaged_pictures_are_refused_or_read(tmp_path, capfd, caplog, kind):
    """Whatever a decoder raises is one error, and nothing of it is printed."""
    path, rng = tmp_path / f"a.{kind}", random.Random(0)
    Image.fromarray(np.repeat(BYTES[..., None], 3, 2)).save(path)
    content = path.read_bytes()
    caplog.set_level(logging.CRITICAL, "PIL")
    refused = 0
    for _ in range(60):
        damaged = bytearray(content[: rng.choice([len(content), rng.randrange(len(content))])])
        for _ in range(rng.randint(0, 4)):
            if damaged:
                damaged[rng.randrange(min(len(damaged), 200))] = rng.randrange(256)
        path.write_bytes(damaged)
        try:
            assert read(path).values.dtype == np.uint8
        except FileError as error:
            assert "\n" not in str(error)
            refused += 1
    assert 0 < refused < 60
    assert capfd.readouterr() == ("", "")
