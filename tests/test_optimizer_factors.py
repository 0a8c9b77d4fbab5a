"""Rates and decays of single parameters, by patterns of their names."""

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.errors import ArgumentError
from tinycnn.layers import BatchNormalization, Conv2D, Dense
from tinycnn.optimizers import SGD, Adam, AdamW


def net():
    layers = [Conv2D(2, 2), BatchNormalization(), Dense(3), Dense(2)]
    model = tc.Sequential(layers, (3, 3, 1), dtype="float64")
    with model.edit() as p:
        p.flat[...] = 1
    return model


def stepped(model, optimizer, slope=1.0):
    """By how much a step on gradients that are all ``slope`` moved each parameter; all of one alike."""
    optimizer.step({n: np.full(s, slope) for n, s in model.parameter_shapes().items()})
    moved = {name: np.unique(array - 1) for name, array in model.parameters().items()}
    assert all(change.size == 1 for change in moved.values())
    return {name: float(change[0]) for name, change in moved.items()}


@pytest.mark.parametrize("kind", [SGD, AdamW])
def test_by_default_only_weights_decay(kind):
    model = net()
    extra = {"decoupled": True, "momentum": 0} if kind is SGD else {}
    moved = stepped(model, kind(model, rate=0.5, weight_decay=0.25, **extra), slope=0.0)
    for name, change in moved.items():
        assert change == (-0.125 if name.endswith(".W") else 0), name
    assert {"batchnorm1.gamma", "batchnorm1.beta", "dense1.b"} < set(moved)


def test_rates_by_patterns_the_later_one_holds():
    model = net()
    factors = {"*.b": 2, "dense*": 4, "dense2.b": 0}
    moved = stepped(model, SGD(model, 0.5, 0, 0, rate_factors=factors))
    assert moved == {
        "conv1.W": -0.5, "conv1.b": -1, "batchnorm1.gamma": -0.5, "batchnorm1.beta": -0.5,
        "dense1.W": -2, "dense1.b": -2, "dense2.W": -2, "dense2.b": 0,
    }  # fmt: skip


def test_decays_by_patterns():
    model = net()
    factors = {"*": 0, "dense1.W": 2, "*.gamma": 1}
    moved = stepped(model, SGD(model, 0.5, 0, 0.5, decay_factors=factors), slope=0.0)
    expected = dict.fromkeys(moved, 0) | {"dense1.W": -0.5, "batchnorm1.gamma": -0.25}
    assert moved == expected


def test_the_decoupled_decay_follows_a_parameters_own_rate():
    model = net()
    options = {"rate_factors": {"dense1.W": 2}, "decoupled": True}
    moved = stepped(model, SGD(model, 0.25, 0, 0.5, **options), slope=0.0)
    assert (moved["dense1.W"], moved["dense2.W"]) == (-0.25, -0.125)


def test_adams_steps_follow_the_factors():
    model = net()
    moved = stepped(model, Adam(model, rate=0.5, epsilon=0, rate_factors={"conv1.*": 0.5}))
    assert moved["conv1.W"] == pytest.approx(-0.25)
    assert moved["dense1.W"] == pytest.approx(-0.5)


@pytest.mark.parametrize("option", ["rate_factors", "decay_factors"])
@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"conv2.W": 1}, "has the pattern 'conv2.W', which names none of conv1.W, conv1.b, batchn"),
        ({"*": -1}, "of '\\*' must be a finite number from 0 up, got -1"),
        ({"*": "x"}, "of '\\*' must be a finite number from 0 up, got 'x'"),
        (2.0, "must map names or patterns to factors, such as .*, got a float"),
        (["*"], "must map names or patterns to factors, such as .*, got a list"),
    ],
)
def test_bad_factors(option, factors, message):
    with pytest.raises(ArgumentError, match=f"^{option} {message}"):
        SGD(net(), **{option: factors})
