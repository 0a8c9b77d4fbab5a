"""Patterns: which layers are known, what their kinks decided, and where one was crossed."""

import numpy as np
import pytest
from small_nets import images

import tinycnn as tc
from tinycnn.checking import patterns
from tinycnn.layers import Conv2D, Dense, Dropout, Flatten, MaxPool2D, ReLU, Softmax


class Leaky(ReLU):
    """Extends a built-in layer, and may do anything."""


def test_what_extends_a_known_layer_is_not_known():
    assert patterns.known(ReLU()) and not patterns.known(Leaky())


def test_places_are_named_in_order():
    layers = [
        Conv2D(2, 3, activation="relu", name="conv1"), MaxPool2D(2, name="pool1"),
        Flatten(name="flat"), Leaky(name="leaky"), Dense(3, name="fc1"), ReLU(name="r"),
        Dropout(name="d"), Softmax(name="s"),
    ]  # fmt: skip
    assert patterns.places(layers) == ("conv1's ReLU", "pool1's maximum", "r's ReLU")


def test_what_kinks_decided_is_worked_out_by_hand():
    model = tc.Sequential([ReLU(), MaxPool2D((1, 2))], (1, 4, 1), dtype="float64")
    x = np.array([-1.0, 2.0, 3.0, 0.5]).reshape(1, 1, 4, 1)
    mask, winner = patterns.of_trace(model.trace(x))
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
    assert patterns.flipped([same, before], [same, np.array(after)], places) == text


def test_a_trace_has_as_many_patterns_as_places():
    model = tc.Sequential([Conv2D(2, 3, activation="relu"), MaxPool2D(2), Dense(2)], (6, 5, 3))
    found = patterns.of_trace(model.trace(images(2, model.input_shape)))
    assert len(found) == len(patterns.places(model.layers)) == 2
