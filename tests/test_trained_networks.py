"""The network that comes trained: what it knows, how it is asked for, and how its file was written."""

import json
from importlib import resources

import numpy as np
import pytest

import tinycnn as tc
from tinycnn import cli
from tinycnn.data import Preparation
from tinycnn.errors import ArgumentError, CheckpointError
from tinycnn.explain import open_lesson
from tinycnn.networks import trained_file
from tinycnn.pictures import bundled
from tinycnn.runs.networks import open_network
from tools import bundled_network, changed_mind

TEST = tc.data.fashion_mnist("test")


@pytest.fixture(scope="module")
def network():
    return open_network("fashion")


def test_it_knows_the_ten_classes(network):
    assert network.classes == TEST.classes and not network.random
    x = network.preparation(TEST.images)
    y = network.model.predict(x)
    assert (y.argmax(axis=1) == TEST.labels).mean() > 0.925
    same = tc.alexnet(variant="fashion").predict(x[:32])
    np.testing.assert_array_equal(same, y[:32])
    wide = tc.alexnet(variant="fashion", dtype="float64").predict(x[:32])
    assert wide.dtype == np.float64
    np.testing.assert_allclose(wide, same, atol=1e-5)


def test_its_pictures_are_prepared_as_in_training(network):
    """By the mean and the deviation of the training part: about those of all of Fashion-MNIST."""
    prepared = network.preparation(TEST.images)
    assert prepared.shape == (1000, 28, 28, 1)
    assert abs(prepared.mean()) < 0.02 and abs(prepared.std() - 1) < 0.02
    np.testing.assert_allclose(network.preparation.mean, 0.2860 * 255, rtol=0.01)
    np.testing.assert_allclose(network.preparation.deviation, 0.3530 * 255, rtol=0.01)


def test_its_file_is_small_and_holds_nothing_else(network):
    with trained_file("fashion") as path:
        assert path.stat().st_size <= 2_000_000
        assert set(tc.checkpoints.load(path).parts) == {"preparation"}
        np.testing.assert_array_equal(
            tc.load(path).parameters().flat, network.model.parameters().flat
        )
    assert {f.name for f in (resources.files("tinycnn") / "trained").iterdir()} == {"fashion.npz"}


def test_without_its_weights():
    model = tc.alexnet(variant="fashion", trained=False, rng=5)
    again = tc.alexnet(10, variant="fashion", trained=False, rng=5)
    np.testing.assert_array_equal(model.parameters().flat, again.parameters().flat)
    trained = tc.alexnet(variant="fashion", rng=5)
    assert np.abs(model.parameters()["conv1.W"] - trained.parameters()["conv1.W"]).max() > 0.05
    assert str(trained.summary()) == str(model.summary())
    assert tc.alexnet(7, variant="fashion", trained=False).shapes[-1] == (7,)


@pytest.mark.parametrize("options", [{"variant": "mini"}, {"variant": "fashion", "classes": 7}, {}])
def test_weights_that_there_are_not(options):
    with pytest.raises(ArgumentError) as caught:
        tc.alexnet(**options, trained=True)
    got = f"variant={options.get('variant', 'one-tower')!r} with {options.get('classes', 1000):,}"
    assert str(caught.value) == (
        f"trained weights come with 'fashion' with 10 classes, got {got}; trained=False begins with "
        f"random ones"
    )


def test_other_classes_are_not_filled_with_random_weights_unasked():
    with pytest.raises(ArgumentError, match="trained=False begins with random ones"):
        tc.alexnet(7, variant="fashion")


def test_the_ten_pictures_are_recognised_out_of_the_box(capsys):
    assert cli.main(["predict", *bundled.NAMES, "--model", "fashion", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    text = json.dumps(found)
    assert all(json.dumps(name) in text for name in TEST.classes)


def test_step_says_what_it_recognises(capsys):
    assert cli.main(["step", "--model", "fashion"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Weights: trained, from the package. Picture: ankle-boot, 28 x 28" in said
    assert "RECOGNISED as 9 (ankle boot), with probability 0.9" in said
    assert "means nothing" not in said


def test_what_writes_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(bundled_network, "TARGET", tmp_path)
    model = tc.alexnet(variant="fashion", trained=False, rng=8)
    ready = Preparation.of(tc.data.fashion_mnist())
    optimizer = tc.optimizers.SGD(model)
    parts = {"preparation": ready.to_dict(), "optimizer": optimizer}
    tc.checkpoints.save(tmp_path / "run.npz", model, **parts)
    written = bundled_network.main(tmp_path / "run.npz")
    assert written == tmp_path / "fashion.npz"
    found = tc.checkpoints.load(written)
    assert set(found.parts) == {"preparation"}
    assert Preparation.from_dict(found.parts["preparation"]) == ready
    np.testing.assert_array_equal(found.model.parameters().flat, model.parameters().flat)
    tc.checkpoints.save(tmp_path / "mini.npz", tc.alexnet(variant="mini"), **parts)
    with pytest.raises(CheckpointError):
        bundled_network.main(tmp_path / "mini.npz")


def test_what_would_have_changed_its_mind(network):
    lesson = open_lesson(model="fashion", label="sneaker")
    shades, pixels, _ = changed_mind.changed(lesson)
    boot, sneaker = TEST.images[:1].astype(int), TEST.classes.index("sneaker")
    assert np.abs(pixels - boot[0]).max() <= shades
    # The gradient's signs, by differences of the loss in float64 where it is large.
    model = tc.alexnet(variant="fashion", dtype="float64")
    x, dx = network.preparation(boot.astype(np.float64)), changed_mind.gradient(lesson)

    def loss(at, h):
        moved = x.astype(np.float64)
        moved[0][at] += h
        return -np.log(model.predict(moved)[0, sneaker])

    for at in zip(*np.nonzero(np.abs(dx) > 0.8 * np.abs(dx).max()), strict=True):
        assert np.sign(loss(at, 1e-5) - loss(at, -1e-5)) == np.sign(dx[at])
    for moved, is_sneaker in ((shades, True), (shades - 1, False)):
        changed = np.clip(boot - moved * np.sign(dx), 0, 255)
        p = network.model.predict(network.preparation(changed))
        assert (p.argmax() == sneaker) == is_sneaker
    figure = changed_mind.draw()
    assert figure.axes[0].get_title().startswith("ankle boot: p = 0.9")
