"""The exercise tiny-net: its twin is the engine's network, and what it asks for is no matter of luck."""

import runpy

import numpy as np
import pytest
from classroom.mistakes import STYLES, solved

import tinycnn as tc
from tinycnn.checking.mistakes.tiny_network import PARAMETERS, gradients, logits, loss
from tinycnn.classroom.exercises import EXERCISES
from tinycnn.classroom.exercises.choosing import Largest
from tinycnn.classroom.exercises.digits import digits, held_out

OF_LAYERS = ("conv.W", "conv.b", "dense.W", "dense.b")
LOSS = EXERCISES["tiny-net"].tasks[1]


def engine(a):
    """The same network of this package's layers, in float64."""
    KH, KW, _, F = a["W1"].shape
    layers = [
        tc.layers.Conv2D(F, (KH, KW), activation="relu", name="conv"),
        tc.layers.MaxPool2D(2),
        tc.layers.Dense(len(a["b2"]), activation="softmax", name="dense"),
    ]
    model = tc.Sequential(layers, a["x"].shape[1:], dtype="float64")
    with model.edit() as p:
        for mine, name in zip(PARAMETERS, OF_LAYERS, strict=True):
            p[name][...] = a[mine]
    return model


@pytest.mark.parametrize("case", LOSS.cases, ids=lambda case: case.name)
def test_the_twin_is_the_engines_network(case):
    a = case.draw(Largest())
    trace = engine(a).trace(a["x"])
    found = trace.backward(labels=a["labels"])
    assert float(loss(a)) == pytest.approx(trace.loss, rel=1e-12)
    assert np.allclose(np.exp(logits(a)) / np.exp(logits(a)).sum(1, keepdims=True), trace.y)
    for mine, name in zip(gradients(a).values(), OF_LAYERS, strict=True):
        assert np.allclose(mine, found[name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("style", "seed"),
    [
        pytest.param(style, seed, marks=pytest.mark.slow if seed else ())
        for style in STYLES
        for seed in (range(8) if style == "vectorised" else range(1, 3))
    ],
)
def test_a_right_training_gets_there_from_whatever_seed(style, seed, tmp_path):
    """Well above the 90 % that are asked for, so that an order of images never fails anybody."""
    path = tmp_path / "mine.py"
    path.write_text(solved("tiny-net", style), encoding="utf-8")
    mine = runpy.run_path(str(path))
    a = EXERCISES["tiny-net"].tasks[2].cases[1].draw(Largest())
    weights = [a[name] for name in PARAMETERS]
    trained = mine["train"](*digits(), *weights, np.random.default_rng(seed))
    x, labels = held_out()
    assert (mine["logits"](x, *trained).argmax(1) == labels).mean() > 0.92
