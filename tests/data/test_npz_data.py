"""Data sets in .npz files: as NumPy writes them, and damaged or hostile ones."""

import io
import random
import tracemalloc
import zipfile

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.errors import DataError, DTypeError, FileError, ShapeError

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 3, 5, 2), np.uint8)
LABELS = np.array([0, 2, 1, 0])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_saves_is_read(tmp_path, save):
    save(tmp_path / "a.npz", images=IMAGES, labels=LABELS, classes=["ant", "bee", "cow"])
    dataset = tc.data.npz(tmp_path / "a.npz")
    np.testing.assert_array_equal(dataset.images, IMAGES)
    assert dataset.images.dtype == np.uint8 and dataset.labels.tolist() == [0, 2, 1, 0]
    assert dataset.counts == {"ant": 2, "bee": 1, "cow": 1}
    assert repr(dataset) == "<a.npz: 4 images of 3 x 5 x 2 uint8, 3 classes>"


def test_other_names_axes_orders_and_dtypes(tmp_path):
    grey = np.asfortranarray(IMAGES[..., 0] / 255)
    np.savez(tmp_path / "a.npz", x_train=grey, y_train=LABELS.astype(np.float32))
    dataset = tc.data.npz(tmp_path / "a.npz", images="x_train", labels="y_train")
    np.testing.assert_array_equal(dataset.images[..., 0], grey)
    assert dataset.images.dtype == np.float64 and dataset.classes == ("0", "1", "2")


def test_a_missing_array_is_named_beside_those_there_are(tmp_path):
    np.savez(tmp_path / "a.npz", x=IMAGES, y=LABELS)
    with pytest.raises(DataError, match=r"a\.npz has no array 'images'; it has x, y: say which"):
        tc.data.npz(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("images", "labels", "kind", "words"),
    [
        (np.ones((4, 9)), LABELS, ShapeError, "images that are rows are turned by"),
        (np.ones((4, 3, 9, 9)), LABELS, ShapeError, r"moveaxis\(images, 1, -1\)"),
        (np.ones((4, 3, 3, 3), complex), LABELS, DTypeError, "must hold real numbers"),
        (IMAGES, LABELS[:3], DataError, "has 4 images and 3 labels"),
        (IMAGES, LABELS - 1, DataError, "must count from 0, got -1"),
        (IMAGES, LABELS + 0.5, DataError, "must be whole numbers"),
        (IMAGES, LABELS[:, None], ShapeError, r"one class an image, \(N,\), got shape \(4, 1\)"),
        (IMAGES, np.array([1, "a", 2, 3], object), DataError, "holds Python objects"),
    ],
)
def test_arrays_that_are_no_data_set(tmp_path, images, labels, kind, words):
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    with pytest.raises(kind, match=words):
        tc.data.npz(tmp_path / "a.npz")


def npy_claiming(shape, content=b""):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    return head.getvalue() + content


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (npy_claiming((2**40, 28, 28)), "862,017,116,176,384 bytes, but its"),
        (npy_claiming((2**62, 2**62)), "cannot hold more than"),
        (npy_claiming((10, 2, 2), bytes(39)), r"images in a\.npz ends too early"),
        (npy_claiming((10, 2, 2), bytes(1 << 22)), "is larger than its header says"),
        (b"no array", r"images in a\.npz has a damaged header"),
    ],
)
def test_arrays_that_claim_what_they_do_not_hold(tmp_path, member, words):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", member)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=words):
            tc.data.npz(tmp_path / "a.npz")
        assert tracemalloc.get_traced_memory()[1] < 1 << 21
    finally:
        tracemalloc.stop()


def test_what_is_packed_without_a_bound_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("images.npy", npy_claiming((1, 1, 1), b"x"))
    with pytest.raises(
        DataError, match=r"images in a\.npz is compressed in another way than np.savez"
    ):
        tc.data.npz(tmp_path / "a.npz")


def test_damaged_files_are_refused_or_read_right(tmp_path):
    path, rng = tmp_path / "a.npz", random.Random(0)
    np.savez_compressed(path, images=IMAGES, labels=LABELS)
    content = path.read_bytes()
    for _ in range(150):
        damaged = bytearray(content[: rng.choice([len(content), rng.randrange(len(content))])])
        for _ in range(rng.randint(1, 3)):
            if damaged:
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            found = tc.data.npz(path)
        except DataError as error:
            assert "\n" not in str(error)
        else:
            np.testing.assert_array_equal(found.images, IMAGES)


def test_what_is_no_file(tmp_path):
    with pytest.raises(FileError, match=r"there is no \.npz file"):
        tc.data.npz(tmp_path / "a.npz")
