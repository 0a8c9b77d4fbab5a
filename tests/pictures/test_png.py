"""PNG files read without Pillow, against Pillow; and files that are damaged or of another kind."""

import zlib

import numpy as np
import pytest
from PIL import Image

from tinycnn.errors import FileError, MissingExtraError
from tinycnn.pictures import pixels, png

RNG = np.random.default_rng(0)
# Smooth, so that Pillow's encoder chooses each of the filters, and noise.
SLOPE = (np.add.outer(np.arange(40) ** 2, 7 * np.arange(33)) // 9).astype(np.uint8)
MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def few(H, W):
    assert (H, W) == (40, 33)


def values(mode):
    noise = RNG.integers(0, 256, (40, 33, MODES[mode]), dtype=np.uint8)
    noise[:30] = SLOPE[:30, :, None] // np.arange(1, MODES[mode] + 1, dtype=np.uint8)
    return noise if MODES[mode] > 1 else noise[..., 0]


def written(path, mode, **options):
    Image.fromarray(values(mode)).save(path, **options)
    return path.read_bytes()


@pytest.fixture
def without_pillow(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)


def filters(data, W, C):
    """Of each row, as the file has them."""
    place, packed = 8, b""
    while place < len(data):
        length, kind = int.from_bytes(data[place : place + 4]), data[place + 4 : place + 8]
        packed += data[place + 8 : place + 8 + length] * (kind == b"IDAT")
        place += 12 + length
    return set(zlib.decompress(packed)[:: 1 + W * C])


@pytest.mark.parametrize("mode", MODES)
def test_as_pillow_reads_it(tmp_path, mode):
    data = written(tmp_path / "a.png", mode)
    expected = np.asarray(Image.open(tmp_path / "a.png")).reshape(40, 33, MODES[mode])
    np.testing.assert_array_equal(png.decoded(data, few), expected)


def with_filter(number, image):
    """A PNG of a grey image whose rows all have that filter, as section 9.2 has them, sample by sample."""

    def guess(i, j):
        a, b, c = (
            int(image[k, m]) if k >= 0 and m >= 0 else 0
            for k, m in ((i, j - 1), (i - 1, j), (i - 1, j - 1))
        )
        p = a + b - c
        pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
        paeth = a if pa <= pb and pa <= pc else b if pb <= pc else c
        return (0, a, b, (a + b) // 2, paeth)[number]

    H, W = image.shape
    rows = b"".join(
        bytes([number, *((int(image[i, j]) - guess(i, j)) % 256 for j in range(W))])
        for i in range(H)
    )
    head = W.to_bytes(4) + H.to_bytes(4) + bytes([8, 0, 0, 0, 0])

    def chunk(kind, body):
        return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)

    packed = zlib.compress(rows)
    halves = chunk(b"IDAT", packed[:50]) + chunk(b"IDAT", packed[50:])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + halves + chunk(b"IEND", b"")


@pytest.mark.parametrize("number", range(5))
def test_each_filter(tmp_path, number):
    image = values("L")
    data = with_filter(number, image)
    assert filters(data, 33, 1) == {number}
    (tmp_path / "a.png").write_bytes(data)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), image)
    np.testing.assert_array_equal(png.decoded(data, few)[..., 0], image)


def test_other_kinds_are_left_to_pillow(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(values("L")).convert("P").save(path)
    assert png.decoded(path.read_bytes(), few) is None
    Image.fromarray(values("L")).save(path, transparency=3)
    assert png.decoded(path.read_bytes(), few) is None
    Image.fromarray(np.zeros((3, 3), np.uint16)).save(path)
    assert png.decoded(path.read_bytes(), few) is None
    assert png.decoded(b"GIF89a", few) is None


def test_a_file_cut_short_anywhere_or_with_a_byte_flipped_is_said_to_be_damaged(tmp_path):
    data = written(tmp_path / "a.png", "L")
    for end in range(8, len(data), 41):
        with pytest.raises(ValueError, match=r"ends too early|damaged"):
            png.decoded(data[:end], few)
    for place in range(16, len(data), 37):
        flipped = data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :]
        with pytest.raises(ValueError, match=r"ends too early|damaged"):
            png.decoded(flipped, few)


def test_fewer_pixels_than_claimed_and_what_is_not_compressed():
    image = values("L")
    assert png.decoded(with_filter(0, image), few) is not None
    for change, words in (
        ({"rows": 30}, "fewer pixels"),
        ({"packed": b"nothing"}, "incorrect header"),
        ({"first": b"IDAT"}, "does not begin with its size"),
        ({"number": 9}, "filter 9 is unknown"),
    ):
        with pytest.raises(ValueError, match=words):
            png.decoded(odd(**change), few)


def odd(rows=40, packed=None, first=b"IHDR", number=0):
    """A PNG of 40 x 33 zeros with something wrong in it."""
    body = zlib.compress((bytes([number]) + bytes(33)) * rows) if packed is None else packed
    head = (33).to_bytes(4) + (40).to_bytes(4) + bytes([8, 0, 0, 0, 0])
    chunks = ((first, head), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)
        for kind, body in chunks
    )


@pytest.mark.usefixtures("without_pillow")
class TestWithoutPillow:
    def test_a_plain_file(self, tmp_path):
        (tmp_path / "a.png").write_bytes(with_filter(4, values("L")))
        assert pixels.read(tmp_path / "a.png").values.shape == (40, 33, 1)

    def test_a_damaged_one(self, tmp_path):
        (tmp_path / "a.png").write_bytes(odd(rows=3))
        with pytest.raises(FileError, match=r"a\.png is a damaged PNG file: it holds fewer pixels"):
            pixels.read(tmp_path / "a.png")

    def test_any_other_file_needs_it(self, tmp_path):
        (tmp_path / "a.gif").write_bytes(b"GIF89a")
        with pytest.raises(MissingExtraError, match=r"a plain \.png need nothing"):
            pixels.read(tmp_path / "a.gif")

    def test_a_size_that_is_too_large(self, tmp_path):
        data = odd().replace((40).to_bytes(4), (1 << 28).to_bytes(4), 1)
        data = data[:29] + zlib.crc32(data[12:29]).to_bytes(4) + data[33:]
        (tmp_path / "a.png").write_bytes(data)
        with pytest.raises(FileError, match="too many pixels"):
            pixels.read(tmp_path / "a.png")
