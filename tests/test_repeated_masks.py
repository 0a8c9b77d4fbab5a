"""A training loop that gives the same int at every step drops the same cells: a model warns once."""

import numpy as np
import pytest
from small_nets import IMAGE, images, plain_net, whole_net

import tinycnn as tc
from tinycnn.errors import RepeatedMasksWarning
from tinycnn.layers import Dense, Dropout, Layer


def train(model, keys, **options):
    """A training loop, its passes with the keys given."""
    optimizer = tc.optimizers.SGD(model)
    for key in keys:
        trace = model.trace(images(3), training=True, rng=key, **options)
        optimizer.step(trace.backward(labels=[0, 1, 2]))


def test_the_same_int_at_every_step_warns_once():
    model = whole_net()
    with pytest.warns(
        RepeatedMasksWarning, match=r"rng = numpy\.random\.default_rng\(7\) once"
    ) as seen:
        train(model, [7] * 5)
    assert len(seen) == 1
    assert seen[0].filename == __file__  # where trace was called
    train(model, [np.int64(7)] * 2)


def test_a_warning_taken_as_an_error_comes_before_any_work_and_once():
    model = whole_net()
    with pytest.raises(RepeatedMasksWarning):
        train(model, [7] * 2)
    train(model, [7] * 2)


class Noise(Layer):
    draws = True

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return x + np.random.default_rng(context.rng).standard_normal(x.shape), None

    def backward(self, params, dy, saved, context):
        return dy, {}


def test_a_users_layer_that_draws_warns_too():
    with pytest.warns(RepeatedMasksWarning):
        train(tc.Sequential([Noise(), Dense(3)], IMAGE), [0, 0])


def test_what_is_meant_warns_of_nothing():
    train(whole_net(), [np.random.default_rng(0)] * 3)
    train(whole_net(), [None] * 3)
    train(whole_net(), range(3))
    train(plain_net(), [0] * 3)  # nothing draws
    train(tc.Sequential([Dropout(0.0), Dense(3)], IMAGE), [0] * 3)
    model = whole_net()
    for first in (0, 3, 6):
        train(model, [0], first_sample=first)
    trace = model.trace(images(3), training=True, rng=5)
    for step in (1e-3, -1e-3):  # differences of the loss, with the masks of one pass
        with model.edit() as p:
            p["dense1.W"][0, 0] += step
            model.trace(images(3), training=True, rng=5).backward(labels=[0, 1, 2])
        trace = model.trace(images(3), training=True, rng=5)
        trace.backward(labels=[0, 1, 2])
    tc.gradcheck(tc.Sequential([Dropout(0.5), Dense(3)], (4,)), np.ones((2, 4)), training=True)
    for _ in range(2):  # predictions and passes without training draw nothing
        model.trace(images(3), rng=5)
        train(model, [np.random.default_rng(1)])
