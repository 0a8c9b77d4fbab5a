"""A lesson with a trained network: its preparation of pictures, its classes' names, what it recognises."""

import numpy as np
import pytest

import tinycnn as tc
from tinycnn import cli
from tinycnn.errors import ArgumentError
from tinycnn.explain import open_lesson
from tinycnn.explain.pictures.scaling import Scaling
from tinycnn.layers import Conv2D, Dense

CLASSES = ("trouser", "coat", "ankle boot", "T-shirt/top")
BOOT = tc.data.fashion_mnist("test").select([0])  # the first of all is an ankle boot
MEAN, DEVIATION = (70.0,), (90.0,)


def saved(folder, **others):
    """A checkpoint with a preparation; it says "ankle boot" whatever it sees."""
    model = tc.Sequential(
        [Conv2D(2, 5, stride=3, name="c"), Dense(4, activation="softmax", name="z")], (28, 28, 1)
    )
    with model.edit() as parameters:
        parameters["z.b"][...] = (0, 0, 80, 40)
    preparation = tc.data.Preparation((28, 28), 1, MEAN, DEVIATION, classes=CLASSES, **others)
    tc.checkpoints.save(folder / "net.npz", model, preparation=preparation.to_dict())
    return str(folder / "net.npz")


def test_its_own_picture_prepared_as_in_training(tmp_path):
    lesson = open_lesson(model=saved(tmp_path))
    assert lesson.class_names == CLASSES and not lesson.random
    np.testing.assert_array_equal(lesson.picture.pixels, BOOT.images[0])
    expected = (BOOT.images.astype(np.float64) - 70) / 90
    np.testing.assert_allclose(lesson.picture.x, expected, rtol=1e-6)
    assert lesson.picture.formula == "x = (pixel - 70) / 90, as in its training"
    assert (lesson.label, lesson.likeliest) == (2, False)
    assert lesson.class_words(2) == "2 (ankle boot)"


def test_pixels_that_stand_for_other_numbers(tmp_path):
    """As scikit-learn's digits are from 0 to 16."""
    lesson = open_lesson(model=saved(tmp_path, white=16.0))
    assert lesson.picture.formula == "x = (pixel * 16 / 255 - 70) / 90, as in its training"
    expected = (BOOT.images * (16 / 255) - 70) / 90
    np.testing.assert_allclose(lesson.picture.x, expected, rtol=1e-5)


def test_a_scaling_that_is_asked_for_comes_first(tmp_path):
    lesson = open_lesson(model=saved(tmp_path), scaling=Scaling((0.0,), (255.0,)))
    np.testing.assert_allclose(lesson.picture.x[0], BOOT.images[0] / 255, rtol=1e-6)
    np.save(tmp_path / "x.npy", np.full((28, 28), -0.25, np.float32))
    lesson = open_lesson(tmp_path / "x.npy", model=saved(tmp_path))
    assert (lesson.picture.x == -0.25).all() and lesson.picture.formula == "x = its numbers"


def test_labels_by_name(tmp_path):
    model = saved(tmp_path)
    for label, number in (("T-shirt/top", 3), ("t-shirt-top", 3), ("Ankle boot", 2), (1, 1)):
        assert open_lesson(model=model, label=label).backward.labels == [number]
    with pytest.raises(ArgumentError) as caught:
        open_lesson(model=model, label="bag")
    assert str(caught.value) == (
        "label must lie in 0 .. 3 or be one of trouser, coat, ankle boot, T-shirt/top, got bag"
    )
    with pytest.raises(ArgumentError, match=r"label must lie in 0 \.\. 999, got cat"):
        open_lesson(model="mini", label="cat")


def test_pictures_of_other_classes_and_of_none(tmp_path):
    model = saved(tmp_path)
    assert open_lesson("trouser", model=model).label == 0
    bag = open_lesson("bag", model=model)
    assert bag.likeliest and bag.label == 2  # the network has no such class
    assert open_lesson("bag", model="mini").likeliest  # whose ninth class is an ostrich


def test_what_is_said(tmp_path, capsys):
    model = saved(tmp_path)
    assert cli.main(["step", "--model", model, "--label", "coat"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "RECOGNISED as 2 (ankle boot), with probability 1.0000" in said
    assert "Likeliest classes: ankle boot (1.0000), T-shirt/top" in said
    assert "BACKWARD, against label 1 (coat)" in said
    assert "means nothing" not in said and "Weights: as " in said
    assert cli.main(["step", "--model", model, "--label", "sock"]) == 2
    assert "T-shirt/top, got sock" in capsys.readouterr().err
    assert cli.main(["step", "--model", "mini"]) == 0
    assert "RECOGNISED" not in capsys.readouterr().out
