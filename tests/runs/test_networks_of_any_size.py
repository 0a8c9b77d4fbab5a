"""``--model small``: a network made for the pictures of the data, whatever their size."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from small_runs import write_data

import tinycnn as tc
from tinycnn.cli import main
from tinycnn.errors import ArgumentError
from tinycnn.runs.networks import open_network
from tinycnn.runs.settings import settings_for


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings_of(run):
    return json.loads((run / "settings.json").read_text())


@pytest.mark.peers
def test_digits_are_trained_in_their_own_size(place, capsys):
    assert main(["train", "digits", "--epochs", "2"]) == 0
    printed = capsys.readouterr()
    assert re.search(r"small, [\d,]+ parameters, input 8 x 8 x 1$", printed.err, re.MULTILINE)
    run = place / "digits-small"
    given = {name: settings_of(run)[name] for name in ("model", "optimizer", "rate", "augment")}
    assert given == {"model": "small", "optimizer": "adamw", "rate": 0.002, "augment": ["shift"]}
    assert tc.load(run / "best.npz").input_shape == (8, 8, 1)
    assert main(["eval", "--model", "digits-small", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["count"] == 359


def test_what_is_gone_on_with_has_the_size_of_its_data(place, capsys):
    write_data(place / "data.npz")
    words = ["train", "data.npz", "--batch", "9", "--epochs"]
    assert main([*words, "1", "--out", "run"]) == 0
    assert settings_of(place / "run")["model"] == "small"
    assert main(["train", "--resume", "--out", "run", "--epochs", "2"]) == 0
    assert main([*words, "2", "--out", "whole"]) == 0
    ends = [tc.load(place / name / "latest.npz").input_shape for name in ("run", "whole")]
    assert ends == [(6, 6, 1)] * 2


def test_pictures_of_files_are_64_pixels_in_colour(place, capsys):
    for name, colour in (("sea", (0, 0, 200)), ("grass", (0, 200, 0))):
        (place / "photos" / name).mkdir(parents=True)
        for number in range(8):
            shade = tuple(min(part + 5 * number, 255) for part in colour)
            Image.new("RGB", (90, 70), shade).save(place / "photos" / name / f"{number}.png")
    words = ["train", "photos", "--epochs", "1", "--validation", "0", "--out", "run"]
    assert main(words) == 0
    assert tc.load(place / "run" / "latest.npz").input_shape == (64, 64, 3)


def test_without_data_it_is_for_pictures_of_28_pixels():
    network = open_network("small", seed=3)
    assert network.random and network.adapts and network.model.input_shape == (28, 28, 1)
    expected = tc.small_network((28, 28, 1), rng=3).parameters()
    np.testing.assert_array_equal(network.model.parameters().flat, expected.flat)
    with pytest.raises(ArgumentError, match="classes must be at least 1"):
        open_network("small", classes=-1)


@pytest.mark.parametrize(
    ("model", "optimizer", "rate", "decay"),
    [
        ("small", None, 0.002, 0.01), ("small", "adamw", 0.002, 0.01), ("small", "adam", 0.001, 0.0),
        ("small", "nesterov", 0.02, 0.0005), ("fashion", "sgd", 0.05, 0.0005),
        ("fashion", "adamw", 0.001, 0.01), ("mini", None, 0.02, 0.0005),
    ],
)  # fmt: skip
def test_rate_and_decay_are_those_of_the_optimizer(model, optimizer, rate, decay):
    settings = settings_for("digits", model, {"optimizer": optimizer})
    assert (settings.rate, settings.decay) == (rate, decay)
