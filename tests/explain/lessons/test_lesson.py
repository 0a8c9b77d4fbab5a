"""A lesson put together: which model, which picture, which label, and what is refused."""

import math
from pathlib import Path

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.errors import ArgumentError, FileError, ShapeError, TinyCNNError, UnknownNameError
from tinycnn.explain import explain, open_lesson

MODELS = """
import tinycnn as tc
from tinycnn.layers import Conv2D, Dense, Dropout, MaxPool2D

def layers(classes=3):
    return [Conv2D(2, 5, activation="relu", name="c"), MaxPool2D(2, name="p"), Dropout(0.5, name="d"),
            Dense(classes, activation="softmax", name="z")]

net = tc.Sequential(layers(), (32, 30, 3), rng=8, name="mine")
many = tc.Sequential(layers(400), (32, 32, 3))
grey = tc.Sequential(layers(), (32, 32, 1))
image = tc.Sequential([Conv2D(3, 3)], (32, 32, 3))
vector = tc.Sequential([Dense(3)], (5,))
number = 3

def make():
    return tc.Sequential(layers(), (40, 40, 3), rng=8)

def wants(size):
    return make()

def wrong():
    return [1, 2]

def fails():
    return 1 / 0
"""


@pytest.fixture
def models(tmp_path):
    (tmp_path / "models.py").write_text(MODELS)
    return f"{tmp_path / 'models.py'}"


def test_a_named_variant_with_the_lesson_s_weights():
    lesson = open_lesson(model="mini", seed=3)
    assert lesson.random and lesson.weights == "random, seed 3"
    assert lesson.label == 281 and lesson.classes == 1000
    assert lesson.chance == pytest.approx(math.log(1000))
    assert lesson.trace.loss is None
    assert lesson.backward is lesson.trace and lesson.trace.labels == [281]
    units = lesson.model.parameters()["conv1.W"].astype(np.float64) * 1024
    np.testing.assert_array_equal(units, np.rint(units))


def test_a_model_of_ones_own_keeps_its_weights(models):
    lesson = open_lesson(model=f"{models}:net")
    expected = open_lesson(model=f"{models}:net").model.parameters()
    assert lesson.model.name == "mine" and lesson.random
    assert lesson.weights == f"random, as {models}:net draws them"
    assert lesson.picture.pixels.shape == (32, 30, 3)
    for name, array in lesson.model.parameters().items():
        np.testing.assert_array_equal(array, expected[name])
    assert explain(lesson.backward, "c.W[0,0,0,0]").ok


def test_weights_that_somebody_has_set_are_not_called_random(models):
    """Whatever they were set to: what the network answers may mean something."""
    file = Path(models)
    file.write_text(file.read_text() + "\nwith net.edit():\n    pass\n")
    lesson = open_lesson(model=f"{models}:net")
    assert not lesson.random and lesson.weights == f"as {models}:net has them"


def test_a_function_that_makes_a_model(models):
    lesson = open_lesson(model=f"{models}:make")
    assert lesson.model.input_shape == (40, 40, 3)
    assert open_lesson(model=f"{models}:grey").picture.pixels.shape == (32, 32, 1)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("nothing", UnknownNameError, "{models} defines no 'nothing'; it has net, many, grey, image, vector"),
        ("", UnknownNameError, "{models} defines no ''; it has net, many, grey, image, vector"),
        ("number", ArgumentError, "{models}:number must be a tinycnn.Sequential, got int"),
        ("wrong", ArgumentError, "{models}:wrong must be a tinycnn.Sequential, got list"),
        ("layers", ArgumentError, "{models}:layers must be a tinycnn.Sequential, got list"),
        ("fails", FileError, "{models}:fails fails: ZeroDivisionError: division by zero "
         "(models.py, line 26)"),
        ("wants", FileError, "{models}:wants fails: TypeError: wants() missing 1 required positional "
         "argument: 'size'"),
        ("image", ArgumentError,
         "{models}:image ends in 30 x 30 x 3, not in a number for each class"),
        ("vector", ShapeError, "a picture has 1 or 3 channels, but the network's input is 5; give it an "
         "array with trace() in Python"),
    ],
)  # fmt: skip
def test_what_is_no_model_for_a_lesson(models, name, error, message):
    with pytest.raises(error) as caught:
        open_lesson(model=f"{models}:{name}")
    assert str(caught.value) == message.replace("{models}", models)


def test_a_file_that_is_missing_or_fails(tmp_path):
    with pytest.raises(FileError, match=r"there is no file '.*no\.py'; --model takes a variant or"):
        open_lesson(model=f"{tmp_path}/no.py:net")
    for text, message in (
        (
            "import nonsense_of_mine",
            "bad.py fails: ModuleNotFoundError: No module named 'nonsense_of_mine'",
        ),
        ("net = 1 +", "bad.py fails: SyntaxError: invalid syntax"),
        ("import sys\nsys.exit(3)", "bad.py fails: SystemExit: 3"),
        ("raise RuntimeError('two\\nlines')", "bad.py fails: RuntimeError: two lines"),
    ):
        (tmp_path / "bad.py").write_text(text)
        with pytest.raises(FileError) as caught:
            open_lesson(model=f"{tmp_path / 'bad.py'}:net")
        assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_variant_that_is_not_there():
    with pytest.raises(TinyCNNError, match="there is no network 'vgg': give one-tower, paper"):
        open_lesson(model="vgg")


def test_labels(models):
    assert open_lesson(model="mini", label=7).backward.labels == [7]
    # The bundled picture's class is 281, if there are so many.
    assert open_lesson(model=f"{models}:many").label == 281
    assert open_lesson(model=f"{models}:net").likeliest
    for label, classes in ((1000, 1000), (-1, 1000)):
        with pytest.raises(ArgumentError) as caught:
            open_lesson(model="mini", label=label)
        assert str(caught.value) == f"label must lie in 0 .. {classes - 1}, got {label}"


def test_a_picture_of_ones_own_is_explained_against_the_likeliest_class(tmp_path, models):
    np.save(tmp_path / "mine.npy", np.zeros((120, 120, 3), np.uint8))
    for model in ("mini", f"{models}:net"):
        lesson = open_lesson(tmp_path / "mine.npy", model=model)
        answer = lesson.model.predict(lesson.picture.x)[0]
        best = max(range(lesson.classes), key=lambda k: answer[k])
        assert lesson.likeliest and lesson.backward.labels == [lesson.label] == [best]
        assert lesson.picture.title.startswith("mine.npy")
    named = open_lesson(tmp_path / "mine.npy", model="mini", label=0)
    assert named.label == 0 and not named.likeliest
    assert not open_lesson(model="mini").likeliest


def test_training_turns_dropout_on_with_masks_of_the_seed():
    first, again, other = (
        open_lesson(model="mini", training=True, seed=s).trace for s in (1, 1, 2)
    )
    assert open_lesson(model="mini").trace["dropout1"].saved is None
    masks = [trace["dropout1"].saved for trace in (first, again, other)]
    np.testing.assert_array_equal(masks[0], masks[1])
    assert (masks[0] != masks[2]).any() and 0.3 < masks[0].mean() < 0.7
    # Its gradients are kept, and open.
    lesson = open_lesson(model="mini", training=True, seed=1)
    assert explain(lesson.backward, "conv1.W[5,5,0,3]").ok


def test_weights_of_a_file(tmp_path, models):
    source = tc.alexnet(variant="mini", rng=9)
    np.savez(tmp_path / "w.npz", **source.parameters())
    lesson = open_lesson(model="mini", weights_file=tmp_path / "w.npz")
    np.testing.assert_array_equal(lesson.model.parameters().flat, source.parameters().flat)
    assert not lesson.random and lesson.weights == "from w.npz"
    with pytest.raises(TinyCNNError, match="does not belong to this network"):
        open_lesson(model=f"{models}:net", weights_file=tmp_path / "w.npz")
