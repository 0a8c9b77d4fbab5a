"""Batch normalisation folded into the weights before it, and where it may not be."""

import numpy as np
import pytest
from inference_nets import BOUND, in_float64
from small_nets import images
from twins import error

import tinycnn as tc
from tinycnn.errors import ArgumentError
from tinycnn.inference.plan import plan
from tinycnn.layers import (
    RELU,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    Softmax,
)

SHAPE = (32, 30, 3)


def drawn(layers, shape=SHAPE, **options):
    """A network whose parameters and state are all drawn."""
    model, rng = tc.Sequential(layers, shape, **options), np.random.default_rng(2)
    with model.edit() as parameters:
        for array in parameters.values():
            if array.ndim == 1:
                array[...] = rng.uniform(0.5, 2, array.shape) * rng.choice([-1, 1], array.shape)
    model.update_state({name: rng.uniform(0.5, 2, a.shape) for name, a in model.state().items()})
    return model


def planned(model, batch=5, algorithm=None):
    return [
        step.layer
        for step in plan(model.layers, model.input_shape, model.dtype, batch, algorithm).steps
    ]


@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
@pytest.mark.parametrize("count", [1, 5])
def test_after_a_convolution_it_takes_no_step(algorithm, count):
    layers = [
        Conv2D(20, 3, algorithm=algorithm),
        BatchNormalization(),
        Conv2D(17, 5, stride=2, padding=1, algorithm=algorithm),
        Dropout(0.5),
        BatchNormalization(epsilon=0.1),
        BatchNormalization(epsilon=0.2),
        MaxPool2D(2),
    ]
    model, x = drawn(layers), images(count, SHAPE)
    assert set(planned(model)) == {"conv1", "conv2", "pool1"}
    found = model.predict(x)
    assert error(found, in_float64(model, x)) < BOUND
    assert error(found, model.trace(x, algorithm="im2col").y) < BOUND


def test_after_a_dense_layer_too():
    model = drawn([Dense(9), BatchNormalization(), Dense(7), BatchNormalization()])
    x = images(5, SHAPE)
    assert planned(model) == ["dense1", "dense2"]
    assert error(model.predict(x), in_float64(model, x)) < BOUND


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [Conv2D(8, 3, activation="relu", algorithm="direct"), BatchNormalization()],
        lambda: [Conv2D(8, 3, algorithm="im2col"), BatchNormalization()],
        lambda: [Dense(8, activation="softmax"), BatchNormalization()],
        lambda: [Conv2D(8, 3, algorithm="direct"), Flatten(), BatchNormalization()],
        lambda: [Conv2D(8, 3, algorithm="direct"), MaxPool2D(2), BatchNormalization()],
        lambda: [BatchNormalization(), Softmax()],
    ],
)
def test_else_it_is_a_step_of_its_own(layers):
    model, x = drawn(layers()), images(4, SHAPE)
    assert "batchnorm1" in planned(model)
    assert error(model.predict(x), in_float64(model, x)) < BOUND


def test_in_float64_nothing_is_folded():
    model = drawn([Conv2D(8, 3), BatchNormalization()], dtype="float64")
    x = images(3, SHAPE)
    assert planned(model) == ["conv1", "batchnorm1"]
    np.testing.assert_array_equal(model.predict(x), model.trace(x).y)


def test_an_activation_of_its_own_is_not_lost():
    model = drawn([Dense(8), BatchNormalization()])
    model.layers[1].activation = RELU
    assert planned(model) == ["dense1", "batchnorm1"]


def test_new_state_and_new_parameters_count_at_once():
    model, x = drawn([Conv2D(8, 3, algorithm="direct"), BatchNormalization()]), images(3, SHAPE)
    model.predict(x)
    model.update_state({"batchnorm1.mean": np.full(8, 3.0)})
    assert error(model.predict(x), in_float64(model, x)) < BOUND
    with model.edit() as parameters:
        parameters["batchnorm1.gamma"] = np.arange(8)
    assert error(model.predict(x), in_float64(model, x)) < BOUND


def test_a_forward_that_was_replaced_is_not_folded(monkeypatch):
    model, x = drawn([Conv2D(8, 3, algorithm="direct"), BatchNormalization()]), images(3, SHAPE)
    model.predict(x)
    monkeypatch.setattr(model.layers[1], "forward", lambda params, x, context: (2 * x, None))
    np.testing.assert_array_equal(
        model.predict(x), 2 * model.trace(x, algorithm="direct")["conv1"].y
    )


def test_what_is_refused_by_one_way_is_by_the_other():
    model, x = drawn([Dense(4), BatchNormalization()]), images(2, SHAPE)
    model.update_state({"batchnorm1.variance": [1, -1, 1, 1]})
    for run in (model.predict, model.trace):
        with pytest.raises(ArgumentError, match="a variance must be from 0 up, got -1"):
            run(x)
