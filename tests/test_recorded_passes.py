"""Training passes as recorded calls: against the plain formulas in float64, and a pass is still a value."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import error

import tinycnn as tc
from tinycnn.errors import ArgumentError, StaleTraceError
from tinycnn.layers import (
    AveragePool2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.optimizers import SGD
from tinycnn.passes import LazyRecords
from tinycnn.testing.strategies import generators

BOUND = 2e-5  # float32 against float64, through some layers


def lenet():
    """Convolutions with a stride and without, pools apart and overlapping, all activations."""
    return [
        Conv2D(6, 5, padding=2, activation="relu"),
        MaxPool2D(2),
        Conv2D(9, (3, 2), stride=(1, 2), padding=1),
        MaxPool2D(3, stride=2, padding=1),
        Dense(20, activation="relu"),
        Dense(7),
        Dense(5, activation="softmax"),
    ]


IMAGE = (12, 11, 2)


def of_all_kinds():
    """Layers of all other kinds, without bias and with, before parameters and behind them."""
    return [
        Dropout(0.2),
        Conv2D(7, (2, 3), padding=1, bias=False, activation="relu"),
        AveragePool2D(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
        Conv2D(5, 2, bias=False),
        ReLU(),
        Dropout(0.5),
        AveragePool2D((1, 2)),
        Flatten(),
        Dense(9, activation="softmax"),
        Flatten(),
        Dropout(0.0),
        Dense(8, bias=False, activation="relu"),
        Softmax(),
        Dense(5, bias=False),
    ]


def to_means():
    """A softmax of its own at the end."""
    return [Conv2D(6, 3, bias=False), ReLU(), GlobalAveragePool2D(), Dense(5), Softmax()]


NETS = [lenet, of_all_kinds, to_means]


def in_both_precisions(make, image):
    """Two models of the same parameters, of float32 and of float64."""
    model, plain = (tc.Sequential(make(), image, dtype=d) for d in ("float32", "float64"))
    plain.load_weights({name: array.astype(np.float64) for name, array in model.arrays().items()})
    return model, plain


def drawn_batch(rng, N, image, classes=5):
    return rng.standard_normal((N, *image)).astype(np.float32), rng.integers(0, classes, N)


def recorded(model, x, **options):
    """A training pass of the model, which must have gone as a whole."""
    trace = model.trace(x, training=True, rng=0, **options)
    assert isinstance(trace.records, LazyRecords)
    return trace


def same_pass(trace, gradients, expected, expected_gradients):
    """Each record and each gradient of two passes, by `error`."""
    assert trace.loss == pytest.approx(expected.loss, rel=BOUND, abs=1e-6)
    for one, other in zip(trace.records, expected.records, strict=True):
        assert (one.name, one.x.shape) == (other.name, other.x.shape)
        assert error(one.x, other.x) < BOUND
        assert error(one.y, other.y) < BOUND
        assert error(one.z, other.z) < BOUND
    for name, gradient in expected_gradients.items():
        assert error(gradients[name], gradient) < BOUND, name


@pytest.mark.parametrize("N", [1, 3, 8, 33])
@pytest.mark.parametrize("net", NETS)
def test_it_is_the_plain_formulas(net, N):
    model, plain = in_both_precisions(net, IMAGE)
    x, labels = drawn_batch(np.random.default_rng(N), N, IMAGE)
    trace, expected = recorded(model, x), plain.trace(x, training=True, rng=0)
    gradients = trace.backward(labels=labels), expected.backward(labels=labels)
    same_pass(trace, gradients[0], expected, gradients[1])


@settings(max_examples=15)
@given(st.data(), generators)
def test_so_it_is_for_drawn_networks(data, rng):
    def some(*choices):
        return data.draw(st.sampled_from(choices))

    N, image = some(1, 2, 5, 16), (some(9, 12), some(7, 8), some(1, 2, 5))
    sizes = (
        {"filters": some(1, 4, 17), "kernel": (some(1, 3, 5), some(1, 2)), "padding": 2,
         "stride": some(1, 2), "dilation": some(1, 2),
         "activation": some(None, "relu")},
        {"kernel": some(1, 2), "stride": some(1, 2)},
        {"filters": some(3, 16), "kernel": 2, "padding": 1, "activation": some(None, "relu")},
    )  # fmt: skip

    def make():
        first, pool, second = sizes
        return [Conv2D(**first), MaxPool2D(**pool), Conv2D(**second), Dense(3)]

    model, plain = in_both_precisions(make, image)
    x, _ = drawn_batch(rng, N, image)
    dy = rng.standard_normal((N, 3)).astype(np.float32)
    trace, expected = recorded(model, x, algorithm="direct"), plain.trace(x, training=True)
    gradients = trace.backward(dy)
    for name, gradient in expected.backward(dy).items():
        assert error(gradients[name], gradient) < BOUND, name


@pytest.mark.parametrize("net", NETS)
def test_the_bits_do_not_depend_on_threads(net):
    model = tc.Sequential(net(), IMAGE)
    x, labels = drawn_batch(np.random.default_rng(0), 90, IMAGE)
    results = []
    for threads in (1, 2, 3):
        with tc.use_threads(threads):
            for _ in range(3):
                trace = recorded(model, x)
                results.append((trace.y, trace.backward(labels=labels).flat))
    for y, gradients in results[1:]:
        np.testing.assert_array_equal(y, results[0][0])
        np.testing.assert_array_equal(gradients, results[0][1])


@pytest.mark.parametrize("net", NETS)
def test_it_gives_what_a_layer_after_the_other_gives(net):
    """With a layer's method replaced by one that does the same, the same bits come layer by layer."""
    model = tc.Sequential(net(), IMAGE)
    x, labels = drawn_batch(np.random.default_rng(1), 16, IMAGE)
    whole = recorded(model, x)
    gradients = whole.backward(labels=labels)
    forward = model.layers[0].forward
    model.layers[0].forward = lambda *given: forward(*given)
    one_by_one = model.trace(x, training=True, rng=0)
    assert not isinstance(one_by_one.records, LazyRecords)
    np.testing.assert_array_equal(one_by_one.backward(labels=labels).flat, gradients.flat)
    for one, other in zip(whole.records, one_by_one.records, strict=True):
        np.testing.assert_array_equal(one.x, other.x)
        np.testing.assert_array_equal(one.y, other.y)
        np.testing.assert_array_equal(one.z, other.z)
        np.testing.assert_equal(one.saved, other.saved)
        assert one.context == other.context
        np.testing.assert_equal(one.grads or {}, other.grads or {})  # before all parameters: none


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("activation", ["softmax", "relu", None])
def test_any_dy_goes_back_through_any_last_activation(activation, keep):
    def make():
        return [Dense(4, activation="relu"), Dense(3, activation=activation)]

    model, plain = in_both_precisions(make, (6,))
    rng = np.random.default_rng(2)
    x, dy = rng.standard_normal((5, 6)).astype(np.float32), rng.standard_normal((5, 3))
    trace, expected = recorded(model, x), plain.trace(x, training=True)
    gradients = trace.backward(dy, keep=keep)
    for name, gradient in expected.backward(dy, keep=True).items():
        assert error(gradients[name], gradient) < BOUND
    assert (trace.records[0].dx is not None) == keep
    if keep:
        assert error(trace.records[0].dx, expected.records[0].dx) < BOUND


def test_a_replaced_backward_is_called():
    model = tc.Sequential(lenet(), IMAGE)
    x, labels = drawn_batch(np.random.default_rng(3), 4, IMAGE)
    usual = recorded(model, x).backward(labels=labels)
    backward = model.layers[-1].backward

    def without_bias(*given):
        dx, gradients = backward(*given)
        return dx, {"W": gradients["W"], "b": np.zeros_like(gradients["b"])}

    model.layers[-1].backward = without_bias
    changed = model.trace(x, training=True, rng=0).backward(labels=labels)
    assert np.any(usual["dense3.b"])
    assert not np.any(changed["dense3.b"])


class Quiet(Dense):
    """A user's dense layer without gradients for its weights."""

    def backward(self, params, dz, saved, context):
        dx, gradients = super().backward(params, dz, saved, context)
        return dx, {name: np.zeros_like(gradient) for name, gradient in gradients.items()}


@pytest.mark.parametrize("layer", [Quiet(4), BatchNormalization()])
def test_other_layers_go_one_after_the_other(layer):
    model = tc.Sequential([layer, Dense(3)], (6,))
    x = np.ones((2, 6), np.float32)
    trace = model.trace(x, training=True, rng=0)
    assert not isinstance(trace.records, LazyRecords)
    gradients = trace.backward(np.ones((2, 3)))
    if isinstance(layer, Quiet):
        assert not np.any(gradients["dense1.W"])


@pytest.mark.parametrize("options", [{"training": False}, {"algorithm": "im2col"}])
def test_lessons_and_plain_formulas_go_layer_by_layer(options):
    model = tc.Sequential([Conv2D(3, 3), Dense(3)], IMAGE)
    trace = model.trace(np.zeros((1, *IMAGE)), **{"training": True, "rng": 0} | options)
    assert not isinstance(trace.records, LazyRecords)


def test_masks_are_those_of_the_key_and_the_sample():
    model = tc.Sequential([Dense(40), Dropout(0.5)], (3,))
    x = np.ones((6, 3), np.float32)
    whole, other = recorded(model, x), model.trace(x, training=True, rng=1)
    later = model.trace(x[2:], training=True, rng=0, first_sample=2)
    assert np.any(whole.records[1].saved != other.records[1].saved)
    np.testing.assert_array_equal(whole.records[1].saved[2:], later.records[1].saved)


@pytest.mark.parametrize("first", [-1, 2**63 - 1, 2**70])
def test_samples_that_cannot_be_counted_are_refused(first):
    model = tc.Sequential([Dense(4), Dropout(0.5)], (3,))
    with pytest.raises(ArgumentError, match="first_sample"):
        model.trace(np.ones((2, 3)), training=True, rng=0, first_sample=first)


@pytest.mark.parametrize("net", NETS)
def test_no_images(net):
    model = tc.Sequential(net(), IMAGE)
    trace = model.trace(np.zeros((0, *IMAGE)), training=True, rng=0)
    gradients = trace.backward(labels=[])
    assert trace.loss == 0
    assert not np.any(gradients.flat)


def test_a_pass_is_a_value():
    """What one pass gave is not written to by the next."""
    model = tc.Sequential(lenet(), IMAGE)
    rng = np.random.default_rng(4)
    traces = [recorded(model, drawn_batch(rng, 6, IMAGE)[0]) for _ in range(3)]
    before = [[record.y.copy() for record in trace.records] for trace in traces]
    gradients = [trace.backward(labels=[0, 1, 2, 3, 4, 0]) for trace in traces]
    for trace, arrays in zip(traces, before, strict=True):
        for record, y in zip(trace.records, arrays, strict=True):
            np.testing.assert_array_equal(record.y, y)
    again = [trace.backward(labels=[0, 1, 2, 3, 4, 0]) for trace in reversed(traces)]
    for one, other in zip(gradients, reversed(again), strict=True):
        np.testing.assert_array_equal(one.flat, other.flat)


def test_records_hold_the_gradients_whenever_they_are_asked_for():
    model = tc.Sequential(lenet(), IMAGE)
    x, labels = drawn_batch(np.random.default_rng(5), 4, IMAGE)
    trace = recorded(model, x)
    early = trace["conv1"]
    gradients = trace.backward(labels=labels)
    for record in (early, trace["dense1"]):
        np.testing.assert_array_equal(record.grads["W"], gradients[f"{record.name}.W"])
        assert record.dx is record.dy is None
    assert [record.name for record in trace.records[:2]] == ["conv1", "pool1"]
    assert trace.records[-1] is trace.records[len(trace.records) - 1]


def test_a_step_makes_it_stale():
    model = tc.Sequential(lenet(), IMAGE)
    x, labels = drawn_batch(np.random.default_rng(6), 4, IMAGE)
    trace = recorded(model, x)
    SGD(model).step(trace.backward(labels=labels))
    with pytest.raises(StaleTraceError):
        trace.backward(labels=labels)


def test_inside_an_edit_it_goes_layer_by_layer():
    model = tc.Sequential(lenet(), IMAGE)
    x, labels = drawn_batch(np.random.default_rng(7), 4, IMAGE)
    with model.edit() as parameters:
        trace = model.trace(x, training=True, rng=0)
        assert not isinstance(trace.records, LazyRecords)
        parameters["dense1.W"][0] += 1
        with pytest.raises(StaleTraceError):
            trace.backward(labels=labels)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_records_are_copied(copied):
    trace = recorded(
        tc.Sequential(lenet(), IMAGE), drawn_batch(np.random.default_rng(8), 2, IMAGE)[0]
    )
    for one, other in zip(trace.records, copied(trace.records), strict=True):
        np.testing.assert_array_equal(one.y, other.y)
