"""IDX files: every dtype, packed or not; and those that are damaged, or claim more than there is."""

import gzip
import random
import struct
import tracemalloc

import numpy as np
import pytest
from idx_files import CODES, idx_bytes

import tinycnn as tc
from tinycnn.data import limits
from tinycnn.errors import DataError, FileError

IMAGES = np.random.default_rng(0).integers(0, 100, (6, 5, 4))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", CODES)
def test_every_dtype(tmp_path, dtype, packed):
    content = idx_bytes(IMAGES, dtype)
    path = tmp_path / "anything"  # the name tells nothing
    path.write_bytes(gzip.compress(content) if packed else content)
    found = tc.data.read_idx(path)
    assert found.dtype == np.dtype(dtype) and not found.flags.writeable
    np.testing.assert_array_equal(found, IMAGES)


def test_what_is_not_packed_is_mapped(tmp_path):
    (tmp_path / "a").write_bytes(idx_bytes(IMAGES))
    (tmp_path / "labels").write_bytes(idx_bytes(np.arange(6)))
    assert isinstance(tc.data.read_idx(tmp_path / "a"), np.memmap)
    dataset = tc.data.idx(tmp_path / "a", tmp_path / "labels")
    assert isinstance(dataset.images, np.memmap)
    first, second = dataset.split(0.5, 0.5, stratified=False)
    both = np.concatenate([first.loaded().images, second.loaded().images])
    assert not isinstance(first.images, np.ndarray)  # still read on demand
    np.testing.assert_array_equal(np.sort(both.ravel()), np.sort(IMAGES.ravel()))


GOOD = idx_bytes(IMAGES)
HOSTILE = struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3)
WRONG = {
    "no bytes": (b"", "no IDX file: its first four bytes"),
    "a text": (b"%PDF-1.7 and so on", "no IDX file: its first four bytes"),
    "another dtype": (b"\0\0\x0a" + GOOD[3:], "no IDX file: its first four bytes"),
    "no axes": (b"\0\0\x08\0" + GOOD[4:], "no IDX file: its first four bytes"),
    "too many axes": (b"\0\0\x08\xff" + GOOD[4:], "claims 255 axes"),
    "cut in its sizes": (GOOD[:9], "ends within the sizes of its 3 axes"),
    "cut in its numbers": (GOOD[:-1], "takes 120 bytes, but holds 119: it is cut short"),
    "one byte more": (GOOD + b"\0", r"takes 120 bytes, but holds (at least )?121: it is damaged"),
    "no images": (struct.pack(">HBB3I", 0, 8, 3, 0, 28, 28), "which is empty"),
    "hostile sizes": (HOSTILE, "79,228,162,458,924,105,385,300,197,375 bytes"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_idx_file(tmp_path, name, packed):
    content, words = WRONG[name]
    (tmp_path / "a.idx").write_bytes(gzip.compress(content) if packed else content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=words) as error:
            tc.data.read_idx(tmp_path / "a.idx")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert str(error.value).startswith("a.idx")


def test_a_bomb_is_not_unpacked(tmp_path):
    """Behind a modest head come 32 MB of zeros, in 32 kB."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(GOOD + bytes(1 << 25), 1))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="holds at least 121: it is damaged"):
            tc.data.read_idx(tmp_path / "a.gz")
        assert tracemalloc.get_traced_memory()[1] < 1 << 21
    finally:
        tracemalloc.stop()


def test_what_is_too_large_for_memory_is_to_be_unpacked(tmp_path, monkeypatch):
    (tmp_path / "a.gz").write_bytes(gzip.compress(GOOD))
    monkeypatch.setattr(limits, "MOST", 119)
    with pytest.raises(DataError, match="at most 119 are read into memory; unpack it"):
        tc.data.read_idx(tmp_path / "a.gz")


@pytest.mark.parametrize("packed", [False, True])
def test_damaged_files_are_refused_or_read(tmp_path, packed):
    """Bits are flipped and ends cut off; gzip's checksum finds whatever is wrong in the numbers."""
    rng, path = random.Random(0), tmp_path / "a"
    content = gzip.compress(GOOD) if packed else GOOD
    for _ in range(200):
        damaged = bytearray(content[: rng.choice([len(content), rng.randrange(len(content))])])
        for _ in range(rng.randint(1, 3)):
            if damaged:
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            found = tc.data.read_idx(path)
        except (DataError, FileError) as error:
            assert "\n" not in str(error)
        else:
            assert found.size * found.itemsize == 120
            assert not packed or np.array_equal(found, IMAGES)  # a flag or the time was hit


def test_what_is_no_file(tmp_path):
    with pytest.raises(FileError, match="there is no IDX file"):
        tc.data.read_idx(tmp_path / "a")
    with pytest.raises(FileError, match="is a folder"):
        tc.data.read_idx(tmp_path)


def test_images_and_labels_that_do_not_fit(tmp_path):
    x, y = tmp_path / "x", tmp_path / "y"
    x.write_bytes(idx_bytes(IMAGES))
    y.write_bytes(idx_bytes(np.arange(5)))
    with pytest.raises(DataError, match="x has 6 images and 5 labels"):
        tc.data.idx(x, y)
    with pytest.raises(DataError, match="swap them"):
        tc.data.idx(y, x)
    y.write_bytes(idx_bytes(np.full(6, 10)))
    with pytest.raises(DataError, match="below 2, the number of classes, but x has 10"):
        tc.data.idx(x, y, classes=["cat", "dog"])


def test_images_of_four_axes(tmp_path):
    colours = IMAGES.reshape(2, 5, 4, 3)
    (tmp_path / "x").write_bytes(idx_bytes(colours, ">f4"))
    (tmp_path / "y").write_bytes(idx_bytes(np.array([1, 0])))
    dataset = tc.data.idx(tmp_path / "x", tmp_path / "y", classes=("a", "b"), title="colours")
    assert repr(dataset) == "<colours: 2 images of 5 x 4 x 3 >f4, 2 classes>"
    ((x, labels),) = tc.data.batches(dataset, 2, shuffle=False)
    np.testing.assert_array_equal(x, colours)
    assert x.dtype == np.float32 and labels.tolist() == [1, 0]
