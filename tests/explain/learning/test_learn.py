"""Steps of learning against plain NumPy, and against the example that is worked out by hand."""

import itertools
import math

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.errors import ArgumentError, UnknownNameError
from tinycnn.explain import learn
from tinycnn.explain.examples.example import open_example
from tinycnn.explain.examples.network import example_network
from tinycnn.layers import Dense, Dropout, ReLU

X = np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 2.0], [3.0, 0.5, -1.0], [-1.0, 0.25, 1.5]])
LABELS = np.array([0, 1, 1, 0])


def dense(**options):
    """A dense layer of two units; all of what it does is worked out below."""
    model = tc.Sequential([Dense(2, **options)], (3,), dtype="float64")
    with model.edit() as parameters:
        parameters["dense1.W"][...] = [[0.5, -0.25], [1.0, 0.0], [-0.5, 0.75]]
    return model


def loss_of(W, x=X, labels=LABELS):
    """The mean cross-entropy and its gradient of W."""
    p = np.exp(x @ W)
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(len(x)), labels]))
    p[np.arange(len(x)), labels] -= 1
    return loss, x.T @ p / len(x)


def in_numpy(W, steps, rate, momentum, decay):
    """Rows (weight, gradient, loss, predicted, real) of W[1,0], and the last weight."""
    v, rows = np.zeros_like(W), []
    for _ in range(steps):
        loss, g = loss_of(W)
        v = momentum * v - rate * (g + decay * W)
        moved = W + v
        rows.append((W[1, 0], g[1, 0], loss, np.sum(g * v), loss_of(moved)[0] - loss))
        W = moved
    return rows, W[1, 0]


@pytest.mark.parametrize(
    ("rate", "momentum", "decay"), [(0.3, 0, 0), (0.1, 0.9, 0), (0.2, 0, 0.1), (0.05, 0.5, 0.01)]
)
def test_steps_are_what_numpy_gives(rate, momentum, decay):
    model = dense(bias=False)
    before = model.parameters()["dense1.W"].copy()
    learning = learn(
        model, X, LABELS, 20, "dense1.W[1,0]", rate=rate, momentum=momentum, weight_decay=decay
    )
    rows, last = in_numpy(before.copy(), 20, rate, momentum, decay)
    seen = [(s.weight, s.gradient, s.loss, s.predicted, s.real) for s in learning.steps]
    np.testing.assert_allclose(seen, rows, rtol=1e-9, atol=1e-13)
    assert learning.weight == pytest.approx(last, rel=1e-12)
    assert learning.tested == pytest.approx(rows[-1][2] + rows[-1][4], rel=1e-12)
    assert [step.number for step in learning.steps] == [*range(1, 21)]
    assert (model.parameters()["dense1.W"] == before).all()  # its copy has learned


def test_without_momentum_the_prediction_is_the_rate_times_the_squares():
    learning = learn(dense(), X, LABELS, 5, "dense1.W[1,0]", rate=0.3)
    W, c = dense().parameters()["dense1.W"].copy(), np.zeros(2)
    for step in learning.steps:
        p = np.exp(X @ W + c)
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(4), LABELS] -= 1
        dW, dc = X.T @ p / 4, p.mean(axis=0)
        assert step.predicted == pytest.approx(-0.3 * (np.sum(dW**2) + np.sum(dc**2)), rel=1e-12)
        W, c = W - 0.3 * dW, c - 0.3 * dc


@pytest.mark.parametrize("name", ["whole", "learning"])
def test_an_example_s_network_does_what_is_worked_out_by_hand(name):
    network, changes = example_network(name), open_example(name).changes
    learning = learn(
        network.model, network.x, network.labels, len(changes), "conv1.W[0,0,0,0]",
        rate=network.rate, frozen=network.frozen,
    )  # fmt: skip
    assert learning.moving == 5 and learning.classes == 2
    for step, change in zip(learning.steps, changes, strict=True):
        W, dW = (value.flat[0] for value in change.stages[0].takes)
        expected = W, dW, change.before.flat[0], change.predicted, change.after.flat[0]
        seen = step.weight, step.gradient, step.loss, step.predicted, step.after
        assert seen == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_what_is_frozen_stays_and_predicts_nothing():
    learning = learn(dense(), X, LABELS, 3, "dense1.b[1]", rate=1, frozen=["dense1.b"])
    assert {step.weight for step in learning.steps} == {0.0} and learning.weight == 0
    assert learning.steps[0].gradient != 0
    without = learn(dense(bias=False), X, LABELS, 3, "dense1.W[0,0]", rate=1)
    assert [s.predicted for s in learning.steps] == pytest.approx(
        [s.predicted for s in without.steps]
    )


def test_a_batch_is_drawn_anew_for_each_step():
    options = {"rate": 0.0, "batch": 2}
    learning = learn(dense(bias=False), X, LABELS, 30, "dense1.W[0,0]", **options, seed=3)
    W = dense(bias=False).parameters()["dense1.W"]
    pairs = [loss_of(W, X[[*p]], LABELS[[*p]])[0] for p in itertools.combinations(range(4), 2)]
    met = {int(np.argmin(np.abs(np.array(pairs) - step.loss))) for step in learning.steps}
    assert met == set(range(6))
    for step in learning.steps:
        assert min(abs(pair - step.loss) for pair in pairs) < 1e-12
        assert step.real == 0  # of the same images
        assert step.tested == pytest.approx(loss_of(W)[0], rel=1e-12)
    again = learn(dense(bias=False), X, LABELS, 30, "dense1.W[0,0]", **options, seed=3)
    assert again == learning
    other = learn(dense(bias=False), X, LABELS, 30, "dense1.W[0,0]", **options, seed=4)
    assert other != learning


def test_each_step_has_a_dropout_mask_of_its_own_and_is_measured_with_it():
    layers = [Dense(8, activation="relu"), Dropout(0.5), Dense(2)]
    model = tc.Sequential(layers, (3,), dtype="float64", rng=1)
    learning = learn(model, X, LABELS, 20, rate=0.0, training=True)
    assert len({step.loss for step in learning.steps}) > 10
    assert {step.real for step in learning.steps} == {0.0}
    off = learn(model, X, LABELS, 1, rate=0.0).steps[0]
    assert {step.tested for step in learning.steps} == {off.loss}
    assert off.tested is None


def test_the_weight_watched_is_the_one_with_the_largest_gradient():
    model = tc.Sequential([ReLU(), Dense(2)], (3,), dtype="float64", rng=0)
    learning = learn(model, X, LABELS, 1)
    trace = model.trace(X)
    gradient = trace.backward(labels=LABELS)["dense1.W"]
    assert abs(learning.steps[0].gradient) == np.abs(gradient).max()
    index = tuple(int(i) for i in np.unravel_index(np.abs(gradient).argmax(), gradient.shape))
    assert learning.name == f"dense1.W[{index[0]},{index[1]}]"


def test_a_rate_that_is_too_large_ends_where_the_loss_is_no_number():
    layers = [Dense(8, activation="relu"), Dense(8, activation="relu"), Dense(2)]
    model = tc.Sequential(layers, (3,), rng=1)
    learning = learn(model, X, LABELS, 50, rate=1e18)
    assert not learning.ok and len(learning.steps) < 50
    assert math.isfinite(learning.steps[0].loss) and not math.isfinite(learning.steps[-1].after)
    assert learning.to_dict()["ok"] is False


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"steps": 0}, ArgumentError, "steps must be at least 1, got 0"),
        ({"weight": "dense1.W"}, ArgumentError, r"which number of dense1.W\? such as dense1.W\[1,1\]"),
        ({"weight": "dense1[0]"}, ArgumentError, r"no number of a parameter, such as dense1.W\[1,1\]"),
        ({"weight": "fc1.W[0,0]"}, UnknownNameError, "there is no layer 'fc1'"),
        ({"weight": "dense1.W[3,0]"}, UnknownNameError, r"rows? 0 .. 2|inputs? 0 .. 2"),
        ({"batch": 5}, ArgumentError, "batch is 5, but there are 4 images"),
        ({"batch": 0}, ArgumentError, "batch must be at least 1, got 0"),
        ({"rate": -1}, ArgumentError, "rate must be a finite number from 0 up, got -1"),
    ],
)  # fmt: skip
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        learn(dense(), X, LABELS, **arguments)


def test_a_network_without_parameters_learns_nothing():
    with pytest.raises(ArgumentError, match="no parameters"):
        learn(tc.Sequential([ReLU()], (3,)), X, LABELS)


def test_an_example_without_a_loss_says_which_have_one():
    with pytest.raises(ArgumentError, match=r"lrn has no loss .*; whole and learning have one"):
        example_network("lrn")
    with pytest.raises(UnknownNameError, match="there is no example 'nothing'"):
        example_network("nothing")
