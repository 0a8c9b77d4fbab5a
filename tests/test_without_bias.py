"""Layers without a bias: what they give with a bias of zeros, and no parameter, gradient or number of it."""

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.errors import ArgumentError
from tinycnn.layers import Conv2D, Dense, MaxPool2D

IMAGE = (13, 12, 3)


def net(bias, dtype="float32"):
    layers = [
        Conv2D(20, 3, padding=1, activation="relu", bias=bias),
        MaxPool2D(2),
        Conv2D(8, 5, padding=2, groups=2, bias=bias),
        Dense(17, activation="relu", bias=bias),
        Dense(5, activation="softmax", bias=bias),
    ]
    return tc.Sequential(layers, IMAGE, dtype=dtype)


def twins(dtype="float32"):
    """Two networks of the same weights: without biases, and with biases of zeros."""
    without, zeros = net(False, dtype), net(True, dtype)
    with zeros.edit() as p:
        for name, array in without.parameters().items():
            p[name] = array
    return without, zeros


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("algorithm", [None, "im2col"])
def test_passes_and_predictions_are_those_with_zeros(dtype, algorithm):
    without, zeros = twins(dtype)
    assert [name for name in zeros.parameters() if name.endswith(".W")] == list(
        without.parameters()
    )
    x = np.random.default_rng(0).standard_normal((3, *IMAGE))
    np.testing.assert_array_equal(
        without.predict(x, algorithm=algorithm), zeros.predict(x, algorithm=algorithm)
    )
    ours, theirs = (model.trace(x, algorithm=algorithm) for model in (without, zeros))
    gradients, expected = (trace.backward(labels=[0, 3, 4]) for trace in (ours, theirs))
    np.testing.assert_array_equal(ours.y, theirs.y)
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, expected[name])


def test_it_trains_and_its_gradient_is_right():
    model = net(False, "float64")
    x = np.random.default_rng(0).standard_normal((2, *IMAGE))
    assert tc.gradcheck(model, x, labels=[1, 2]).verdict == "right"
    trace = model.trace(x, training=True, rng=0)
    gradients = trace.backward(labels=[1, 2])
    tc.optimizers.SGD(model).step(gradients)
    assert set(gradients) == {"conv1.W", "conv2.W", "dense1.W", "dense2.W"}


def test_a_number_opens_without_it():
    model = net(False, "float64")
    trace = model.trace(np.random.default_rng(0).standard_normal((2, *IMAGE)))
    trace.backward(labels=[1, 2])
    for opened in (trace.explain("conv2", at=(1, 2, 3)), trace.explain("dense2", at=(3,))):
        assert opened.ok and "BIAS" not in str(opened)
    assert trace.explain("dense1.W[3,4]").ok


def test_the_summary_counts_weights_alone():
    rows = {row.name: row.parameters for row in net(False).summary().rows}
    assert (rows["conv1"], rows["dense2"]) == (3 * 3 * 3 * 20, 17 * 5)


@pytest.mark.parametrize("bias", [None, "no", 2])
def test_it_is_yes_or_no(bias):
    for make in (lambda: Conv2D(2, 3, bias=bias), lambda: Dense(2, bias=bias)):
        with pytest.raises(ArgumentError, match="bias must be one of True, False, got"):
            make()
