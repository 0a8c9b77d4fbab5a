"""Traces: what each record holds, the gradients, dropout's masks, and what is refused."""

import copy
import math
import pickle
import re

import numpy as np
import pytest
from drawn_convolutions import formula, gradients
from small_nets import (
    IMAGE,
    Scale,
    errors_of_gradients,
    every_layer,
    images,
    plain_net,
    whole_net,
    without_dense_maps,
)

import tinycnn as tc
from tinycnn.errors import (
    ArgumentError,
    DTypeError,
    ShapeError,
    StaleTraceError,
    UnknownNameError,
)
from tinycnn.kernels import reference
from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.optimizers import SGD
from tinycnn.testing.strategies import Convolution, SlidingWindow


def net(*layers, shape=(6, 5, 4), **options):
    return tc.Sequential(layers, shape, **{"dtype": "float64"} | options)


def traced(*layers, shape=(6, 5, 4), N=2, **options):
    """A trace, and the gradient that it carried back from a random dy."""
    model = net(*layers, shape=shape)
    trace = model.trace(images(N, shape, dtype=np.float64), **options)
    dy = np.random.default_rng(9).standard_normal(trace.y.shape)
    return trace, trace.backward(dy, keep=True), dy


def same(value, expected):
    np.testing.assert_array_equal(value, expected, strict=True)


def close(value, expected):
    np.testing.assert_allclose(value, expected, rtol=1e-13, atol=1e-13)


# ------------------------------------------------------------------------------------ the records


def test_records_follow_the_layers():
    model, x = whole_net(), images(2)
    trace = model.trace(x)
    assert [record.name for record in trace.records] == [layer.name for layer in model.layers]
    assert [record.layer for record in trace.records] == list(model.layers)
    assert np.shares_memory(trace.x, x)
    assert np.shares_memory(trace.records[0].x, x)
    for before, after in zip(trace.records, trace.records[1:], strict=False):
        same(after.x, before.y)
    assert trace.y is trace.records[-1].y
    assert trace.loss is None
    for record in trace.records:
        assert trace[record.name] is record
        assert (record.dy, record.dz, record.dx, record.grads) == (None, None, None, None)
        assert set(record.params) == {
            name.partition(".")[2]
            for name in model.parameter_shapes()
            if name.startswith(f"{record.name}.")
        }
    for name, values in model.parameters().items():
        layer, _, parameter = name.partition(".")
        assert np.shares_memory(trace[layer].params[parameter], values)


def test_an_unknown_layer():
    message = "no layer is named 'fc9'; there are conv1, pool1, dense1"
    with pytest.raises(UnknownNameError, match=message):
        plain_net().trace(images(1))["fc9"]


def test_after_backward_every_record_holds_its_gradients():
    trace = whole_net(dtype="float64").trace(images(2))
    gradients = trace.backward(np.ones((2, 5)))
    for before, after in zip(trace.records, trace.records[1:], strict=False):
        same(before.dy, after.dx)
    for record in trace.records:
        assert record.dy.shape == record.y.shape
        assert record.dz.shape == record.y.shape
        assert record.dx.shape == record.x.shape
        assert set(record.grads) == set(record.params)
        for name, values in record.grads.items():
            assert np.shares_memory(values, gradients[f"{record.name}.{name}"])
            assert values.shape == record.params[name].shape
    assert list(gradients) == list(trace.model.parameters())


def convolution(size, filters, stride=(1, 1), padding=0, dilation=(1, 1), groups=1, **options):
    """A 3 x 3 convolution of the images of `traced`, for the formula."""
    pads = ((padding, padding), (padding, padding))
    geometry = SlidingWindow((2, 6, 5, 4), (3, 3), stride, pads, dilation, size)
    return Convolution(geometry, filters, groups, True, **{"activation": None} | options)


def test_a_convolution_with_relu():
    trace, found, dy = traced(Conv2D(3, 3, padding=1, stride=2, activation="relu"))
    case = convolution((3, 3), 3, stride=(2, 2), padding=1)
    (record,) = trace.records
    W, b = record.params["W"], record.params["b"]
    close(record.z, formula(record.x, W, b, case))
    same(record.y, np.maximum(record.z, 0))
    same(record.dy, dy)
    same(record.dz, np.where(record.z > 0, dy, 0))
    dx, dW, db = gradients(record.dz, record.x, W, record.z, case)
    for ours, expected in [(record.dx, dx), (found["conv1.W"], dW), (found["conv1.b"], db)]:
        close(ours, expected)
    same(record.grads["W"], found["conv1.W"])


def test_a_convolution_without_activation():
    trace, _, dy = traced(Conv2D(4, 3, groups=2, dilation=2))
    case = convolution((2, 1), 4, dilation=(2, 2), groups=2)
    (record,) = trace.records
    W, b = record.params["W"], record.params["b"]
    same(record.z, record.y)
    same(record.dz, dy)
    close(record.y, formula(record.x, W, b, case))
    close(record.dx, gradients(dy, record.x, W, record.y, case)[0])


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def softmax_gradient(dy, y):
    """dz_i = y_i (dy_i - the sum over j of dy_j y_j)."""
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("activation", [None, "relu", "softmax"])
def test_dense(activation):
    trace, found, dy = traced(Dense(5, activation=activation))
    (record,) = trace.records
    W, b = record.params["W"], record.params["b"]
    flat = record.x.reshape(2, -1)
    z = flat @ W + b
    close(record.z, z)
    close(record.y, {None: z, "relu": np.maximum(z, 0), "softmax": softmax(z)}[activation])
    same(record.dy, dy)
    dz = {
        None: dy,
        "relu": np.where(z > 0, dy, 0),
        "softmax": softmax_gradient(dy, softmax(z)),
    }[activation]
    close(record.dz, dz)
    close(record.dx, (dz @ W.T).reshape(record.x.shape))
    close(found["dense1.W"], flat.T @ dz)
    close(found["dense1.b"], dz.sum(axis=0))


def test_relu_as_a_layer():
    trace, _, dy = traced(ReLU())
    (record,) = trace.records
    same(record.z, record.x)
    same(record.y, np.maximum(record.x, 0))
    same(record.dz, np.where(record.x > 0, dy, 0))
    same(record.dx, record.dz)


def test_softmax_as_a_layer():
    trace, _, dy = traced(Softmax())
    (record,) = trace.records
    same(record.z, record.x)
    close(record.y, softmax(record.x))
    close(record.dz, softmax_gradient(dy, softmax(record.x)))
    same(record.dx, record.dz)


def test_max_pool():
    trace, _, dy = traced(MaxPool2D(3, stride=2, padding=1, ceil_mode=True))
    (record,) = trace.records
    window = (3, 3), (2, 2), (1, 1), (1, 1)
    y, winner, dx = np.empty((2, 4, 3, 4)), np.empty((2, 4, 3, 4), int), np.empty((2, 6, 5, 4))
    reference.max_pool2d(record.x, 0, 2 * 4, *window, y, winner)
    reference.max_pool2d_backward(dy, winner, 0, 2, *window, dx)
    same(record.y, y)
    same(record.z, y)
    same(record.dz, dy)
    close(record.dx, dx)


def test_average_pool():
    trace, _, dy = traced(AveragePool2D((3, 2), padding=1, count_include_pad=False))
    (record,) = trace.records
    window = (3, 2), (3, 2), (1, 1), (7, 6), False
    y, dx = np.empty((2, 2, 3, 4)), np.empty((2, 6, 5, 4))
    reference.avg_pool2d(record.x, 0, 2 * 2, *window, y)
    reference.avg_pool2d_backward(dy, 0, 2, *window, dx)
    close(record.y, y)
    close(record.dx, dx)


@pytest.mark.parametrize(("alpha_over_size", "a"), [(False, 0.5), (True, 0.5 / 3)])
def test_local_response_norm(alpha_over_size, a):
    options = {"size": 3, "alpha": 0.5, "alpha_over_size": alpha_over_size}
    trace, _, dy = traced(LocalResponseNorm(**options))
    (record,) = trace.records
    x, y, dx = record.x.reshape(60, 4), np.empty((60, 4)), np.empty((60, 4))
    reference.local_response_norm(x, 0, 60, 3, a, 0.75, 2.0, y)
    reference.local_response_norm_backward(dy.reshape(60, 4), x, 0, 60, 3, a, 0.75, 2.0, dx)
    close(record.y, y.reshape(2, 6, 5, 4))
    close(record.dx, dx.reshape(2, 6, 5, 4))


def test_flatten():
    trace, _, dy = traced(Flatten())
    (record,) = trace.records
    same(record.y, record.x.reshape(2, 120))
    same(record.dx, dy.reshape(2, 6, 5, 4))


def test_dropout_in_training():
    trace, _, dy = traced(ReLU(), Dropout(0.3), training=True, rng=11)
    record = trace["dropout1"]
    mask = np.empty((2, 120), bool)
    reference.dropout_mask(11, 1, 0, 0, 2, round(0.3 * 2**32), mask)
    mask = mask.reshape(2, 6, 5, 4)
    close(record.y, np.where(mask, record.x / 0.7, 0))
    close(record.dx, np.where(mask, dy / 0.7, 0))
    assert 0.5 < mask.mean() < 0.9


def test_dropout_is_off_unless_training():
    trace, _, dy = traced(Dropout(0.3), rng=11)
    same(trace.y, trace.x)
    same(trace.records[0].dx, dy)


# ------------------------------------------------------------------------------------- the labels


@pytest.mark.parametrize("last", [[Dense(4, activation="softmax")], [Dense(4), Softmax()]])
def test_labels_are_the_softmaxs_jacobian_and_the_logarithm_in_one_step(last):
    model = tc.Sequential([Conv2D(3, 3, activation="relu"), *last], (5, 5, 2), dtype="float64")
    x, labels = images(6, (5, 5, 2), dtype=np.float64), np.array([0, 3, 1, 1, 2, 0])
    by_labels, by_dy = model.trace(x), model.trace(x)
    gradients = by_labels.backward(labels=labels)
    p, onehot = by_dy.y, np.eye(4)[labels]
    expected = by_dy.backward(-onehot / (6 * p))
    np.testing.assert_allclose(gradients.flat, expected.flat, rtol=0, atol=1e-14)
    np.testing.assert_allclose(by_labels.records[0].dx, by_dy.records[0].dx, rtol=0, atol=1e-14)
    assert by_labels.loss == pytest.approx(-np.log(p[range(6), labels]).mean(), rel=1e-14)
    assert by_dy.loss is None
    # What the lesson shows: (p - onehot) / N before the softmax, and no gradient behind it.
    last_record = by_labels.records[-1]
    np.testing.assert_allclose(last_record.dz, (p - onehot) / 6, rtol=0, atol=1e-15)
    assert last_record.dy is None


def test_without_a_softmax_the_output_is_the_logits():
    model = net(Dense(4), shape=(3,))
    trace = model.trace(images(5, (3,), dtype=np.float64))
    trace.backward(labels=[0, 1, 2, 3, 0])
    p, onehot = softmax(trace.y), np.eye(4)[[0, 1, 2, 3, 0]]
    assert trace.loss == pytest.approx(-np.log(p[onehot == 1]).mean(), rel=1e-13)
    close(trace.records[0].dy, (p - onehot) / 5)
    same(trace.records[0].dz, trace.records[0].dy)


def test_the_loss_of_a_certain_mistake_is_finite():
    model = net(Dense(2, activation="softmax"), shape=(1,))
    with model.edit() as p:
        p["dense1.W"] = [[1000, -1000]]
        p["dense1.b"][...] = 0
    trace = model.trace([[1.0]])
    same(trace.y, np.array([[1.0, 0.0]]))
    trace.backward(labels=[1])
    assert trace.loss == 2000
    same(trace.records[-1].dz, np.array([[1.0, -1.0]]))


def test_chance_loses_the_logarithm_of_the_classes():
    model = net(Dense(1000, activation="softmax", weight_initializer=tc.initializers.Constant()))
    trace = model.trace(images(2, (6, 5, 4)))
    trace.backward(labels=[0, 999])
    assert trace.loss == pytest.approx(math.log(1000))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ArgumentError, "backward takes either dy or labels"),
        (
            {"dy": np.ones((2, 5)), "labels": [0, 1]},
            ArgumentError,
            "backward takes either dy or labels",
        ),
        (
            {"dy": np.ones((2, 4))},
            ShapeError,
            "dy must have shape (2, 5) (the shape of trace.y), got shape (2, 4)",
        ),
        ({"dy": np.ones(5)}, ShapeError, "dy must have shape (2, 5)"),
        ({"dy": np.ones((2, 5), complex)}, DTypeError, "dy must hold real numbers"),
        (
            {"labels": [0, 5]},
            ArgumentError,
            "labels must lie in 0 .. 4 for 5 classes, got 5 at ind",
        ),
        ({"labels": [-1, 0]}, ArgumentError, "labels must lie in 0 .. 4"),
        ({"labels": [0]}, ShapeError, "labels must have shape (2,)"),
        ({"labels": [0.0, 1.0]}, DTypeError, "labels must be integers"),
    ],
)
def test_what_cannot_be_carried_back(arguments, error, message):
    trace = plain_net().trace(images(2))
    with pytest.raises(error, match=re.escape(message)):
        trace.backward(**arguments)
    assert trace.loss is None
    trace.backward(labels=[0, 1])


def test_dy_is_left_alone():
    trace = whole_net(dtype="float64").trace(images(2))
    dy = np.random.default_rng(0).standard_normal((2, 5))
    before = dy.copy()
    trace.backward(dy)
    same(dy, before)


def test_no_images_lose_nothing():
    for model in (plain_net(), whole_net()):
        trace = model.trace(images(0), training=True, rng=0)
        gradients = trace.backward(labels=[])
        assert trace.loss == 0.0
        assert not gradients.flat.any()


# ---------------------------------------------------------------------------- keeping and reusing


def held(trace):
    return [r.name for r in trace.records if any(a is not None for a in (r.dy, r.dz, r.dx))]


def test_gradients_are_kept_unless_training():
    model = plain_net()
    names = [layer.name for layer in model.layers]
    for training, keep, expected in [
        (False, None, names),
        (True, None, []),
        (True, True, names),
        (False, False, []),
    ]:
        trace = model.trace(images(2), training=training, rng=0)
        trace.backward(labels=[0, 1], keep=keep)
        assert held(trace) == expected
        assert all(record.grads is not None for record in trace.records)
        # Another choice for the same trace leaves nothing over from the first.
        trace.backward(labels=[0, 1], keep=not expected)
        assert held(trace) == ([] if expected else names)


def test_nothing_is_carried_beyond_the_first_parameters_unless_kept():
    class Front(Layer):
        def output_shape(self, input_shape):
            return input_shape

        def forward(self, params, x, context):
            return x, None

        def backward(self, params, dy, saved, context):
            calls.append(context.need_dx)
            return dy, {}

    calls = []
    model = tc.Sequential([Front(), Conv2D(2, 3), Dense(2)], (4, 4, 1))
    model.trace(images(1, (4, 4, 1)), training=True, rng=0).backward(labels=[0])
    assert calls == []
    trace = model.trace(images(1, (4, 4, 1)))
    trace.backward(labels=[0])
    assert calls == [True]
    assert trace.records[0].dx is not None


def test_keeping_changes_no_bit():
    trace = whole_net().trace(images(3), training=True, rng=2)
    kept = trace.backward(labels=[0, 1, 2], keep=True).flat
    same(trace.backward(labels=[0, 1, 2], keep=False).flat, kept)


def test_backward_twice_gives_the_same_in_buffers_of_their_own():
    trace = whole_net().trace(images(3))
    first = trace.backward(labels=[0, 1, 2])
    expected = first.flat.copy()
    other = trace.backward(np.ones((3, 5)))
    assert not np.shares_memory(first.flat, other.flat)
    assert (other.flat != expected).any()
    same(first.flat, expected)
    same(trace.backward(labels=[0, 1, 2]).flat, expected)


def test_an_earlier_result_is_used_again():
    model = whole_net()
    trace, other = model.trace(images(3)), model.trace(images(3, seed=1))
    expected = trace.backward(labels=[0, 1, 2]).flat.copy()
    out = other.backward(labels=[0, 1, 2])
    assert (out.flat != expected).any()
    out.flat[...] = np.nan  # nothing of what was there is used
    assert trace.backward(labels=[0, 1, 2], out=out) is out
    same(out.flat, expected)
    for copied in (copy.deepcopy(out), pickle.loads(pickle.dumps(out))):
        assert trace.backward(labels=[0, 1, 2], out=copied) is copied


def test_what_cannot_take_the_gradients():
    model = plain_net()
    trace = model.trace(images(2))
    swapped = tc.Sequential([Dense(5), Dense(5)], (5,))
    wrong = [
        dict(trace.backward(labels=[0, 1])),
        whole_net().trace(images(2)).backward(labels=[0, 1]),
        plain_net(dtype="float64").trace(images(2)).backward(labels=[0, 1]),
        swapped.parameters(),
        model.parameters(),
        SGD(model).velocities,
    ]
    for out in wrong:
        with pytest.raises(ArgumentError, match="out must be what an earlier backward of the same"):
            trace.backward(labels=[0, 1], out=out)


# ----------------------------------------------------------------------------------- stale traces


def changed_by_an_edit(model):
    with model.edit() as p:
        p["dense1.b"][0] += 1


def changed_by_an_optimizer(model):
    tc.optimizers.SGD(model).step(model.trace(images(1)).backward(labels=[0]))


def changed_by_a_failure(model):
    with pytest.raises(ZeroDivisionError), model.edit() as p:
        p["dense1.b"][0] += 1
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "change", [changed_by_an_edit, changed_by_an_optimizer, changed_by_a_failure]
)
def test_a_trace_goes_stale(change):
    model = plain_net()
    trace, dense = model.trace(images(2)), images(2)
    trace.backward(labels=[0, 1])
    y, z = trace.y.copy(), trace["dense1"].z.copy()
    change(model)
    message = (
        f"the model's parameters changed after this trace (version {trace.version}, now "
        f"{model.version}): its activations and the new weights do not belong together; make a "
        f"new trace"
    )
    for mixing in (
        lambda: trace.backward(labels=[0, 1]),
        lambda: trace["conv1"].z,  # would be worked out with the new weights
        lambda: trace["conv1"].params["W"],
    ):
        with pytest.raises(StaleTraceError, match=re.escape(message)):
            mixing()
    same(trace.y, y)
    same(trace["dense1"].z, z)  # a softmax's logits are kept
    assert set(trace["conv1"].params) == {"W", "b"}
    model.trace(dense).backward(labels=[0, 1])


def test_an_edit_makes_traces_stale_from_its_first_line_to_its_last():
    model = plain_net()
    before = model.trace(images(2))
    with model.edit() as p:
        with pytest.raises(StaleTraceError):
            before.backward(labels=[0, 1])
        inside = model.trace(images(2))
        inside.backward(labels=[0, 1])
        p["conv1.W"][...] *= 2
    with pytest.raises(StaleTraceError):
        inside.backward(labels=[0, 1])


def test_another_models_edit_concerns_nobody():
    model = plain_net()
    trace = model.trace(images(2))
    changed_by_an_edit(plain_net())
    trace.backward(labels=[0, 1])


# ---------------------------------------------------------------------------------------- dropout


def test_a_key_replays_its_masks():
    model, x = whole_net(), images(3)

    def y(**options):
        return model.trace(x, training=True, **options)["dropout1"].y.tobytes()

    assert y(rng=5) == y(rng=5)
    assert y(rng=5) != y(rng=6)
    assert y(rng=None) != y(rng=None)
    generators = [np.random.default_rng(1) for _ in range(2)]
    firsts = [y(rng=generator) for generator in generators]
    assert firsts[0] == firsts[1]
    assert y(rng=generators[0]) != firsts[0]
    # It is one draw, whatever the layers do with it.
    untouched = np.random.default_rng(1)
    untouched.integers(2**64, dtype=np.uint64)
    assert untouched.integers(99) == generators[1].integers(99)


def test_masks_follow_the_image_and_not_the_batch():
    model = net(Dropout(0.5), shape=(40,))
    x = np.ones((6, 40))
    whole = model.trace(x, training=True, rng=5, first_sample=100).y
    for first, last in [(0, 2), (2, 6), (5, 6)]:
        part = model.trace(x[first:last], training=True, rng=5, first_sample=100 + first).y
        same(part, whole[first:last])
    assert (whole != model.trace(x, training=True, rng=5).y).any()


def test_layers_have_masks_of_their_own():
    model = net(Dropout(0.5), Dropout(0.5), shape=(200,))
    trace = model.trace(np.ones((1, 200)), training=True, rng=5)
    first, second = (record.saved for record in trace.records)
    assert (first != second).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"first_sample": -1}, "first_sample must be at least 0, got -1"),
        ({"first_sample": 0.5}, "first_sample must be an int, got 0.5"),
        ({"training": True, "rng": -1}, "rng must be None, a numpy.random.Generator or an int"),
        ({"training": True, "rng": 2**64}, "rng must be None, a numpy.random.Generator or an int"),
        ({"training": True, "rng": "a"}, "rng must be None, a numpy.random.Generator or an int"),
        ({"algorithm": "fft"}, "algorithm must be one of None, 'auto'"),
    ],
)
def test_what_cannot_be_traced(options, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        plain_net().trace(images(1), **options)


def test_an_algorithm_may_be_chosen_for_one_trace():
    model = net(Conv2D(2, 3, activation="relu"), Conv2D(2, 2), shape=(5, 4, 2))
    x = images(1, (5, 4, 2), dtype=np.float64)
    plain, reference = model.trace(x), model.trace(x, algorithm="reference")
    for ours, expected in [
        (plain.y, reference.y),
        (plain["conv1"].z, reference["conv1"].z),
        (
            plain.backward(np.ones(plain.y.shape)).flat,
            reference.backward(np.ones(plain.y.shape)).flat,
        ),
    ]:
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-12)


# ------------------------------------------------------------------------------- gradients checked


LAYERS = {
    kind
    for name, kind in vars(tc.layers).items()
    if isinstance(kind, type) and issubclass(kind, Layer) and kind is not Layer and name[0] != "_"
}


def test_all_kinds_of_layers_are_known_here():
    assert {Conv2D, Dense, LocalResponseNorm, Softmax} < LAYERS
    assert len(LAYERS) >= 9


@pytest.mark.parametrize("seed", [0, 1])
def test_gradients_of_every_layer_are_slopes(seed):
    other = tc.Sequential(without_dense_maps(), IMAGE, dtype="float64", rng=seed)
    models = [whole_net(dtype="float64", rng=seed), other]
    assert {type(layer) for model in models for layer in model.layers} >= LAYERS
    for model in models:
        errors = errors_of_gradients(model, images(2, dtype=np.float64), seed=seed)
        assert set(errors) == {*model.parameters(), "x"}
        assert max(errors.values()) < 1e-7


def test_gradients_of_the_loss_are_slopes():
    model = whole_net(dtype="float64")
    x, labels = images(3, dtype=np.float64), [0, 4, 2]

    def loss():
        trace = model.trace(x, training=True, rng=3)
        gradients = trace.backward(labels=labels)
        return trace.loss, gradients

    direction = np.random.default_rng(0).standard_normal(len(model.parameters().flat))
    expected = np.vdot(loss()[1].flat, direction)
    moved = []
    for step in (1e-5, -2e-5):
        with model.edit() as p:
            p.flat[...] += step * direction
        moved.append(loss()[0])
    slope = (moved[0] - moved[1]) / 2e-5
    assert abs(slope - expected) < 1e-7 * abs(expected)


@pytest.mark.parametrize("where", ["dx", "scale"])
def test_the_check_catches_an_error_of_a_thousandth(where):
    class Wrong(Scale):
        def backward(self, params, dy, saved, context):
            dx, grads = super().backward(params, dy, saved, context)
            wrong = 1.001
            if where == "dx":
                return dx * wrong, grads
            return dx, {"scale": grads["scale"] * wrong}

    layers = [Wrong() if isinstance(layer, Scale) else layer for layer in every_layer()]
    model = tc.Sequential(layers, IMAGE, dtype="float64")
    errors = errors_of_gradients(model, images(2, dtype=np.float64))
    caught = {name for name, error in errors.items() if error > 1e-7}
    before = {"conv1.W", "conv1.b", "conv2.W", "conv2.b", "x"}
    assert caught == (before if where == "dx" else {"scale1.scale"})
