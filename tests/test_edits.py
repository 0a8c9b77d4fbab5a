"""Nothing derived outlives what it was derived from: edits, kept views, replaced methods, fixed layers."""

import copy
import gc
import inspect
import pickle
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inference_nets import BOUND, direct_net, in_float64, winograd_net
from small_nets import IMAGE, every_layer, images, plain_net, whole_net
from twins import error

import tinycnn as tc
from tinycnn import ownership
from tinycnn.errors import ArgumentError, StaleTraceError
from tinycnn.layers import Conv2D, Dense, Dropout, Flatten, Layer, LocalResponseNorm, MaxPool2D


def is_right(model, x):
    """Whether predict gives what the recorded pass in float64 gives, of the weights as they are now."""
    return error(model.predict(x), in_float64(model, x)) <= BOUND


def draw(view, seed):
    view[...] = 0.1 * np.random.default_rng(seed).standard_normal(view.shape)


# ------------------------------------------------------------------------------------ open edits


@pytest.mark.parametrize("net", [plain_net, whole_net, winograd_net, direct_net])
def test_predictions_inside_an_edit_see_every_write(net):
    model = net()
    x = images(2, model.input_shape)
    assert is_right(model, x)  # everything is packed once
    with model.edit() as p:
        for seed, name in enumerate(p):
            draw(p[name], seed)
            assert is_right(model, x)
    assert is_right(model, x)


def test_a_difference_quotient_written_by_hand():
    model, x = plain_net(dtype="float64"), images(3, dtype=np.float64)
    trace = model.trace(x)
    gradient = trace.backward(np.ones_like(trace.y) * np.arange(5))["dense1.W"][3, 1]
    with model.edit() as p:
        sums = []
        for step in (1e-5, -2e-5):
            p["dense1.W"][3, 1] += step
            sums.append((model.predict(x) * np.arange(5)).sum())
    assert (sums[0] - sums[1]) / 2e-5 == pytest.approx(gradient, rel=1e-6)


ACTIONS = st.lists(
    st.sampled_from(["open", "close", "write", "write a slice", "keep a slice", "drop", "step"]),
    max_size=12,
)


@given(ACTIONS, st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_whatever_happens_in_whatever_order_predictions_are_right(actions, seed):
    model, x = plain_net(rng=seed), images(2)
    edits, slices = [], []
    for count, action in enumerate(actions):
        if action == "open":
            edits.append(model.edit())
            edits[-1].arrays = edits[-1].__enter__()
        elif action == "close" and edits:
            edits.pop(seed % len(edits)).__exit__(None, None, None)
        elif action == "write" and edits:
            draw(edits[-1].arrays["conv1.W"], count)
        elif action == "write a slice" and slices:
            draw(slices[-1], count)
        elif action == "keep a slice" and edits:
            slices.append(edits[0].arrays["dense1.W"][::2])
        elif action == "drop":
            slices.clear()
        elif action == "step":
            gradients = model.trace(x).backward(labels=[0, 1])
            tc.optimizers.SGD(model, rate=0.1).step(gradients)
        assert is_right(model, x)
    edits.clear()
    slices.clear()
    assert not model.is_being_edited


def test_edits_in_several_threads_are_open_until_the_last_ends():
    model, x = plain_net(), images(2)
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with model.edit():
            entered.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(60)
    with model.edit() as p:
        p["dense1.b"][0] = 1
    assert model.is_being_edited
    with pytest.raises(ValueError, match="read-only"):
        p["dense1.b"][0] = 2
    leave.set()
    thread.join(60)
    assert not model.is_being_edited
    assert is_right(model, x)


# ------------------------------------------------------------------------------ views that are kept


def test_what_an_edit_gave_is_read_only_afterwards():
    model = plain_net()
    before = model.parameters().flat.copy()
    with model.edit() as p:
        view, flat = p["conv1.W"], p.flat
        with model.edit() as inner:
            pass
        with pytest.raises(ValueError, match="read-only"):
            inner["conv1.W"][...] = 5
        view[...] = before[: view.size].reshape(view.shape)
    for array in (view, flat, p["conv1.W"], p.flat, p["dense1.b"], view[0], flat[3:]):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 5
    with pytest.raises(
        ArgumentError, match=r"conv1\.W is read-only here; change parameters inside"
    ):
        p["conv1.W"] = np.zeros(view.shape)
    np.testing.assert_array_equal(model.parameters().flat, before)
    with model.edit() as again:
        again["conv1.W"][...] = 1
    assert (view == 1).all()  # it still shows the model's parameters


@pytest.mark.parametrize(
    "slice_of",
    [
        lambda p: p["conv1.W"][0],
        lambda p: p["conv1.W"].T,
        lambda p: p["conv1.W"].reshape(-1)[2:9],
        lambda p: p.flat[5:],
        lambda p: p["dense1.W"].view(),
        lambda p: p.of("dense1")["W"][1:][::2],
    ],
)
def test_a_slice_that_outlives_its_edit_may_be_written_and_is_seen(slice_of):
    model, x = plain_net(), images(2)
    with model.edit() as p:
        kept = slice_of(p)
    for seed in range(2):
        draw(kept, seed)
        assert is_right(model, x)
    assert model.is_being_edited
    del kept
    assert not model.is_being_edited
    assert is_right(model, x)


def test_reading_an_edits_arrays_keeps_nothing_open():
    model = plain_net()
    with model.edit() as p:
        held = [p, p.flat, dict(p), p["conv1.W"] + 1, p["conv1.W"][0].copy(), float(p.flat[0])]
    assert held
    assert not model.is_being_edited


def test_what_an_initializer_keeps_is_seen_too():
    kept = []

    def keep(out, rng):
        out[...] = rng.standard_normal(out.shape)
        kept.extend([out, out[1:]])

    model, x = tc.Sequential([Dense(3, weight_initializer=keep)], (4,)), images(2, (4,))
    assert is_right(model, x)
    with pytest.raises(ValueError, match="read-only"):
        kept[0][...] = 1
    draw(kept[1], 0)
    assert is_right(model, x)


def test_copies_made_in_an_edit_are_not_being_edited():
    model = plain_net()
    with model.edit() as p:
        twins = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
        p.flat[...] = 0
    for twin in twins:
        assert not twin.is_being_edited
        assert twin.parameters().flat.any()


# ------------------------------------------------------------------------------------------ traces


def test_a_trace_made_inside_an_edit_is_good_until_something_is_written():
    model, x = plain_net(dtype="float64"), images(2, dtype=np.float64)
    expected = plain_net(dtype="float64").trace(x).backward(labels=[0, 1]).flat
    with model.edit() as p:
        trace = model.trace(x)
        np.testing.assert_array_equal(trace.backward(labels=[0, 1]).flat, expected)
        p["conv1.b"][2] += 1e-9
        for use in (
            lambda: trace.backward(labels=[0, 1]),
            lambda: trace["conv1"].z,
            lambda: trace["conv1"].params["b"],
        ):
            with pytest.raises(StaleTraceError, match="b was written to after this trace, inside"):
                use()
        assert trace["dense1"].dx.any()  # refused before anything of the earlier one was dropped
        p["conv1.b"][2] -= 1e-9
        np.testing.assert_array_equal(trace.backward(labels=[0, 1]).flat, expected)
    with pytest.raises(StaleTraceError, match="the model's parameters changed after this trace"):
        trace.backward(labels=[0, 1])


# -------------------------------------------------------------------- what a model was made of


def taken(model):
    """The fixed attributes of each layer."""
    return [(layer, name) for layer in model.layers for name in vars(layer)]


def test_in_a_model_nothing_of_a_built_in_layer_can_be_changed():
    model, x = whole_net(), images(2)
    expected = model.predict(x)
    for layer, name in taken(model):
        value = getattr(layer, name)
        with pytest.raises(
            ArgumentError, match=rf"^{name} of <\w+ \w+.* is fixed, for the layer is"
        ):
            setattr(layer, name, 3)
        with pytest.raises(ArgumentError, match="build a new model of new layers"):
            delattr(layer, name)
        assert getattr(layer, name) is value
    np.testing.assert_array_equal(model.predict(x), expected)


def test_all_that_a_constructor_takes_is_fixed():
    fixed = {(type(layer), name) for layer, name in taken(whole_net())}
    kinds = [type(layer) for layer in every_layer() if type(layer).__module__ == Layer.__module__]
    assert {(kind, name) for kind in kinds for name in inspect.signature(kind).parameters} <= fixed


def test_a_layer_without_a_model_may_be_changed():
    layer = Conv2D(4, 3)
    layer.activation = "relu"
    model = tc.Sequential([layer], IMAGE)
    twin = copy.deepcopy(layer)
    twin.activation, twin.name = None, "free"
    assert layer.activation.name == "relu"
    del model
    layer.activation = None


def test_a_list_given_as_padding_may_be_changed_afterwards():
    padding = [[1, 1], [0, 2]]
    layers = [Conv2D(4, 3, padding=padding), MaxPool2D(3, padding=[1, 0])]
    model, x = tc.Sequential(layers, IMAGE), images(2)
    expected = model.predict(x)
    padding[0][0] = 0
    assert layers[0].padding == ((1, 1), (0, 2))
    np.testing.assert_array_equal(model.trace(x, algorithm="im2col").y.shape, expected.shape)
    assert is_right(model, x)


def test_the_options_of_a_normalisation_cannot_be_written():
    with pytest.raises(TypeError):
        LocalResponseNorm().options["size"] = 3


class Times(Layer):
    """A user's layer: y = factor * x, with the factor as an attribute, and a count of its calls."""

    factor = 1.0
    calls = 0

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        self.calls += 1
        return self.factor * x, self.factor

    def backward(self, params, dy, saved, context):
        return saved * dy, {}


def test_a_users_own_attributes_may_change_and_are_seen():
    layer = Times()
    model, x = tc.Sequential([layer], (3,)), images(2, (3,))
    for factor in (2.0, 3.0):
        layer.factor = factor
        np.testing.assert_array_equal(model.predict(x), np.float32(factor) * x)
    assert layer.calls == 2
    for name in ("name", "output_shape", "parameter_shapes"):
        with pytest.raises(ArgumentError, match="is fixed, for the layer is part of a model"):
            setattr(layer, name, "other")


def test_a_layer_derived_from_a_built_in_one_keeps_its_own_attributes_free():
    class Doubled(Dense):
        factor = 2.0

        def forward(self, params, x, context):
            y, saved = super().forward(params, x, context)
            return self.factor * y, saved

    layer = Doubled(3)
    model, x = tc.Sequential([layer], (4,)), images(2, (4,))
    twice = model.predict(x)
    layer.factor = 4.0
    np.testing.assert_array_equal(model.predict(x), 2 * twice)
    with pytest.raises(ArgumentError, match="units of <Doubled dense1"):
        layer.units = 4


@pytest.mark.parametrize("name", ["layers", "input_shape", "dtype"])
def test_what_a_model_is_made_of_is_fixed(name):
    model = plain_net()
    with pytest.raises(ArgumentError, match=f"a model's {name} is fixed, .* build a new model"):
        setattr(model, name, getattr(model, name))
    model.name = "another"
    model.shapes.clear()
    assert model.shapes[0] == IMAGE


# -------------------------------------------------------------------------- methods replaced later


@pytest.mark.parametrize("where", ["instance", "class"])
@pytest.mark.parametrize("kind", [Conv2D, MaxPool2D, Dropout, Flatten, Dense])
def test_predict_notices_a_replaced_forward(where, kind, monkeypatch):
    model, x = whole_net(), images(3)
    before = model.predict(x)
    layer = next(layer for layer in model.layers if type(layer) is kind)
    right = kind.forward

    def halved(self, params, x, context):
        y, saved = right(self, params, x, context)
        return y / 2, saved

    with monkeypatch.context() as patch:
        if where == "class":
            patch.setattr(kind, "forward", halved)
        else:
            patch.setattr(layer, "forward", halved.__get__(layer))
        assert error(model.predict(x), model.trace(x, algorithm="im2col").y) <= BOUND
        assert error(model.predict(x), before) > 1e-3
    np.testing.assert_array_equal(model.predict(x), before)


# ----------------------------------------------------------------------------- nothing is left over


def test_models_that_are_gone_leave_nothing():
    gc.collect()
    before = len(ownership._models)
    gc.disable()  # nothing of a model waits for a search for circles
    try:
        model = plain_net()
        model.predict(images(2))
        model.trace(images(2)).backward(labels=[0, 1])
        with model.edit() as p:
            p["dense1.b"][0] = 1
        layers, gone = model.layers, weakref.ref(model)
        assert len(ownership._models) == before + 3
        del model, p
        assert gone() is None
        assert len(ownership._models) == before
        assert tc.Sequential(layers, IMAGE).layers == layers
    finally:
        gc.enable()
    assert len(ownership._models) == before
