"""Kinks: which layers are known, what their kinks decided, and where one was crossed."""

import numpy as np
import pytest
from small_nets import images

import tinycnn as tc
from tinycnn.checking import kinks
from tinycnn.layers import (
    Activation,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPool2D,
    ReLU,
    Softmax,
)


class Leaky(ReLU):
    """Extends a built-in layer, and may do anything."""


def test_what_extends_a_known_layer_is_not_known():
    assert kinks.kinks_of(ReLU()) and kinks.kinks_of(Leaky()) is None


class Doubled(Layer):
    """Somebody's own, and smooth."""

    smooth = True

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return 2 * x, None


class Bent(Doubled):
    """Has a kink at 0, and inherits what it doesn't hold."""

    def forward(self, params, x, context):
        return np.abs(x), None


def test_a_smooth_layer_says_so_for_itself_alone():
    assert kinks.kinks_of(Doubled()) == ()
    layer = Doubled()
    layer.activation = "relu"
    assert [kink.name for kink in kinks.kinks_of(layer)] == ["ReLU"]
    assert kinks.kinks_of(Bent()) is None


@pytest.mark.parametrize("layer", [Doubled(), Dense(3), MaxPool2D(2)])
def test_where_forward_is_another_nothing_is_known(layer, monkeypatch):
    assert kinks.kinks_of(layer) is not None
    monkeypatch.setattr(layer, "forward", lambda params, x, context: (np.abs(x), None))
    assert kinks.kinks_of(layer) is None


def test_places_are_named_in_order():
    layers = [
        Conv2D(2, 3, activation="relu", name="conv1"), MaxPool2D(2, name="pool1"),
        Flatten(name="flat"), Leaky(name="leaky"), Dense(3, name="fc1"), ReLU(name="r"),
        Dropout(name="d"), Softmax(name="s"),
    ]  # fmt: skip
    assert kinks.places(layers) == ("conv1's ReLU", "pool1's maximum", "r's ReLU")


def test_what_kinks_decided_is_worked_out_by_hand():
    model = tc.Sequential([ReLU(), MaxPool2D((1, 2))], (1, 4, 1), dtype="float64")
    x = np.array([-1.0, 2.0, 3.0, 0.5]).reshape(1, 1, 4, 1)
    mask, winner = kinks.sides_of_trace(model.trace(x))
    assert mask.reshape(-1).tolist() == [False, True, True, True]
    assert winner.reshape(-1).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("after", "text"),
    [
        ([[0, 1], [2, 2]], ""),
        ([[0, 1], [2, 3]], "pool1's maximum at (1, 1)"),
        ([[7, 1], [2, 3]], "pool1's maximum at (0, 0)"),
        ([[0, 1]], "pool1's maximum"),
    ],
)
def test_the_first_flip_is_named(after, text):
    places = ("conv1's ReLU", "pool1's maximum")
    same = np.array([True, False])
    before = np.array([[0, 1], [2, 2]])
    assert kinks.flipped([same, before], [same, np.array(after)], places) == text


def test_a_trace_has_as_many_patterns_as_places():
    model = tc.Sequential([Conv2D(2, 3, activation="relu"), MaxPool2D(2), Dense(2)], (6, 5, 3))
    found = kinks.sides_of_trace(model.trace(images(2, model.input_shape)))
    assert len(found) == len(kinks.places(model.layers)) == 2


class Clipped(Activation):
    """min(z, 1), which has a kink that nobody told of."""

    def forward(self, z):
        return np.minimum(z, 1)

    def backward(self, dy, y):
        return dy * (y < 1)


def test_the_kinks_of_somebodys_activation_are_not_known():
    assert kinks.kinks_of(Dense(3)) == kinks.kinks_of(Dense(3, activation="softmax")) == ()
    assert kinks.kinks_of(Dense(3, activation=Clipped())) is None
    report = tc.gradcheck(Dense(3, activation=Clipped()), np.ones((2, 4)))
    assert report.ok, report


class Step(Layer):
    """Jumps at 1, and its gradient knows nothing of that."""

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return np.where(x > 1, x, 0.0), x

    def backward(self, params, dy, saved, context):
        return dy * (saved > 1), {}


def test_somebodys_own_layer_is_known_by_its_entry(monkeypatch):
    monkeypatch.setattr(kinks.KINKS, "_entries", dict(kinks.KINKS._entries))
    assert kinks.kinks_of(Step()) is None and kinks.places([Step(name="step")]) == ()
    threshold = kinks.Kink("threshold", lambda y, saved: saved > 1)
    kinks.KINKS.register(Step)(lambda layer: (threshold,))
    layer = Step(name="step")
    assert kinks.places([layer]) == ("step's threshold",)
    (side,) = kinks.sides(layer, *layer.forward({}, np.array([0.5, 1.5]), None))
    assert side.tolist() == [False, True]
    report = tc.gradcheck(Step(), np.array([[0.5, 1.0, 2.0]]))
    (skipped,) = [entry for entry in report["x"].skipped if entry.index == (0, 1)]
    assert skipped.reason == "a kink: layer's threshold at (0, 1) flips within any step"
