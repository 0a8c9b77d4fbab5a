"""Folders of pictures: found in order, decoded as Pillow does, and damaged ones named or left out."""

import re

import numpy as np
import pytest
from PIL import Image

import tinycnn as tc
from tinycnn.errors import ArgumentError, DamagedPictureWarning, DataError, FileError


@pytest.fixture
def root(tmp_path):
    """Two classes; four pictures of other kinds and sizes, and what systems leave behind."""
    rng = np.random.default_rng(0)
    for name, size in (("bee/b.png", (8, 8)), ("bee/deep/a.png", (8, 8)), ("ant/1.png", (16, 24)),
                       ("ant/0.bmp", (4, 4))):  # fmt: skip
        path = tmp_path / "insects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path)
    for name in (".DS_Store", "Thumbs.db", ".thumbnails/a.png"):
        path = tmp_path / "insects" / "ant" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"none of yours")
    (tmp_path / "insects" / "README.txt").write_text("beside the classes")
    return tmp_path / "insects"


def damage(path):
    path.write_bytes(path.read_bytes()[:50])


def test_classes_and_files_are_in_the_order_of_their_names(root):
    data = tc.data.folder(root, 8)
    assert repr(data) == "<insects: 4 images of 8 x 8 x 3 uint8, 2 classes>"
    assert [data.images.name(i) for i in range(4)] == [
        "ant/0.bmp",
        "ant/1.png",
        "bee/b.png",
        "bee/deep/a.png",
    ]
    assert data.labels.tolist() == [0, 0, 1, 1] and data.classes == ("ant", "bee")


def test_pictures_are_decoded_fitted_and_turned_grey(root):
    pixels = {
        p.name: np.asarray(Image.open(p)).astype(float)
        for p in root.rglob("*/[01ab].*")
        if p.parent.name[0] != "."
    }
    data = tc.data.folder(root, 8).loaded()
    np.testing.assert_array_equal(data.images[2], pixels["b.png"])
    halves = pixels["1.png"].reshape(8, 2, 12, 2, 3).mean(axis=(1, 3))
    np.testing.assert_array_equal(data.images[1], np.rint(halves)[:, 2:10])
    grey = tc.data.folder(root, (8, 8), channels=1).loaded().images[2, :, :, 0]
    np.testing.assert_array_equal(grey, np.asarray(Image.open(root / "bee/b.png").convert("L")))


def test_a_damaged_picture_stops_the_run_in_its_turn(root):
    damage(root / "bee/b.png")
    read = []
    with pytest.raises(
        DataError, match=r"bee/b\.png: b\.png is not a picture that Pillow can read"
    ):
        for _, labels in tc.data.batches(tc.data.folder(root, 8), 1, shuffle=False):
            read += labels.tolist()
    assert read == [0, 0]
    with pytest.raises(DataError, match="on_error='skip' leaves such images out, and readable"):
        tc.data.Standardize.of(tc.data.folder(root, 8))


def test_or_is_left_out_and_it_is_said_once(root):
    whole = tc.data.folder(root, 8).loaded()
    damage(root / "ant/1.png")
    (root / "ant/0.bmp").write_bytes(b"")
    every = tc.data.batches(tc.data.folder(root, 8), 2, shuffle=False, on_error="skip")
    with pytest.warns(DamagedPictureWarning) as warned:
        first = list(every)
    assert [re.match(r"left out: (\S+): ", str(w.message))[1] for w in warned] == [
        "ant/0.bmp",
        "ant/1.png",
    ]
    assert {w.filename for w in warned} == {__file__}
    ((x, labels),) = first  # the batch of two damaged ones does not come
    np.testing.assert_array_equal(x, whole.images[2:])
    assert labels.tolist() == [1, 1] and every.position == (1, 0)
    assert sorted(every.skipped) == [0, 1] and "is empty" in every.skipped[0]
    (again,) = every  # in silence, or warnings would be errors
    np.testing.assert_array_equal(again[0], x)


def test_what_augment_draws_does_not_depend_on_what_is_left_out(root):
    settings = {"rng": 3, "augment": tc.data.RandomCrop(5), "on_error": "skip"}
    ((whole, labels),) = tc.data.batches(tc.data.folder(root, 8), 4, **settings)
    damage(root / "ant/1.png")
    with pytest.warns(DamagedPictureWarning):
        ((rest, left),) = tc.data.batches(tc.data.folder(root, 8), 4, **settings)
    order = np.random.default_rng([3, 0, 0]).permutation(4)
    np.testing.assert_array_equal(rest, whole[order != 1])
    assert left.tolist() == labels[order != 1].tolist()


def test_all_damaged_pictures_are_found_at_once(root):
    data = tc.data.folder(root, 8)
    assert tc.data.readable(data) is data
    damage(root / "ant/1.png")
    with pytest.warns(DamagedPictureWarning, match=r"left out: ant/1\.png") as warned:
        kept = tc.data.readable(data)
    assert [w.filename for w in warned] == [__file__]
    assert [kept.images.name(i) for i in range(len(kept))] == [
        "ant/0.bmp",
        "bee/b.png",
        "bee/deep/a.png",
    ]
    assert kept.labels.tolist() == [0, 1, 1]
    for path in root.rglob("*.*"):
        if path.suffix in (".png", ".bmp"):
            damage(path)
    with (
        pytest.warns(DamagedPictureWarning),
        pytest.raises(DataError, match="no image of insects can be"),
    ):
        tc.data.readable(data)


def test_a_picture_that_has_gone(root):
    data = tc.data.folder(root, 8)
    (root / "bee/b.png").unlink()
    with pytest.raises(DataError, match="there is no picture"):
        data.loaded()


def test_folders_that_are_no_data_set(root, tmp_path):
    with pytest.raises(FileError, match="there is no folder"):
        tc.data.folder(tmp_path / "nowhere", 8)
    with pytest.raises(FileError, match="cannot be read: Not a directory"):
        tc.data.folder(root / "README.txt", 8)
    with pytest.raises(DataError, match="must have a folder for each class"):
        tc.data.folder(root / "bee/deep", 8)
    (root / "cow").mkdir()
    with pytest.raises(DataError, match=r"the folder of class 'cow' in .* has no pictures"):
        tc.data.folder(root, 8)
    for part in ("train", "Test"):
        (tmp_path / "parts" / part / "ant").mkdir(parents=True)
    with pytest.raises(
        DataError, match="has the folders Test, train, which are parts of a data set"
    ):
        tc.data.folder(tmp_path / "parts", 8)
    with pytest.raises(ArgumentError, match="channels must be 1"):
        tc.data.folder(root, 8, channels=4)
    with pytest.raises(ArgumentError, match="size must be"):
        tc.data.folder(root, 0)
