"""Data sets by one word: which files are found, which parts they make, and what is refused."""

import re

import numpy as np
import pytest
from idx_files import write_mnist

import tinycnn as tc
from tinycnn.data import known
from tinycnn.errors import ArgumentError, DataError, FileError

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 8, 8)).astype(np.uint8)
LABELS = np.arange(20) % 4


def picture_folders(root, classes, shade):
    """A picture for each class, all of one shade and a name each."""
    for name in classes:
        (root / name).mkdir(parents=True)
        np.save(root / name / "a.npy", np.full((6, 6, 3), shade, np.uint8))


def test_fashion_mnist_by_its_name():
    parts = tc.data.read("fashion-mnist")
    assert (len(parts.train), len(parts.test), parts.validation) == (2400, 1000, None)
    assert parts.mirrors and parts.train.classes[9] == "ankle boot"


def test_the_full_set_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(known, "DEBIAN", tmp_path)
    for part, images in (("train", IMAGES), ("t10k", 255 - IMAGES)):
        write_mnist(tmp_path, images, LABELS, part=part)
    parts = tc.data.read("fashion-mnist", full=True)
    np.testing.assert_array_equal(parts.test.images[..., 0], 255 - IMAGES)
    with pytest.raises(ArgumentError, match="the full set is Fashion-MNIST's; of 'digits' all"):
        tc.data.read("digits", full=True)


@pytest.mark.peers
def test_a_fifth_of_the_digits_is_for_tests():
    parts = tc.data.read("digits")
    assert (len(parts.train), len(parts.test)) == (1438, 359) and not parts.mirrors
    both = np.concatenate([parts.train.images, parts.test.images]).reshape(1797, 64)
    whole = tc.data.digits().images.reshape(1797, 64)
    assert sorted(map(bytes, both)) == sorted(map(bytes, whole))


@pytest.mark.parametrize("with_test", [False, True])
def test_a_folder_of_idx_files(tmp_path, with_test):
    write_mnist(tmp_path, IMAGES, LABELS)
    if with_test:
        write_mnist(tmp_path, 255 - IMAGES[:2], LABELS[:2], part="t10k")
    parts = tc.data.read(tmp_path)
    np.testing.assert_array_equal(parts.train.images[..., 0], IMAGES)
    assert not parts.mirrors
    if not with_test:
        assert parts.test is None
    else:  # which has fewer classes
        assert parts.test.classes == parts.train.classes == tuple("0123")
        assert parts.test.labels.tolist() == [0, 1]


def test_arrays_in_an_npz_file(tmp_path):
    np.savez(tmp_path / "whole.npz", images=IMAGES, labels=LABELS, classes=list("abcd"))
    parts = tc.data.read(str(tmp_path / "whole.npz"))
    assert parts.train.classes == tuple("abcd") and parts.test is None
    keras = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:3], "y_test": LABELS[:3]}
    np.savez(tmp_path / "keras.npz", **keras)
    parts = tc.data.read(tmp_path / "keras.npz")
    assert (len(parts.train), len(parts.test)) == (20, 3)
    np.savez(tmp_path / "no_test.npz", x_train=IMAGES, y_train=LABELS)
    assert tc.data.read(tmp_path / "no_test.npz").test is None
    np.savez(tmp_path / "others.npz", x=IMAGES)
    with pytest.raises(DataError, match="has no array 'images'; it has x"):
        tc.data.read(tmp_path / "others.npz")


def test_a_folder_with_a_folder_for_each_class(tmp_path):
    picture_folders(tmp_path, ["ant", "bee"], 200)
    parts = tc.data.read(tmp_path, size=(4, 5), channels=1)
    assert parts.train.image_shape == (4, 5, 1) and parts.train.classes == ("ant", "bee")
    assert parts.mirrors and parts.test is None


def test_folders_of_parts_whose_classes_are_known_by_name(tmp_path):
    picture_folders(tmp_path / "Train", ["ant", "bee", "cow"], 1)
    picture_folders(tmp_path / "valid", ["cow", "ant"], 2)
    picture_folders(tmp_path / "test", ["cow"], 3)
    parts = tc.data.read(tmp_path, size=4)
    assert parts.test.labels.tolist() == [2] and parts.test.classes == ("ant", "bee", "cow")
    assert parts.validation.labels.tolist() == [0, 2]
    assert parts.test.images[0][0, 0].tolist() == [3, 3, 3]
    assert parts.held_out(0.5, 0) == (parts.train, parts.validation)
    picture_folders(tmp_path / "test", ["dog"], 3)
    with pytest.raises(
        DataError, match="test has the class 'dog', which is none of those trained on: ant"
    ):
        tc.data.read(tmp_path, size=4)


def test_a_folder_without_a_training_part(tmp_path):
    picture_folders(tmp_path / "test", ["ant"], 1)
    named = re.escape(repr(str(tmp_path / "test")))
    with pytest.raises(DataError, match=f"none to train on: name one of them, as in {named}"):
        tc.data.read(tmp_path)


def test_what_is_held_out(tmp_path):
    np.savez(tmp_path / "a.npz", images=IMAGES, labels=LABELS)
    parts = tc.data.read(tmp_path / "a.npz")
    train, validation = parts.held_out(0.2, seed=3)
    assert (len(train), len(validation)) == (16, 4)
    assert set(validation.labels.tolist()) == {0, 1, 2, 3}
    again = parts.held_out(0.2, seed=3)[1]
    np.testing.assert_array_equal(again.images, validation.images)
    assert parts.held_out(0, seed=3) == (parts.train, None)
    with pytest.raises(ArgumentError, match="share for validation must be a finite number"):
        parts.held_out(1.0, seed=3)


def test_what_is_not_there():
    with pytest.raises(FileError, match="no data set 'mnist': give digits or fashion-mnist"):
        tc.data.read("mnist")
    with pytest.raises(FileError, match=r"there is no \.npz file"):
        tc.data.read("nothing.npz")
