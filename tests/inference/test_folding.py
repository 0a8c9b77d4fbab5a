"""Layers folded into the product before them: maps of channels, ReLU; and where they may not be."""

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
    Layer,
    MaxPool2D,
    ReLU,
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
    assert set(planned(model, count)) == {"conv1", "conv2", "pool1"}
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


CONVOLUTIONS = {  # kernel and stride
    "direct": [(1, 1), (2, 1), ((4, 3), (1, 2)), (5, 3)],
    "winograd": [(3, 1), (5, 1), (3, 2), (5, 2)],
}


@settings(max_examples=30, deadline=None)
@given(data=st.data(), algorithm=st.sampled_from(["direct", "winograd"]))
def test_drawn_blocks_of_product_map_and_relu(data, algorithm):
    """As ResNets have them, of drawn sizes: one step a product, and the numbers of the recorded pass."""
    draw = data.draw
    kernel, stride = draw(st.sampled_from(CONVOLUTIONS[algorithm]))
    shape = draw(st.integers(7, 20)), draw(st.integers(7, 20)), draw(st.integers(1, 9))
    layers = [
        Conv2D(
            draw(st.integers(1, 20)), kernel, stride=stride,
            padding="same", bias=draw(st.booleans()), algorithm=algorithm,
        ),
        *draw(st.sampled_from([[], [BatchNormalization(epsilon=0.1)]])),
        ReLU(),
        Dense(draw(st.integers(1, 9))),
        ReLU(),
    ]  # fmt: skip
    model, count = drawn(layers, shape), draw(st.integers(1, 5))
    x = images(count, shape)
    assert {*planned(model, count)} == {"conv1", "dense1"}
    assert error(model.predict(x), in_float64(model, x)) < BOUND


@pytest.mark.parametrize("product", [Conv2D(8, 3, algorithm="direct"), Conv2D(8, 3), Dense(8)])
def test_a_relu_changes_no_bit_of_the_product(product):
    bare = drawn([product], rng=3)
    model = drawn([deepcopy(product), ReLU()], rng=3)
    x = images(3, SHAPE)
    x[0, 3, 4, 1], x[1, 5, 6, 0] = np.nan, np.inf
    assert planned(model, 3) == planned(bare, 3)
    z = bare.predict(x)
    assert (z < 0).any() and np.isnan(z).any()
    np.testing.assert_array_equal(model.predict(x), tc.ops.relu(z))


def test_a_relu_that_is_another_is_a_step_of_its_own(monkeypatch):
    model, x = drawn([Dense(8), ReLU()]), images(3, SHAPE)
    z = model.trace(x)["dense1"].y
    monkeypatch.setattr(model.layers[1], "forward", lambda params, x, context: (abs(x), None))
    np.testing.assert_array_equal(model.predict(x), abs(model.predict(x)))
    assert (z < 0).any() and error(model.predict(x), abs(z)) < BOUND


class Affine(Layer):
    """Somebody's own map of each channel."""

    def output_shape(self, input_shape):
        return input_shape

    def parameter_shapes(self, input_shape):
        return {"factor": input_shape[-1:], "offset": input_shape[-1:]}

    def forward(self, params, x, context):
        return x * params["factor"] + params["offset"], None

    def channel_map(self, arrays):
        factor, offset = (arrays[name].astype(float) for name in ("factor", "offset"))
        return 0 * offset, factor, offset


class Rectified(Affine):
    """Does more than what it inherits says."""

    def forward(self, params, x, context):
        y, saved = super().forward(params, x, context)
        return np.maximum(y, 0), saved


def test_a_map_of_your_own_is_folded_where_its_class_says_it():
    model, x = drawn([Conv2D(8, 3, algorithm="direct"), Affine()]), images(3, SHAPE)
    assert planned(model) == ["conv1"]
    assert error(model.predict(x), in_float64(model, x)) < BOUND


def test_what_extends_a_map_is_not_folded():
    model, x = drawn([Conv2D(8, 3, algorithm="direct"), Rectified()]), images(3, SHAPE)
    assert planned(model) == ["conv1", "layer1"]
    y = model.predict(x)
    assert (y >= 0).all() and error(y, in_float64(model, x)) < BOUND


def test_in_float64_nothing_is_folded():
    model = drawn([Conv2D(8, 3), BatchNormalization(), ReLU()], dtype="float64")
    x = images(3, SHAPE)
    assert planned(model) == ["conv1", "batchnorm1", "relu1"]
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
