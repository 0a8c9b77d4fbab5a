"""``tinycnn eval`` from outside, compared with a count of our own."""

import json
import re
import sys

import numpy as np
import pytest
from small_runs import CLASSES, write_data, write_networks

import tinycnn as tc
from tinycnn.cli import main
from tinycnn.data import Preparation


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with data.npz, nets.py and a run that has learnt a little."""
    place = tmp_path_factory.mktemp("trained")
    write_data(place / "data.npz")
    write_networks(place / "nets.py")
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
            "2",
            "--batch",
            "6",
        ]
        assert main(["train", *words, "--rate", "0.005"]) == 0
    return place


@pytest.fixture
def place(trained, monkeypatch):
    monkeypatch.chdir(trained)
    return trained


def answers(images, name="run/best.npz"):
    """The probabilities that the run's network gives, by the plain path from pixels to them."""
    saved = tc.checkpoints.load(name)
    return saved.model.predict(Preparation.from_dict(saved.parts["preparation"])(images))


def told(capsys, *words):
    capsys.readouterr()
    assert main(["eval", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_is_judged_by_the_test_part_of_its_own_data(place, capsys):
    found = told(capsys, "--model", "run", "--mistakes", "4")
    held = np.load("data.npz")
    p, labels = answers(held["x_test"][..., None]), held["y_test"]
    assert found["count"] == 30 and found["classes"] == list(CLASSES)
    assert found["top1"] == pytest.approx((p.argmax(axis=1) == labels).mean())
    own = p[np.arange(30), labels]
    assert found["loss"] == pytest.approx(-np.log(own).mean(), rel=1e-5)
    wrong = [i for i in np.argsort(own, kind="stable") if p[i].argmax() != labels[i]]
    assert [each["picture"] for each in found["mistakes"]] == [f"image {i}" for i in wrong[:4]]
    for each, i in zip(found["mistakes"], wrong, strict=False):
        assert each["probability"] == pytest.approx(own[i], rel=1e-4)
        assert (each["label"], each["answer"]) == (CLASSES[labels[i]], CLASSES[p[i].argmax()])


def test_the_parts_of_a_run_are_those_that_it_was_trained_with(place, capsys):
    history = json.loads((place / "run" / "history.json").read_text())["epochs"]
    best = max(reversed(history), key=lambda row: row["validation_accuracy"])
    found = told(capsys, "data.npz", "--model", "run", "--part", "validation")
    assert found["count"] == 6
    assert found["loss"] == pytest.approx(best["validation_loss"], rel=1e-5)
    assert told(capsys, "--model", "run", "--part", "train")["count"] == 54


def test_words(place, capsys):
    assert main(["eval", "run", "--mistakes", "1"]) == 0
    out = capsys.readouterr().out
    assert re.match(r"run on data\.npz, 30 images: loss \d\.\d{4}, top-1 \d+\.\d\d%\n", out)
    assert "columns" in out and "Most wrong about:" in out


def test_classes_are_known_by_their_names(place, capsys):
    held = np.load("data.npz")
    images, labels = held["x_test"][:9], held["y_test"][:9]
    turned = np.array([2, 0, 1])  # corner, bars, columns
    names = [CLASSES[i] for i in turned]
    np.savez("turned.npz", images=images, labels=np.argsort(turned)[labels], classes=names)
    np.savez("numbers.npz", images=images, labels=labels)
    first, second = (
        told(capsys, f"{name}.npz", "--model", "run") for name in ("turned", "numbers")
    )
    assert first["confusion"] == second["confusion"]
    np.savez("other.npz", images=images, labels=labels, classes=["bars", "columns", "dots"])
    assert main(["eval", "other.npz", "--model", "run"]) == 2
    assert "has the class 'dots', which is none of those trained on" in capsys.readouterr().err


def test_pictures_of_an_unknown_preparation_are_standardised_by_the_training_part(place, capsys):
    tc.checkpoints.load("run/best.npz").model.save("plain.npz")
    found = told(capsys, "data.npz", "--model", "plain.npz")
    held = np.load("data.npz")
    pixels = held["x_train"].astype(float)
    x = (held["x_test"][..., None] - pixels.mean()) / pixels.std()
    p = tc.load("plain.npz").predict(x)
    assert found["loss"] == pytest.approx(
        -np.log(p[np.arange(30), held["y_test"]]).mean(), rel=1e-4
    )


@pytest.mark.parametrize(("words", "said"), [
    ([], "which pictures? fashion is no run"),
    (["data.npz", "--model", "nets.py:four"], "tells 4 classes apart, and the data have 3"),
    (["data.npz", "--model", "run", "--part", "dev"], "--part must be one of 'test', 'validation', 'train'"),
    (["numbers_only.npz", "--model", "plain_net.npz", "--part", "test"], "the data have no part 'test'"),
    (["data.npz", "--model", "run", "--mistakes", "-1"], "--mistakes must be at least 0"),
    (["run", "--model", "nets.py:net"], "'run' is a run and --model names a network, too"),
    (["data.npz", "--model", "nothing"], "there is no network 'nothing'"),
])  # fmt: skip
def test_what_is_refused(place, capsys, words, said):
    np.savez("numbers_only.npz", images=np.zeros((3, 6, 6), np.uint8), labels=[0, 1, 2])
    tc.checkpoints.load("run/best.npz").model.save("plain_net.npz")
    assert main(["eval", *words]) == 2
    assert said in capsys.readouterr().err
