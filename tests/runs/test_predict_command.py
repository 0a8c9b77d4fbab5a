"""``tinycnn predict`` and ``tinycnn step RUN``: pictures of one's own through a network of one's own."""

import json
import re
import sys

import numpy as np
import pytest
from PIL import Image
from small_runs import CLASSES, write_data, write_networks

import tinycnn as tc
from tinycnn.cli import main
from tinycnn.data import Preparation
from tinycnn.explain import explain, open_lesson


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with data.npz, nets.py, a run, and the first test pictures as files."""
    place = tmp_path_factory.mktemp("trained")
    write_networks(place / "nets.py")
    images = np.load(write_data(place / "data.npz"))["x_test"]
    (place / "pictures" / "deep").mkdir(parents=True)
    for name, image in zip(("b.png", "a.png", "deep/c.png"), images, strict=False):
        Image.fromarray(image).save(place / "pictures" / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setitem(sys.modules, "matplotlib.figure", None)  # no pictures are looked at
        words = [
            "data.npz",
            "--model",
            "nets.py:net",
            "--out",
            "run",
            "--epochs",
            "4",
            "--batch",
            "6",
        ]
        assert main(["train", *words]) == 0
    return place


@pytest.fixture
def place(trained, monkeypatch):
    monkeypatch.chdir(trained)
    return trained


def probabilities(image):
    """What the run's network gives for an image as the data store it."""
    saved = tc.checkpoints.load("run/best.npz")
    ready = Preparation.from_dict(saved.parts["preparation"])
    return saved.model.predict(ready(image[None, ..., None]))[0]


def told(capsys, *words):
    capsys.readouterr()
    code = main(["predict", *map(str, words), "--model", "run", "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_folder_of_pictures(place, capsys):
    code, found = told(capsys, "pictures")
    assert code == 0 and found["left_out"] == [] and found["model"] == "run"
    files = ["pictures/a.png", "pictures/b.png", "pictures/deep/c.png"]
    assert [each["picture"] for each in found["pictures"]] == files
    images = np.load("data.npz")["x_test"]
    for each, place_there in zip(found["pictures"], (1, 0, 2), strict=True):
        p = probabilities(images[place_there])
        assert [a["number"] for a in each["answers"]] == np.argsort(-p).tolist()
        assert [a["name"] for a in each["answers"]] == [CLASSES[k] for k in np.argsort(-p)]
        np.testing.assert_allclose(
            [a["probability"] for a in each["answers"]], np.sort(p)[::-1], rtol=1e-4
        )


def test_words_of_one_picture_and_of_several(place, capsys):
    assert main(["predict", "pictures/a.png", "--model", "run", "--top", "2"]) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(r"pictures/a\.png: (\w+)\n  0\.\d{4}  \1\n  0\.\d{4}  \w+\n", out)
    assert main(["predict", "pictures", "--model", "run"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].split() == ["picture", "taken", "for", "p", "or", "p"] and len(rows) == 5


@pytest.mark.filterwarnings("always::tinycnn.errors.DamagedPictureWarning")
def test_a_picture_that_cannot_be_read_is_named_and_the_others_are_answered(
    place, tmp_path, capsys
):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    code, found = told(capsys, bad, "pictures/a.png")
    assert code == 1 and [each["picture"] for each in found["pictures"]] == ["pictures/a.png"]
    assert found["left_out"][0]["picture"] == str(bad)
    for none, why in (
        (bad, "bad.png is not a picture"),
        ("no.png", "there is no picture 'no.png'"),
    ):
        assert main(["predict", str(none), "--model", "run"]) == 2
        err = capsys.readouterr().err
        assert f"left out: {why}" in err and "no picture is left that could be read" in err


def test_logits_become_probabilities(place, capsys):
    saved = tc.checkpoints.load("run/best.npz")
    plain = tc.Sequential(
        [tc.layers.Conv2D(4, 3, padding=1, activation="relu", name="c1"), tc.layers.MaxPool2D(2),
         tc.layers.Dropout(0.2), tc.layers.Dense(3, name="d1")], (6, 6, 1),
    )  # fmt: skip
    plain.load_weights(saved.model.parameters())
    tc.checkpoints.save("logits.npz", plain, preparation=saved.parts["preparation"])
    capsys.readouterr()
    assert main(["predict", "pictures/b.png", "--model", "logits.npz", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["pictures"]
    p = probabilities(np.load("data.npz")["x_test"][0])
    np.testing.assert_allclose(
        [each["probability"] for each in found["answers"]], np.sort(p)[::-1], rtol=1e-4
    )


def test_how_pixels_are_scaled_may_be_said(place, capsys):
    saved = tc.checkpoints.load("run/best.npz").model
    saved.save("plain.npz")
    words = ["predict", "pictures/b.png", "--model", "plain.npz", "--mean", "100", "--std", "50"]
    assert main([*words, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["pictures"]
    image = np.load("data.npz")["x_test"][0]
    p = saved.predict((image[None, ..., None].astype(float) - 100) / 50)[0]
    assert found["answers"][0]["probability"] == pytest.approx(p.max(), rel=1e-4)
    assert found["answers"][0]["name"] == ""


@pytest.mark.parametrize(("words", "said"), [
    (["pictures/a.png", "--top", "0"], "--top must be at least 1"),
    (["empty"], "the folder 'empty' has no pictures"),
    (["pictures/a.png", "--model", "nothing"], "there is no network 'nothing'"),
    (["pictures/a.png", "--model", "nets.py:rows"], "takes 36, and a picture is"),
])  # fmt: skip
def test_what_is_refused(place, capsys, words, said):
    (place / "empty").mkdir(exist_ok=True)
    assert main(["predict", *words]) == 2
    assert said in capsys.readouterr().err


# ---------------------------------------------------------------------------------------- tinycnn step


def test_step_walks_a_run_over_the_first_test_picture_of_its_data(place, capsys):
    assert main(["step", "run"]) == 0
    out = capsys.readouterr().out
    image, label = np.load("data.npz")["x_test"][0], np.load("data.npz")["y_test"][0]
    assert f"BACKWARD, against label {label} ({CLASSES[label]})" in out
    assert "Picture: data.npz, picture 0" in out and "tinycnn step --model run --layer c1" in out
    lesson = open_lesson(model="run")
    p = probabilities(image)
    np.testing.assert_allclose(lesson.trace.y[0], p, rtol=1e-4)
    assert lesson.backward.loss == pytest.approx(-np.log(p[label]), rel=1e-4)
    assert not lesson.random and explain(lesson.backward, "c1.W[0,0,0,0]").ok


def test_step_takes_a_picture_of_ones_own_for_a_run(place, capsys):
    assert main(["step", "pictures/b.png", "--model", "run", "--label", "corner"]) == 0
    assert "BACKWARD, against label 2 (corner)" in capsys.readouterr().out
    mine, first = open_lesson("pictures/b.png", model="run"), open_lesson(model="run")
    np.testing.assert_array_equal(mine.picture.x, first.picture.x)
    assert main(["step", "run", "--model", "mini"]) == 2
    assert "'run' is a run and --model names a network, too" in capsys.readouterr().err


def test_numbers_of_a_small_range_become_pixels_and_come_back():
    images = np.arange(12).reshape(1, 3, 4, 1) % 17
    preparation = Preparation.of(tc.data.Dataset(images.astype(np.float32), [0]))
    pixels = preparation.pixels_of(images[0])
    assert (pixels.min(), pixels.max()) == (0, 255)
    np.testing.assert_allclose(preparation.of_pixels(pixels), preparation(images), atol=0.01)
