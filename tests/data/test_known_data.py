"""Data sets by name, compared with independent readers of the same files."""

import gzip
import struct
import sys
from importlib import resources

import numpy as np
import pytest
from idx_files import write_mnist
from sklearn.datasets import load_digits

import tinycnn as tc
from tinycnn.data import known
from tinycnn.errors import ArgumentError, DataError, FileError, MissingExtraError
from tools import bundled_fashion_mnist

BUNDLED = resources.files("tinycnn.data") / "fashion-mnist"


@pytest.mark.parametrize(
    ("part", "prefix", "each"), [("train", "train", 240), ("test", "t10k", 100)]
)
def test_the_pictures_that_come_with_the_package(part, prefix, each):
    data = tc.data.fashion_mnist(part)
    assert repr(data) == (
        f"<Fashion-MNIST, some of the {part} pictures: {10 * each:,} images of 28 x 28 x 1 uint8, 10 classes>"
    )
    assert set(data.counts.values()) == {each} and data.classes[9] == "ankle boot"
    content = gzip.decompress((BUNDLED / f"{prefix}-images-idx3-ubyte.gz").read_bytes())
    assert struct.unpack(">4I", content[:16]) == (2051, 10 * each, 28, 28)
    np.testing.assert_array_equal(data.images.ravel(), np.frombuffer(content[16:], np.uint8))
    # A trouser is a column: what lies in its corners is black. So mirrored axes or bytes are found.
    trousers = data.images[data.labels == 1][..., 0].mean(axis=0)
    assert trousers[10:24, 8:20].mean() > 90 and trousers[:, :5].mean() < 12
    sandals = data.images[data.labels == 5][..., 0].mean(axis=0)
    assert sandals[14:24].mean() > 3 * sandals[:8].mean()  # they stand on the ground


def test_the_parts_have_no_picture_in_common():
    train, test = (tc.data.fashion_mnist(part).images for part in ("train", "test"))
    both = np.concatenate([train, test]).reshape(3400, -1)
    assert len(np.unique(both, axis=0)) == 3400


def test_their_licence_comes_with_them_and_they_are_small():
    assert "The MIT License" in (BUNDLED / "LICENSE").read_text(encoding="utf-8")
    assert sum(len(file.read_bytes()) for file in BUNDLED.iterdir()) < 1_500_000


def test_they_are_the_first_of_each_class_of_a_full_set(tmp_path, monkeypatch):
    """What wrote them, on a set of our own."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (200, 28, 28)), rng.integers(0, 10, 200)
    for part in ("train", "t10k"):
        write_mnist(tmp_path, images, labels, part=part)
    for name in ("written", "pictures"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(bundled_fashion_mnist, "TARGET", tmp_path / "written")
    monkeypatch.setattr(bundled_fashion_mnist, "PICTURES", tmp_path / "pictures")
    monkeypatch.setattr(bundled_fashion_mnist, "EACH", {"train": 5, "t10k": 2})
    bundled_fashion_mnist.main(tmp_path)
    for part, each in (("train", 5), ("test", 2)):
        data = tc.data.mnist_folder(tmp_path / "written", part)
        seen = [labels[:place].tolist().count(label) for place, label in enumerate(labels)]
        chosen = [place for place in range(200) if seen[place] < each]
        np.testing.assert_array_equal(data.images[..., 0], images[chosen])
        np.testing.assert_array_equal(data.labels, labels[chosen])


IMAGES = np.random.default_rng(0).integers(0, 256, (20, 28, 28))
LABELS = np.arange(20) % 10


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("between", "-.")
def test_the_full_set_is_read_from_a_folder(tmp_path, packed, between):
    for part, images in (("train", IMAGES), ("t10k", 255 - IMAGES)):
        write_mnist(tmp_path, images, LABELS, part=part, between=between, packed=packed)
    for part, images in (("train", IMAGES), ("test", 255 - IMAGES)):
        data = tc.data.fashion_mnist(part, folder=tmp_path)
        np.testing.assert_array_equal(data.images[..., 0], images)
        assert repr(data).startswith(f"<Fashion-MNIST, {part}: 20 images")
    other = tc.data.mnist_folder(tmp_path, "test", classes=list("abcdefghij"))
    np.testing.assert_array_equal(other.images[..., 0], 255 - IMAGES)
    assert other.classes == tuple("abcdefghij") and other.labels.tolist() == LABELS.tolist()
    assert tc.data.mnist_folder(tmp_path).classes == tuple("0123456789")


def test_debians_package_is_found_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(known, "DEBIAN", tmp_path / "fashion-mnist")
    with pytest.raises(FileError, match=r"`apt install dataset-fashion-mnist` puts it") as error:
        tc.data.fashion_mnist(full=True)
    assert "fashion_mnist('train', folder=...). Nothing is downloaded" in str(error.value)
    known.DEBIAN.mkdir()
    write_mnist(known.DEBIAN, IMAGES, LABELS)
    np.testing.assert_array_equal(tc.data.fashion_mnist(full=True).images[..., 0], IMAGES)
    with pytest.raises(
        FileError, match=r"there is no t10k-images-idx3-ubyte, with \.gz or without, in"
    ):
        tc.data.fashion_mnist("test", full=True)
    with pytest.raises(ArgumentError, match="part must be one of 'train', 'test', got 't10k'"):
        tc.data.fashion_mnist("t10k")


def test_files_of_another_set_are_refused(tmp_path):
    write_mnist(tmp_path, IMAGES, LABELS + 1)
    with pytest.raises(DataError, match="labels must be below 10"):
        tc.data.fashion_mnist(folder=tmp_path)


def test_digits_need_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tinycnn\[sklearn\]'"):
        tc.data.digits()


def test_digits_are_those_of_scikit_learn():
    rows, labels = load_digits(return_X_y=True)
    data = tc.data.digits()
    assert repr(data) == "<digits: 1,797 images of 8 x 8 x 1 uint8, 10 classes>"
    np.testing.assert_array_equal(data.images.reshape(1797, 64), rows)
    np.testing.assert_array_equal(data.labels, labels)
