"""The paper's recipe: every number beside its source.

Sources: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
networks", 2012, by section; "code" is cuda-convnet as the Computer History Museum released it.
"""

from dataclasses import fields
from pathlib import Path

import pytest

import tinycnn as tc
from tinycnn.initializers import Constant, Gaussian
from tinycnn.recipes import PAPER, Recipe

PAGE = Path(__file__).parents[1] / "docs" / "mathematics" / "optimizers.md"

# (number, its value, where it stands, and what stands there)
SOURCES = [
    ("batch_size", 128, "5", "a batch size of 128 examples"),
    ("momentum", 0.9, "5", "momentum of 0.9"),
    ("weight_decay", 0.0005, "5", "and weight decay of 0.0005"),
    ("rate", 0.01, "5", "the learning rate was initialized at 0.01"),
    ("rate_divisor", 10, "5", "divide the learning rate by 10 when the validation error"),
    ("rate_divisions", 3, "5", "reduced three times prior to termination"),
    ("epochs", 90, "5", "roughly 90 cycles through the training set"),
    ("weight_std", 0.01, "5", "a zero-mean Gaussian distribution with standard deviation 0.01"),
    ("bias", 1, "5", "with the constant 1"),
    (
        "biased_layers", ("conv2", "conv4", "conv5", "fc1", "fc2"), "5",
        "the second, fourth, and fifth convolutional layers, as well as in the fully-connected hidden layers",
    ),
    ("image_size", 256, "2", "down-sampled the images to a fixed resolution of 256 x 256"),
    ("crop_size", 227, "4.1", "random 224 x 224 patches"),
    ("mirrored", True, "4.1", "(and their horizontal reflections)"),
    ("colour_std", 0.1, "4.1", "a Gaussian with mean zero and standard deviation 0.1"),
    ("test_crops", 10, "4.1", "the four corner patches and the center patch) as well as their"),
    ("dropout", 0.5, "4.2", "with probability 0.5"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "section", "words"), SOURCES)
def test_each_number_is_the_papers(name, value, section, words):
    assert getattr(PAPER, name) == value
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in lines if line.startswith(f"| `{name}` |")]
    assert f"| {section} |" in row and words in row


def test_no_number_is_without_a_source():
    assert {field.name for field in fields(Recipe)} == {name for name, *_ in SOURCES}


def test_the_decay_is_inside_the_velocity_and_spares_biases():
    """v = 0.9 v - 0.0005 * rate * w - rate * g, w = w + v: section 5, and the code for the biases."""
    model = tc.Sequential([tc.layers.Dense(1)], (1,), dtype="float64")
    with model.edit() as p:
        p["dense1.W"][...], p["dense1.b"][...] = 4, 4
    optimizer = PAPER.optimizer(model)
    w, v = 4.0, 0.0
    for g in (2.0, -1.0, 0.5):
        optimizer.step({"dense1.W": [[g]], "dense1.b": [0.0]})
        v = 0.9 * v - 0.0005 * 0.01 * w - 0.01 * g
        w = w + v
        assert model.parameters()["dense1.W"][0, 0] == pytest.approx(w, rel=1e-15)
        assert optimizer.velocities["dense1.W"][0, 0] == pytest.approx(v, rel=1e-14)
    assert model.parameters()["dense1.b"] == 4


def test_the_rate_is_divided_three_times_and_then_it_ends():
    schedule = PAPER.schedule(patience=2)
    found = [schedule.update(0.5) for _ in range(9)]
    expected = [0.01, 0.01, 1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5, 1e-5]
    assert found == pytest.approx(expected)
    assert schedule.ended


def test_the_papers_network_begins_as_the_recipe_says():
    model = tc.alexnet(variant="paper", classes=10)
    layers = {layer.name: layer for layer in model.layers}
    for name in model.parameter_shapes():
        layer, _, part = name.partition(".")
        bias = PAPER.bias if layer in PAPER.biased_layers else 0
        expected = Constant(bias) if part == "b" else Gaussian(PAPER.weight_std)
        assert layers[layer].initializer(part) == expected, name
    assert model.input_shape == (PAPER.crop_size, PAPER.crop_size, 3)
    rates = [layer.rate for layer in model.layers if isinstance(layer, tc.layers.Dropout)]
    assert rates == [PAPER.dropout] * 2
