"""The network in one file, docs/in-one-file.py, against the engine: every result, every gradient."""

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from twins import error

import tinycnn as tc
from tinycnn.layers import Conv2D, Dense, MaxPool2D

FILE = Path(__file__).parents[1] / "docs" / "in-one-file.py"
BOUND = 1e-10


@pytest.fixture(scope="module")
def one():
    """The file as a module: its name has hyphens, so it is loaded by its path."""
    spec = importlib.util.spec_from_file_location("in_one_file", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def agree(ours, engine):
    """Compare what two functions gave: an array, or a tuple of them."""
    for mine, expected in zip(
        ours if isinstance(ours, tuple) else (ours,),
        engine if isinstance(engine, tuple) else (engine,),
        strict=True,
    ):
        assert np.shape(mine) == np.shape(expected)
        assert error(mine, expected) <= BOUND


def with_ties(rng, shape):
    """-1, 0 and 1: in most windows of 2 x 2 the largest is there twice."""
    return rng.integers(-1, 2, shape).astype(np.float64)


def without_ties(rng, shape):
    return rng.standard_normal(shape)


inputs = pytest.mark.parametrize("draw", [without_ties, with_ties])


def test_it_has_at_most_200_lines():
    assert len(FILE.read_text(encoding="utf-8").splitlines()) <= 200


@pytest.mark.parametrize(
    ("x_shape", "kernel", "F", "padding"),
    [
        ((2, 5, 4, 3), (3, 3), 4, 1),
        ((1, 6, 7, 2), (2, 3), 1, 0),
        ((3, 4, 3, 1), (4, 1), 5, 0),
        ((2, 3, 5, 2), (1, 5), 3, 2),
    ],
)
def test_convolution(one, rng, x_shape, kernel, F, padding):
    x = rng.standard_normal(x_shape)
    W, b = rng.standard_normal((*kernel, x_shape[3], F)), rng.standard_normal(F)
    y = tc.ops.conv2d(x, W, b, padding=padding)
    agree(one.conv2d(x, W, b, padding), y)
    dy = rng.standard_normal(y.shape)
    agree(one.conv2d_backward(dy, x, W, padding), tc.ops.conv2d_backward(dy, x, W, padding=padding))


@inputs
def test_relu(one, rng, draw):
    x, dy = draw(rng, (3, 4, 5, 2)), rng.standard_normal((3, 4, 5, 2))
    y = tc.ops.relu(x)
    agree(one.relu(x), y)
    agree(one.relu_backward(dy, y), tc.ops.relu_backward(dy, y))


@inputs
@pytest.mark.parametrize("shape", [(2, 6, 4, 3), (3, 5, 7, 2), (1, 2, 3, 1)])
def test_max_pool(one, rng, draw, shape):
    x = draw(rng, shape)
    y, winner = tc.ops.max_pool2d(x, 2)
    agree(one.max_pool2d(x), (y, winner))
    dy = rng.standard_normal(y.shape)
    agree(
        one.max_pool2d_backward(dy, winner, shape),
        tc.ops.max_pool2d_backward(dy, winner, shape, 2),
    )


def test_dense(one, rng):
    x, W, b = (
        rng.standard_normal((3, 2, 4, 2)),
        rng.standard_normal((16, 5)),
        rng.standard_normal(5),
    )
    agree(one.dense(x, W, b), tc.ops.dense(x, W, b))
    dy = rng.standard_normal((3, 5))
    agree(one.dense_backward(dy, x, W), tc.ops.dense_backward(dy, x, W))


@pytest.mark.parametrize("size", [1, 1000])
def test_loss(one, rng, size):
    logits, labels = size * rng.standard_normal((6, 5)), rng.integers(0, 5, 6)
    agree(one.cross_entropy(logits, labels), tc.ops.cross_entropy(logits, labels))


# ---------------------------------------------------------------------------- the whole network


@pytest.fixture
def twin(one, rng):
    """The engine's model of the same network, and the weights of both: sixteenths.

    The sums of both are exact where the images are whole numbers, so what ties in one ties in both.
    """
    w = {name: rng.integers(-4, 5, W.shape) / 16 for name, W in one.initial_weights(rng).items()}
    layers = [
        Conv2D(8, 3, padding=1, activation="relu"),
        MaxPool2D(2),
        Conv2D(16, 3, padding=1, activation="relu"),
        MaxPool2D(2),
        Dense(10, activation="softmax"),
    ]
    model = tc.Sequential(layers, (8, 8, 1), dtype="float64")
    with model.edit() as parameters:
        assert list(parameters) == list(w)
        for name in w:
            parameters[name] = w[name]
    return model, w


@inputs
def test_loss_and_every_gradient_of_the_network(one, rng, twin, draw):
    model, w = twin
    x, labels = draw(rng, (7, 8, 8, 1)), rng.integers(0, 10, 7)
    trace = model.trace(x)
    expected = {**trace.backward(labels=labels), "x": trace.records[0].dx}
    logits, _ = one.forward(x, w)
    agree(logits, trace.records[-1].z)
    assert one.accuracy(x, labels, w) == (trace.y.argmax(axis=1) == labels).mean()
    loss, gradients = one.loss_and_gradients(x, labels, w)
    agree(loss, trace.loss)
    assert gradients.keys() == expected.keys()
    for name in expected:
        agree(gradients[name], expected[name])


def test_three_steps_of_descent(one, rng, twin):
    model, w = twin
    optimizer, velocity = tc.optimizers.SGD(model, rate=0.05, momentum=0.9, weight_decay=0), {}
    for _ in range(3):
        x, labels = rng.standard_normal((5, 8, 8, 1)), rng.integers(0, 10, 5)
        optimizer.step(model.trace(x, training=True).backward(labels=labels))
        one.sgd_step(w, one.loss_and_gradients(x, labels, w)[1], velocity)
    for name, expected in model.parameters().items():
        agree(w[name], expected)


def test_training_and_the_check_print_what_the_engine_finds(one, rng, twin, capsys):
    model, w = twin
    x, labels = rng.standard_normal((20, 8, 8, 1)), rng.integers(0, 10, 20)
    trace = model.trace(x)
    trace.backward(labels=labels)
    held_out = x[:8], labels[:8]
    one.train(x, labels, held_out, w, rng, epochs=1, batch=20)
    with model.edit() as parameters:
        for name in w:
            parameters[name] = w[name]
    right = (model.predict(x[:8]).argmax(axis=1) == labels[:8]).mean()
    assert (
        capsys.readouterr().out
        == f"epoch  1  loss {trace.loss:.4f}  held out: {right:6.1%} right\n"
    )

    one.check_a_gradient(x, labels, w)
    place, *values = gradient_check(capsys.readouterr().out)
    assert values == pytest.approx(
        [model.trace(x).backward(labels=labels)["conv1.W"][place]] * 2, abs=1e-8
    )


def gradient_check(text):
    """The place in conv1.W, and the two gradients that are printed for it."""
    check = re.search(
        r"^dL / d conv1.W\[(.+)\]: backward (\S+), differences of L (\S+)$", text, re.M
    )
    return tuple(map(int, check[1].split(","))), float(check[2]), float(check[3])


# ----------------------------------------------------------------------------------- as a program


def test_without_scikit_learn_it_says_what_is_missing(one, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.delitem(sys.modules, "sklearn.datasets", raising=False)
    with pytest.raises(
        SystemExit, match=r"^.*sklearn.*; the digits need: pip install scikit-learn$"
    ):
        one.main()


@pytest.mark.slow
def test_it_learns_to_read_digits(one, capsys):
    one.main()
    printed = capsys.readouterr().out
    losses, right = zip(
        *re.findall(r"^epoch .. +loss (\S+) +held out: +(\S+)% right$", printed, re.M), strict=True
    )
    assert float(right[-1]) >= 95
    assert float(losses[-1]) < float(losses[0]) / 10
    _, backward, differences = gradient_check(printed)
    assert backward == pytest.approx(differences, rel=1e-4)
    assert len(printed.splitlines()[-1].split()) == 5  # what it reads in the five below the check
