"""Layers entered in the registry of steps: with a stage of their own, or folded into the step before."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from small_nets import images
from twins import error

import tinycnn as tc
from tinycnn.inference import STEPS
from tinycnn.inference.layers.max_pool2d import MaxPoolStage
from tinycnn.inference.plan import plan
from tinycnn.inference.steps import Weights
from tinycnn.layers import Conv2D, Dense, Layer, MaxPool2D
from tinycnn.layers.activation import Activation
from tinycnn.shapes import pool_window


class Halved(Layer):
    """The maximum of squares of two by two cells, by NumPy."""

    calls = 0

    def output_shape(self, input_shape):
        H, W, C = input_shape
        return H // 2, W // 2, C

    def forward(self, params, x, context):
        self.calls += 1
        N, H, W, C = x.shape
        return x.reshape(N, H // 2, 2, W // 2, 2, C).max((2, 4)), None


class Scaled(Layer):
    """Each number of a row times a factor of its own."""

    calls = 0

    def output_shape(self, input_shape):
        return input_shape

    def parameter_shapes(self, input_shape):
        return {"factor": input_shape}

    def forward(self, params, x, context):
        self.calls += 1
        return x * params["factor"], None


@STEPS.register(Halved)
def halved(place, before):
    stage = MaxPoolStage(pool_window(place.input_shape[:2], 2))
    return (*before, place.step("halved", images=before[-1].images, stage=stage))


@dataclass(frozen=True)
class ScaledWeights:
    """Weights times the factors after them."""

    weights: Weights
    scaled: str

    def of(self, arrays):
        W, b = self.weights.of(arrays)
        factor = arrays[f"{self.scaled}.factor"]
        return W * factor, b * factor


@STEPS.register(Scaled)
def folded(place, before):
    *others, dense = before
    weights = ScaledWeights(dense.stage.weights, place.name)
    return (*others, replace(dense, stage=replace(dense.stage, weights=weights)))


def drawn(layers, shape):
    model = tc.Sequential(layers, shape)
    with model.edit() as parameters:
        parameters.flat[...] = np.random.default_rng(1).integers(-3, 4, parameters.flat.shape)
    return model


def whole_numbers(count, shape):
    return np.round(images(count, shape))


def test_a_layer_of_your_own_may_have_a_stage():
    model = drawn([Conv2D(5, 1, algorithm="direct"), Halved(), Dense(3)], (8, 8, 2))
    x = whole_numbers(5, (8, 8, 2))
    chosen = plan(model.layers, model.input_shape, model.dtype, 5)
    assert [step.method for step in chosen.steps] == ["direct", "halved", "packed dense"]
    assert [len(group.steps) for group in chosen.groups] == [2, 1]
    found = model.predict(x)
    assert model.layers[1].calls == 0
    np.testing.assert_array_equal(found, model.trace(x, algorithm="im2col").y)


def test_a_layer_may_be_folded_into_the_one_before_it():
    model = drawn([Dense(6), Scaled(), Dense(3)], (4,))
    x = whole_numbers(5, (4,))
    chosen = plan(model.layers, model.input_shape, model.dtype, 5)
    assert [step.layer for step in chosen.steps] == ["dense1", "dense2"]
    found = model.predict(x)
    assert model.layers[1].calls == 0
    np.testing.assert_array_equal(found, model.trace(x).y)
    with model.edit() as parameters:
        parameters["layer1.factor"][...] = 2
    np.testing.assert_array_equal(model.predict(x), model.trace(x).y)


class Squared(Activation):
    """y = z * z."""

    name = "squared"

    def forward(self, z):
        return z * z


@pytest.mark.parametrize("algorithm", ["im2col", "direct", "winograd"])
def test_an_activation_of_your_own_is_taken_of_what_a_stage_gives(algorithm):
    layers = [
        Conv2D(5, 3, stride=2, padding=1, algorithm=algorithm, activation=Squared()),
        MaxPool2D(2),
        Dense(6, activation=Squared()),
        Dense(3),
    ]
    model = drawn(layers, (16, 18, 2))
    x = whole_numbers(5, (16, 18, 2))
    chosen = plan(model.layers, model.input_shape, model.dtype, 5)
    assert chosen.steps[0].method != "layer" or algorithm == "im2col"
    assert error(model.predict(x), model.trace(x, algorithm="im2col").y) < 1e-5


def test_a_layer_whose_forward_was_replaced_is_not_folded(monkeypatch):
    model = drawn([Dense(6), Scaled()], (4,))
    x = whole_numbers(5, (4,))
    before = model.predict(x)
    monkeypatch.setattr(
        model.layers[1], "forward", lambda params, x, context: (x * params["factor"] + 1, None)
    )
    np.testing.assert_array_equal(model.predict(x), before + 1)
