"""The layer in a model: its state from step to step, and what inference makes of it."""

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.layers import BatchNormalization, Conv2D, Dense, ReLU


def net(**options):
    layers = [
        Conv2D(4, 3),
        BatchNormalization(momentum=0.5),
        ReLU(),
        Dense(5),
        BatchNormalization(),
        Dense(3, activation="softmax"),
    ]
    return tc.Sequential(layers, (6, 5, 2), **options)


def batch(count=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 6, 5, 2)) + 1, rng.integers(0, 3, count)


def test_it_begins_with_ones_and_zeros():
    model = net()
    for name, array in (*model.parameters().items(), *model.state().items()):
        if name.startswith("batchnorm"):
            assert (array == (name.endswith(("gamma", "variance")))).all()
    assert {name: array.shape for name, array in model.state().items()} == {
        "batchnorm1.mean": (4,),
        "batchnorm1.variance": (4,),
        "batchnorm2.mean": (5,),
        "batchnorm2.variance": (5,),
    }


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_running_statistics_follow_the_batches(dtype):
    model = net(dtype=dtype)
    optimizer = tc.optimizers.SGD(model, rate=0.05)
    mean, variance = np.zeros(4), np.ones(4)
    for step in range(4):
        x, labels = batch(seed=step)
        trace = model.trace(x, training=True)
        z = trace["conv1"].y.astype(np.float64).reshape(-1, 4)
        mean, variance = (mean + z.mean(axis=0)) / 2, (variance + z.var(axis=0)) / 2
        optimizer.step(trace.backward(labels=labels))
    state, rtol = model.state(), 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(state["batchnorm1.mean"], mean, rtol=10 * rtol)
    np.testing.assert_allclose(state["batchnorm1.variance"], variance, rtol=10 * rtol)
    np.testing.assert_allclose(model.predict(x), model.trace(x).y, rtol=0, atol=100 * rtol)


def test_training_normalizes_the_batch():
    trace = net(dtype="float64").trace(batch()[0], training=True)
    y, z = trace["batchnorm1"].y.reshape(-1, 4), trace["conv1"].y.reshape(-1, 4)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    variance = z.var(axis=0)
    np.testing.assert_allclose(y.var(axis=0), variance / (variance + 1e-3), rtol=1e-12)


def test_training_learns():
    model, (x, labels) = net(rng=3), batch(16)
    optimizer = tc.optimizers.SGD(model, rate=0.1)
    losses = []
    for _ in range(60):
        trace = model.trace(x, training=True)
        optimizer.step(trace.backward(labels=labels))
        losses.append(trace.loss)
    assert losses[-1] < losses[0] / 4


def test_samples_are_apart_in_inference_and_together_in_training():
    model, (x, _) = net(dtype="float64"), batch()
    alone = np.concatenate([model.trace(x[i : i + 1]).y for i in range(len(x))])
    np.testing.assert_allclose(model.trace(x).y, alone, rtol=1e-12)
    y = model.trace(x, training=True)["batchnorm1"].y
    first = model.trace(x[:4], training=True)["batchnorm1"].y
    assert np.abs(y[:4] - first).max() > 1e-3


def test_no_samples_leave_the_state_alone():
    model = net()
    trace = model.trace(np.empty((0, 6, 5, 2)), training=True)
    assert trace.y.shape == (0, 3)
    assert not trace.backward(labels=[]).flat.any()
    before = model.state().flat.copy()
    model.update_state(trace.next_state())
    np.testing.assert_array_equal(model.state().flat, before)


def test_one_row_gives_beta():
    model = tc.Sequential([BatchNormalization()], (3,))
    with model.edit() as parameters:
        parameters["batchnorm1.beta"] = [1, 2, 3]
    trace = model.trace([[7.0, -8, 9e30]], training=True)
    assert trace.y.tolist() == [[1, 2, 3]]
    trace.backward(dy=np.ones((1, 3)), keep=True)
    assert not trace.records[0].dx.any()
    assert trace.next_state()["batchnorm1.mean"][0] == pytest.approx(0.07)


@pytest.mark.parametrize("training", [False, True])
def test_gradients_of_a_whole_network(training):
    model, (x, labels) = net(dtype="float64"), batch()
    model.update_state(model.trace(x, training=True).next_state())
    assert tc.gradcheck(model, x, labels=labels, training=training).verdict == "right"


def test_a_row_of_the_summary():
    lines = [line.split() for line in str(net().summary()).splitlines()]
    assert ["batchnorm1", "4", "x", "3", "x", "4", "8"] in lines
