"""State: arrays that training changes though no gradient touches them."""

import copy
import pickle

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.errors import ShapeError, StaleTraceError, UnknownNameError
from tinycnn.initializers import Constant
from tinycnn.layers import Dense, Layer
from tinycnn.testing import check_layer


class RunningMean(Layer):
    """Subtracts a running mean, which moves halfway to the batch's in a training pass."""

    stem = "center"

    def output_shape(self, input_shape):
        return input_shape

    def state_shapes(self, input_shape):
        return {"mean": input_shape}

    def initializer(self, parameter):
        return Constant(2.0) if parameter == "mean" else super().initializer(parameter)

    def forward(self, params, x, context):
        return x - context.state["mean"], x

    def next_state(self, state, saved):
        return {"mean": (state["mean"] + saved.mean(axis=0)) / 2}

    def backward(self, params, dz, saved, context):
        return dz, {}


X = np.array([[1.0, 8.0], [3.0, 4.0]])


def net():
    return tc.Sequential([RunningMean(), Dense(3), RunningMean()], (2,), dtype="float64")


def test_state_is_drawn_by_its_initializer_and_is_no_parameter():
    model = net()
    assert {name: array.tolist() for name, array in model.state().items()} == {
        "center1.mean": [2.0, 2.0],
        "center2.mean": [2.0, 2.0, 2.0],
    }
    assert list(model.parameters()) == ["dense1.W", "dense1.b"]
    assert all(not array.flags.writeable for array in model.state().values())


def test_a_step_takes_the_state_of_the_pass():
    model = net()
    optimizer = tc.optimizers.SGD(model, rate=0.0, momentum=0.0, weight_decay=0.0)
    trace = model.trace(X, training=True)
    assert trace.records[0].y.tolist() == (X - 2).tolist()
    optimizer.step(trace.backward(np.ones_like(trace.y)))
    assert model.state()["center1.mean"].tolist() == [2.0, 4.0]  # halfway to 2 and 6
    np.testing.assert_array_equal(
        model.state()["center2.mean"], (2 + trace.records[1].y.mean(axis=0)) / 2
    )
    np.testing.assert_array_equal(model.predict(X), model.trace(X).y)
    with pytest.raises(StaleTraceError):
        trace.backward(np.ones_like(trace.y))


def test_only_a_training_pass_and_a_step_change_it():
    model = net()
    before = model.state().flat.copy()
    optimizer = tc.optimizers.SGD(model)
    model.trace(X, training=True)
    optimizer.step(model.trace(X).backward(np.ones((2, 3))))
    optimizer.step({name: np.ones(shape) for name, shape in model.parameter_shapes().items()})
    np.testing.assert_array_equal(model.state().flat, before)


def test_without_an_optimizer():
    model = net()
    version = model.version
    model.update_state(model.trace(X, training=True).next_state())
    assert model.version > version
    assert model.state()["center1.mean"].tolist() == [2.0, 4.0]
    model.update_state({"center2.mean": [1, 2, 3]})
    assert model.state()["center2.mean"].tolist() == [1.0, 2.0, 3.0]
    assert model.state()["center1.mean"].tolist() == [2.0, 4.0]
    with pytest.raises(UnknownNameError, match="no array is named 'mean'"):
        model.update_state({"mean": [1, 2]})
    with pytest.raises(ShapeError, match=r"center2\.mean must have shape \(3,\)"):
        model.update_state({"center2.mean": [1, 2]})


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_it_goes_with_copies(twin):
    model = net()
    model.update_state({"center1.mean": [5, 6]})
    copied = twin(model)
    assert copied.state()["center1.mean"].tolist() == [5.0, 6.0]
    copied.update_state({"center1.mean": [7, 8]})
    assert model.state()["center1.mean"].tolist() == [5.0, 6.0]
    np.testing.assert_array_equal(model.predict(X), model.trace(X).y)


class Scaled(RunningMean):
    """Divides by the running mean; its gradient is wrong unless that is 2, as at the beginning."""

    batch_independent = False

    def forward(self, params, x, context):
        return x / context.state["mean"], x

    def backward(self, params, dz, saved, context):
        return dz / 2, {}


def test_layer_checks_hand_a_layer_its_state():
    assert check_layer(RunningMean, (3,)).ok
    assert "gradients" in check_layer(Scaled, (3,)).failures


@pytest.mark.parametrize("training", [False, True])
def test_gradient_checks_hand_a_layer_its_state(training):
    assert tc.gradcheck(RunningMean(), X, training=training).verdict == "right"
    assert tc.gradcheck(net(), X, training=training).verdict == "right"
    assert tc.gradcheck(Scaled(), X, training=training).verdict == "wrong"
    model = tc.Sequential([Dense(2), Scaled()], (2,), dtype="float64")
    assert tc.gradcheck(model, X, training=training).verdict == "right"
    model.update_state({"center1.mean": [3, 4]})
    assert tc.gradcheck(model, X, training=training).verdict == "wrong"
