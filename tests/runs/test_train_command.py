"""``tinycnn train`` from outside: what it prints, what it keeps, how it ends and goes on."""

import json
import re
import sys
import warnings

import numpy as np
import pytest
from small_runs import CLASSES, write_data, write_networks

import tinycnn as tc
from tinycnn.cli import main
from tinycnn.data import Preparation
from tinycnn.errors import DamagedPictureWarning


@pytest.fixture
def place(tmp_path, monkeypatch, request):
    """A folder of its own, with data.npz and nets.py; without matplotlib, a run is as good."""
    monkeypatch.chdir(tmp_path)
    if "kept" not in request.node.name:
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    write_data(tmp_path / "data.npz")
    write_networks(tmp_path / "nets.py")
    return tmp_path


pytestmark = pytest.mark.usefixtures("ctrl_c")


def train(*words, out="run", net="net"):
    return main(["train", "data.npz", "--model", f"nets.py:{net}", "--out", out, "--batch", "9",
                 *map(str, words)])  # fmt: skip


def arrays(run, name="latest"):
    return tc.load(run / f"{name}.npz").arrays()


def test_a_network_learns_and_all_of_it_is_kept(place, capsys):
    assert train("--epochs", 8) == 0
    printed = capsys.readouterr()
    accuracy = float(re.search(r"Test, .*: 30 images: loss \S+, top-1 (\S+)%", printed.out)[1])
    assert accuracy > 95
    assert printed.out.startswith("epoch") and re.search(r"^ +8 +48 ", printed.out, re.MULTILINE)
    assert "60 images of 6 x 6 x 1" not in printed.err  # a tenth is held out
    assert "54 images of 6 x 6 x 1 uint8, 3 classes>, 6 images for validation" in printed.err
    assert "tinycnn step --model run" in printed.err
    run = place / "run"
    assert {path.name for path in run.iterdir()} == {
        "settings.json", "history.json", "curves.png", "test.json", "latest.npz", "best.npz",
        "c1-before.png", "c1-after.png",
    }  # fmt: skip
    settings = json.loads((run / "settings.json").read_text())
    assert (settings["epochs"], settings["batch"], settings["augment"]) == (8, 9, ["shift"])
    rows = json.loads((run / "history.json").read_text())["epochs"]
    assert [row["epoch"] for row in rows] == list(range(1, 9))
    assert json.loads((run / "test.json").read_text())["top1"] == pytest.approx(
        accuracy / 100, abs=1e-4
    )
    preparation = Preparation.from_dict(tc.checkpoints.load(run / "best.npz").parts["preparation"])
    assert preparation.classes == CLASSES


def test_the_test_is_of_the_best_network_by_an_independent_count(place, capsys):
    assert train("--epochs", 3, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    held = np.load("data.npz")
    saved = tc.checkpoints.load(place / "run" / "best.npz")
    preparation = Preparation.from_dict(saved.parts["preparation"])
    answers = saved.model.predict(preparation(held["x_test"][..., None])).argmax(axis=1)
    assert told["test"]["top1"] == pytest.approx((answers == held["y_test"]).mean())
    assert told["run"] == "run" and len(told["epochs"]) == 3


@pytest.mark.parametrize(("net", "code", "words"), [
    ("interrupted", 130, "stopped by Ctrl-C after 11 steps, and saved; go on with"),
    ("terminated", 143, "stopped by SIGTERM after 11 steps, and saved; go on with"),
])  # fmt: skip
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(place, capsys, net, code, words):
    assert train("--epochs", 4, net=net) == code
    printed = capsys.readouterr()
    assert f"{words}: tinycnn train --resume --out run" in printed.err
    assert "Traceback" not in printed.err and not printed.out
    assert len(json.loads((place / "run" / "history.json").read_text())["steps"]) == 11
    assert main(["train", "--resume", "--out", "run"]) == 0
    assert "going on after 11 steps" in capsys.readouterr().err
    assert train("--epochs", 4, out="whole", net="own") == 0
    resumed, whole = (
        tc.checkpoints.load(place / run / "latest.npz", tc.Sequential(
            [tc.layers.Conv2D(4, 3, padding=1, activation="relu", name="c1"), tc.layers.MaxPool2D(2),
             tc.layers.Dropout(0.2), tc.layers.Dense(3, activation="softmax", name="d1")], (6, 6, 1),
        )).model.arrays() for run in ("run", "whole")
    )  # fmt: skip
    for name, array in whole.items():
        np.testing.assert_array_equal(resumed[name], array)


def test_a_second_interrupt_ends_at_once_and_what_was_saved_is_gone_on_with(place, capsys):
    assert train("--epochs", 4, net="interrupted_twice") == 130
    printed = capsys.readouterr()
    assert printed.err.endswith("tinycnn: interrupted\n") and "Traceback" not in printed.err
    assert main(["train", "--resume", "--out", "run"]) == 0
    assert "going on after 6 steps" in capsys.readouterr().err  # the end of the first epoch


def test_resume_begins_a_run_where_there_is_none(place, capsys):
    assert train("--epochs", 1, "--resume") == 0
    assert (place / "run" / "best.npz").exists()
    (place / "run" / "best.npz").unlink()
    (place / "run" / "latest.npz").unlink()  # as if it had been killed before the first checkpoint
    assert train("--epochs", 1, "--resume") == 0
    assert (place / "run" / "best.npz").exists()


def test_a_run_ends_early_and_says_why(place, capsys):
    words = ("--epochs", 30, "--patience", 1, "--rate", 1.0, "--optimizer", "sgd", "--clip", 0.5)
    assert train(*words) == 0
    printed = capsys.readouterr()
    assert "stopped: validation_loss was best in epoch" in printed.err
    assert len(json.loads((place / "run" / "history.json").read_text())["epochs"]) < 30


def test_a_run_is_never_written_over(place, capsys):
    assert train("--epochs", 1) == 0
    before = (place / "run" / "latest.npz").read_bytes()
    assert train("--epochs", 1, "--seed", 2) == 2
    assert "there is a run in 'run' already: go on with it by --resume" in capsys.readouterr().err
    assert (place / "run" / "latest.npz").read_bytes() == before
    (place / "photos").mkdir()
    (place / "photos" / "mine.jpg").write_bytes(b"my own")
    assert train(out="photos") == 2
    assert "'photos' is there already and is no run" in capsys.readouterr().err


def test_what_is_gone_on_with_stays_as_it_was_begun_but_for_its_epochs(place, capsys):
    assert train("--epochs", 1, "--schedule", "constant") == 0
    capsys.readouterr()
    assert main(["train", "--resume", "--out", "run", "--rate", "0.5"]) == 2
    assert "the run was begun with --rate 0.02, got 0.5: leave it out" in capsys.readouterr().err
    assert main(["train", "--resume", "--out", "run", "--epochs", "3", "--batch", "9"]) == 0
    assert re.search(r"^ +3 +18 ", capsys.readouterr().out, re.MULTILINE)
    capsys.readouterr()
    assert main(["train", "--resume", "--out", "run", "--epochs", "2"]) == 2
    assert "--epochs 3, which may only be raised, got 2: leave it" in capsys.readouterr().err
    assert train("--epochs", 3, "--schedule", "constant", out="whole") == 0
    for name, array in arrays(place / "whole").items():
        np.testing.assert_array_equal(arrays(place / "run")[name], array)


def test_one_begins_from_a_run_or_a_saved_model(place, capsys):
    assert train("--epochs", 6) == 0
    assert (
        main(
            ["train", "data.npz", "--model", "run", "--out", "more", "--epochs", "1", "--rate", "0"]
        )
        == 2
    )
    assert "--rate must be a finite number above 0" in capsys.readouterr().err
    words = ["--epochs", "1", "--rate", "1e-9", "--batch", "9", "--warm-up", "0", "--decay", "0"]
    assert main(["train", "data.npz", "--model", "run", "--out", "more", *words]) == 0
    for name, array in arrays(place / "run", "best").items():
        np.testing.assert_allclose(arrays(place / "more")[name], array, atol=1e-6)


def test_the_small_network_fits_images_of_any_size(place, capsys):
    words = ["--epochs", "1", "--batch", "20", "--json"]
    assert main(["train", "data.npz", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["run"] == "data-small"
    assert tc.load(place / "data-small" / "latest.npz").input_shape == (6, 6, 1)
    assert main(["train", "data.npz", *words, "--size", "9", "--out", "larger"]) == 0
    assert tc.load(place / "larger" / "latest.npz").input_shape == (9, 9, 1)


def test_a_folder_of_photographs_and_one_that_is_damaged(place, capsys):
    rng = np.random.default_rng(0)
    for name, colour in (("red", [200, 30, 30]), ("blue", [30, 30, 200])):
        (place / "photos" / name).mkdir(parents=True)
        for i in range(6):
            pixels = (rng.integers(0, 50, (10, 12, 3)) + colour).astype(np.uint8)
            np.save(place / "photos" / name / f"{i}.npy", pixels)
    (place / "photos" / "red" / "bad.npy").write_bytes(b"no array")
    words = [
        "train",
        "photos",
        "--size",
        "8",
        "--epochs",
        "10",
        "--batch",
        "5",
        "--validation",
        "0.2",
    ]
    assert main([*words, "--out", "stopped"]) == 2
    assert "red/bad.npy" in capsys.readouterr().err and not (place / "stopped").exists()
    with warnings.catch_warnings():
        warnings.simplefilter("always", DamagedPictureWarning)
        assert main([*words, "--out", "skipped", "--damaged", "skip"]) == 0
        printed = capsys.readouterr()
        assert main(["eval", "skipped", "--json"]) == 0
    best = max(json.loads((place / "skipped" / "history.json").read_text())["epochs"],
               key=lambda row: (row["validation_accuracy"], row["epoch"]))  # fmt: skip
    found = json.loads(capsys.readouterr().out)  # of the same part, without the damaged picture
    assert found["loss"] == pytest.approx(best["validation_loss"], rel=1e-5)
    assert "left out: red/bad.npy" in printed.err and "Test" not in printed.out
    settings = json.loads((place / "skipped" / "settings.json").read_text())
    assert settings["augment"] == ["shift", "mirror"]
    assert main(["predict", "photos/blue/0.npy", "--model", "skipped", "--top", "1"]) == 0
    assert "photos/blue/0.npy: blue" in capsys.readouterr().out


def test_without_a_validation_part_the_latest_network_is_tested(place, capsys):
    assert train("--epochs", 1, "--validation", 0) == 0
    assert "30 images" in capsys.readouterr().out
    assert train("--patience", 2, "--validation", 0, out="other") == 2
    assert "--patience looks at the validation part" in capsys.readouterr().err


def test_a_run_that_diverges_says_what_to_try(place, capsys):
    assert train("--rate", 1e9, "--warm-up", 0, "--epochs", 5) == 1
    err = capsys.readouterr().err
    assert "Begin another run, with another --out: try --rate 5e+08, --clip 1 or --warm-up 1" in err
    assert "Traceback" not in err and "Trainer" not in err and "trainer." not in err


@pytest.mark.parametrize(("words", "said"), [
    (["train"], "which pictures? tinycnn train DATA"),
    (["train", "--resume", "--out", "nothing"], "there is no run in 'nothing' to go on with"),
    (["train", "mnist"], "there is no data set 'mnist'"),
    (["train", "data.npz", "--model", "resnet"], "there is no network 'resnet': give one-tower"),
    (["train", "data.npz", "--model", "nets.py:four"], "tells 4 classes apart, and the data have 3"),
    (["train", "data.npz", "--model", "nets.py:rows"], "takes 36, and a picture is"),
    (["train", "data.npz", "--model", "nets.py:maps"], "ends in 4 x 4 x 3, not in a number for each"),
    (["train", "data.npz", "--model", "nets.py:net", "--size", "9"], "--size is for --model small"),
    (["train", "data.npz", "--full"], "the full set is Fashion-MNIST's"),
    (["train", "data.npz", "--epochs", "0"], "--epochs must be at least 1, got 0"),
    (["train", "data.npz", "--optimizer", "lion"], "--optimizer must be one of 'sgd'"),
    (["train", "data.npz", "--augment", "shift,flip"], "--augment must be one of 'shift'"),
    (["train", "data.npz", "--augment", "colour", "--model", "nets.py:net"], "images of 3 colours"),
    (["train", "data.npz", "--save-every", "0"], "--save-every must be a finite number above 0"),
    (["train", "data.npz", "--threads", "0"], "--threads must be at least 1"),
])  # fmt: skip
def test_what_is_refused_before_anything_is_written(place, capsys, words, said):
    before = sorted(place.iterdir())
    assert main(words) == 2
    assert said in capsys.readouterr().err
    assert sorted(place.iterdir()) == before
