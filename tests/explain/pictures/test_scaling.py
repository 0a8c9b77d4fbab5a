"""What pixels become as an input: means, deviations, the order of colours, and numbers as they are."""

import json

import numpy as np
import pytest

from tinycnn import cli
from tinycnn.errors import ArgumentError
from tinycnn.explain import open_lesson
from tinycnn.explain.pictures import picture
from tinycnn.explain.pictures.scaling import Scaling

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
ROWS = [
    ({}, lambda p: (p - 128) / 128, "x = (pixel - 128) / 128"),
    ({"channels": "bgr"}, lambda p: (p[..., ::-1] - 128) / 128,
     "x = (pixel - 128) / 128; channels blue, green, red"),
    (IMAGENET, lambda p: (p / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
     "x = (pixel / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)"),
    ({"mean": (104.0, 117.0, 123.0), "channels": "bgr"}, lambda p: p[..., ::-1] - [104.0, 117, 123],
     "x = pixel - (104, 117, 123); channels blue, green, red"),
    ({"mean": (0.0,), "std": (255.0,)}, lambda p: p / 255, "x = pixel / 255"),
    ({"mean": (0.0,), "std": (1.0,)}, lambda p: p / 255, "x = pixel / 255"),
    ({"mean": (0.5,), "std": (0.5,)}, lambda p: (p / 255 - 0.5) / 0.5, "x = (pixel / 255 - 0.5) / 0.5"),
    ({"std": (0.3,)}, lambda p: p / 255 / 0.3, "x = (pixel / 255) / 0.3"),
    ({"mean": (127.5,), "std": (127.5,)}, lambda p: (p - 127.5) / 127.5, "x = (pixel - 127.5) / 127.5"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "formula", "words"), ROWS)
def test_pixels_become_what_the_formula_says(tmp_path, options, formula, words):
    np.save(tmp_path / "a.npy", PIXELS)
    loaded = picture.load(tmp_path / "a.npy", (4, 5, 3), Scaling(**options))
    np.testing.assert_allclose(
        loaded.x, formula(PIXELS.astype(np.float64))[None], rtol=1e-15, atol=1e-15
    )
    assert loaded.formula == words
    np.testing.assert_array_equal(loaded.pixels, PIXELS)


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2"])
@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5, 1), (4, 5)])
def test_numbers_of_the_inputs_shape_are_taken_as_they_are(tmp_path, dtype, shape):
    numbers = np.random.default_rng(1).normal(0.3, 2, shape).astype(dtype)
    np.save(tmp_path / "x.npy", numbers)
    expected = numbers.reshape(1, 4, 5, -1)
    loaded = picture.load(tmp_path / "x.npy", expected.shape[1:])
    np.testing.assert_array_equal(loaded.x, expected)
    assert loaded.formula == "x = its numbers"
    assert loaded.title == "x.npy, 4 x 5 (rows x columns)"
    scaled = picture.load(tmp_path / "x.npy", expected.shape[1:], Scaling((0.5,), (2.0,)))
    np.testing.assert_array_equal(scaled.x, (expected.astype(float) - 0.5) / 2)
    assert scaled.formula == "x = (number - 0.5) / 2"


def test_numbers_of_another_shape_are_a_picture_as_before(tmp_path):
    np.save(tmp_path / "a.npy", PIXELS / 255)
    loaded = picture.load(tmp_path / "a.npy", (4, 4, 3))
    assert loaded.formula == "x = (pixel - 128) / 128" and "1.0 is white" in loaded.title
    np.save(tmp_path / "b.npy", PIXELS)  # whole numbers are pixels
    assert picture.load(tmp_path / "b.npy", (4, 5, 3)).formula == "x = (pixel - 128) / 128"


@pytest.mark.parametrize(
    ("options", "shape", "words"),
    [
        ({"mean": (1.0, 2.0)}, (4, 5, 3), r"mean must be one number, or one for each of .* 3 channels, got"),
        ({"std": (1.0,) * 3}, (4, 5, 1), "std must be one number, or one for each of .* 1 channel, got"),
        ({"channels": "bgr"}, (4, 5, 1), "bgr needs three colours, and the network's input has 1 channel"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_network(options, shape, words):
    with pytest.raises(ArgumentError, match=words):
        picture.load(None, shape, Scaling(**options))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"std": (0.0,)}, "std must be finite numbers above 0, got 0"),
        ({"std": (1.0, -1.0, 1.0)}, r"above 0, got \(1, -1, 1\)"),
        ({"mean": (float("nan"),)}, "mean must be finite numbers, got nan"),
        ({"channels": "rbg"}, "channels must be one of 'rgb', 'bgr', got 'rbg'"),
    ],
)
def test_what_is_no_scaling(options, words):
    with pytest.raises(ArgumentError, match=words):
        Scaling(**options)


def run(capsys, *argv):
    try:
        code = cli.main(argv)
    except SystemExit as stop:
        code = stop.code
    return code, *capsys.readouterr()


def test_the_command_scales_and_offers_the_same_scaling(capsys):
    options = ("--mean", "-0.1,0.456,0.406", "--std", "0.229,0.224,0.225", "--channels", "bgr")
    code, out, _ = run(capsys, "step", "--model", "mini", "--label", "3", *options)
    assert code == 0
    words = "x = (pixel / 255 - (-0.1, 0.456, 0.406)) / (0.229, 0.224, 0.225); channels blue, green, red"
    assert words in " ".join(out.split())
    again = "--mean=-0.1,0.456,0.406 --std=0.229,0.224,0.225 --channels bgr"
    assert f"tinycnn step --model mini --label 3 {again} --layer" in " ".join(out.split())
    data = json.loads(run(capsys, "step", "--model", "mini", "--json", *options)[1])
    assert data["input"] == words


def test_a_lesson_sees_what_the_options_say(tmp_path):
    x = np.random.default_rng(2).normal(size=(99, 99, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    lesson = open_lesson(tmp_path / "x.npy", model="mini")
    np.testing.assert_array_equal(lesson.trace.x[0], x)
    opened = lesson.trace.explain("conv1", at=(3, 3, 3))
    assert opened.ok and opened.picture.shape == (99, 99, 3)
    assert np.ptp(opened.picture) > 100  # brought to shades, not cut off


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--mean", "a"), "'a' is no number and no list such as 0.485,0.456,0.406"),
        (("--std", "0"), "std must be finite numbers above 0"),
        (("--mean", "1,2"), "mean must be one number, or one for each"),
        (("--channels", "gbr"), "invalid choice: 'gbr'"),
        (
            ("--example", "conv-pool", "--mean", "1"),
            "--example brings its own numbers; leave out --model, --mean",
        ),
    ],
)
def test_bad_options_are_refused(capsys, options, words):
    code, out, err = run(capsys, "step", "--model", "mini", *options)
    assert (code, out) == (2, "") and words in err
