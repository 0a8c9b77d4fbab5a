"""Settings of runs: the usual ones, those of files, and what they come to."""

import json

import pytest

from tinycnn.errors import ArgumentError, FileError
from tinycnn.runs.folder import RunFolder
from tinycnn.runs.settings import RunSettings, settings_for, settled


def test_the_usual_settings_of_a_model_and_an_optimizer_give_way_to_those_asked_for():
    assert settings_for("digits", "one-tower", {}).rate == 0.01
    assert settings_for("digits", "one-tower", {"optimizer": "adamw"}).rate == 0.001
    assert settings_for("digits", "one-tower", {"optimizer": "adamw", "rate": 0.1}).rate == 0.1
    assert settings_for("digits", "mini", {"batch": None, "seed": 3}) == RunSettings(
        "digits", "mini", seed=3
    )


def test_epochs_and_augmentation_of_the_data():
    settings = RunSettings("d", "m", batch=10)
    few, many = (settled(settings, images, mirrors=True) for images in (95, 10_000))
    assert (few.epochs, many.epochs) == (60, 30)  # 600 steps of 10 an epoch; at least 30
    assert few.augment == ("shift", "mirror")
    assert settled(settings, 95, mirrors=False).augment == ("shift",)
    asked = settled(RunSettings("d", "m", epochs=2, augment=()), 95, mirrors=True)
    assert (asked.epochs, asked.augment) == (2, ())


def test_settings_come_back_from_their_file(tmp_path):
    folder = RunFolder(tmp_path / "deep" / "run")
    settings = RunSettings("digits", "mini", augment=("shift",), rate=0.25)
    folder.begin(settings)
    assert folder.settings() == settings
    with pytest.raises(FileError, match="has no checkpoint yet: go on with it by tinycnn train"):
        _ = folder.checkpoint


@pytest.mark.parametrize("damage", [
    "", "{", "[]", '{"data": "digits"}', '{"data": "digits", "model": "mini", "epochs": "many"}',
    '{"data": "digits", "model": "mini", "colour": 1}',
])  # fmt: skip
def test_a_damaged_settings_file(tmp_path, damage):
    (tmp_path / "settings.json").write_text(damage)
    with pytest.raises(FileError, match=r"is damaged: .*; put back"):
        RunFolder(tmp_path).settings()


@pytest.mark.parametrize(("values", "said"), [
    ({"rate": 0}, "--rate must be a finite number above 0"),
    ({"warm_up": -1}, "--warm-up must be"),
    ({"validation": 1.0}, "--validation must be"),
    ({"schedule": "plateau", "validation": 0}, "--schedule plateau looks at the validation part"),
    ({"damaged": "ignore"}, "--damaged must be one of 'stop', 'skip'"),
    ({"size": 8}, "--size is for --model small: m takes one size only"),
])  # fmt: skip
def test_settings_outside_their_range(values, said):
    with pytest.raises(ArgumentError, match=said):
        RunSettings("d", "m", **values)


def test_plain_values_are_json():
    settings = RunSettings("d", "m", augment=("shift",))
    assert RunSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
