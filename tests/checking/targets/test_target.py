"""Targets: what is copied, drawn, named and refused, and that models move as their own trace does."""

import re
from functools import partial

import numpy as np
import pytest
from small_nets import images, plain_net

import tinycnn as tc
from tinycnn.checking import as_target, explain
from tinycnn.errors import ArgumentError, DTypeError, ShapeError, TinyCNNError, UnknownNameError
from tinycnn.initializers import Constant
from tinycnn.layers import Conv2D, Dense, Dropout, Layer, MaxPool2D


def product(x, W):
    return x @ W


def product_backward(dy, x, W):
    return dy @ W.T, x.T @ dy


# ------------------------------------------------------------------------------------------ pairs


def test_a_pair_names_its_arrays_by_the_signature():
    target = as_target((product, product_backward), np.ones((2, 3)), np.ones((3, 4)))
    assert target.name == "pair product, product_backward"
    assert list(target.arrays) == ["x", "W"] == list(target.wrt)
    assert target.forward(target.arrays).shape == (2, 4)
    gradients = target.backward(np.ones((2, 4)), target.arrays)
    np.testing.assert_array_equal(gradients["W"], np.full((3, 4), 2.0))


def test_what_has_no_names_is_counted():
    target = as_target((lambda *arrays: arrays[0], lambda dy, *arrays: (dy, None)), [1.0], [2.0])
    assert list(target.arrays) == ["array 0", "array 1"]


def test_arrays_are_copied_to_float64_and_in_order():
    given = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    kept = as_target((np.sin, lambda dy, x: dy), given).arrays["x"]
    assert kept.dtype == np.float64 and kept.flags.c_contiguous and kept.flags.writeable
    assert not np.shares_memory(kept, given)
    np.testing.assert_array_equal(kept, given)


def test_integers_stay_integers_and_are_not_checked():
    target = as_target((lambda z, labels: z, lambda dy, z, labels: (dy, None)), [[1.0]], [0])
    assert target.arrays["labels"].dtype.kind == "i"
    assert target.wrt == ("z",)
    with pytest.raises(DTypeError, match="labels holds int64 and cannot be moved"):
        as_target((lambda z, labels: z, lambda *_: None), [1.0], [0], wrt="labels")


def test_numbers_as_results_become_arrays():
    target = as_target((lambda x: float(x.sum()), lambda dy, x: dy * np.ones_like(x)), [1.0, 2.0])
    assert target.forward(target.arrays).shape == ()


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (lambda dy, x, W: dy, "must return a tuple of gradients (dx, dW), got ndarray"),
        (
            lambda dy, x, W: (dy,),
            "a gradient for each of x, W (None: not differentiable), 2 in all",
        ),
    ],
)
def test_a_backward_of_another_form_is_told_what_is_expected(result, text):
    target = as_target((product, result), np.ones((2, 3)), np.ones((3, 4)))
    with pytest.raises(ArgumentError) as caught:
        target.backward(np.ones((2, 4)), target.arrays)
    assert text in str(caught.value)


# ---------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: as_target(np.sin, [1.0]), ArgumentError, "a layer, a model, or a pair"),
        (lambda: as_target((np.sin, np.cos)), ArgumentError, "needs the arrays"),
        (lambda: as_target((np.sin, np.cos), [1, 2]), ArgumentError, "nothing to move: x hold int"),
        (lambda: as_target((np.sin, np.cos), [np.nan]), ArgumentError, "x holds NaN or infinity"),
        (lambda: as_target((np.sin, np.cos), [1j]), DTypeError, "x must hold real numbers"),
        (lambda: as_target((np.sin, np.cos), [1.0], wrt="y"), UnknownNameError, "there are x"),
        (
            lambda: as_target((np.sin, np.cos), [1.0], wrt=[]),
            ArgumentError,
            "must name an array: x",
        ),
        (
            lambda: as_target((np.sin, np.cos), [1.0], wrt=np.array(2)),
            ArgumentError,
            "wrt must be names of arrays, got array(2)",
        ),
        (lambda: as_target(Dense(2)), ArgumentError, "takes one array, its input x, got 0"),
        (lambda: as_target(Dense(2), np.ones(3)), ShapeError, "a batch axis"),
        (lambda: as_target(Conv2D(2, 3), np.ones((1, 2, 2, 1))), ShapeError, "conv (Conv2D): "),
        (lambda: as_target(Dense(2), np.ones((1, 3)), labels=[0]), ArgumentError, "is for models"),
    ],
)
def test_mistakes_are_refused_with_a_remedy(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert text in str(caught.value).replace("array 0", "x")


@pytest.mark.parametrize(
    "labels",
    [
        np.ma.masked_equal([0, 1], 1),
        [0, 7],
        [0, -1],
        [0],
        [[0], [1]],
        [0.0, 1.0],
        [True, False],
        [0, 2**80],
        "abc",
        {"a": 1},
        np.array([0, None]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("check", [tc.gradcheck, as_target, partial(explain, where="dense1.b[0]")])
def test_bad_labels_raise_what_a_pass_raises_for_them(check, labels):
    model, x = plain_net(), images(2)
    with pytest.raises(TinyCNNError) as expected:
        model.trace(x).backward(labels=labels)
    with pytest.raises(type(expected.value), match=f"^{re.escape(str(expected.value))}$"):
        check(model, x, labels=labels)


def test_labels_of_a_model_without_classes_are_refused():
    model = tc.Sequential([Conv2D(2, 3)], (5, 5, 1))
    with pytest.raises(ShapeError, match=r"logits must have the axes \(N, F\)"):
        tc.gradcheck(model, images(2, (5, 5, 1)), labels=[0, 1])


# ------------------------------------------------------------------------------------------ layers


def test_a_layers_parameters_are_drawn_and_constants_varied():
    layer = Conv2D(3, 2, weight_initializer=Constant(2.0), name="first")
    target = as_target(layer, np.ones((2, 4, 4, 2)), rng=1)
    assert target.name == "Conv2D first"
    assert {name: array.shape for name, array in target.arrays.items()} == {
        "x": (2, 4, 4, 2), "W": (2, 2, 2, 3), "b": (3,),
    }  # fmt: skip
    for name in ("W", "b"):
        assert len(np.unique(target.arrays[name])) == target.arrays[name].size
    again = as_target(layer, np.ones((2, 4, 4, 2)), rng=1)
    np.testing.assert_array_equal(again.arrays["W"], target.arrays["W"])


def test_a_layer_of_a_model_can_be_checked_alone_and_is_not_touched():
    model = plain_net()
    layer = model.layers[0]
    name = layer.name
    target = as_target(layer, images(1))
    target.forward(target.arrays)
    assert layer.name == name


def test_dropout_is_replayed_with_one_mask():
    target = as_target(Dropout(0.5), np.ones((4, 50)), training=True, rng=3)
    first = target.forward(target.arrays)
    assert 0 < np.count_nonzero(first) < first.size
    np.testing.assert_array_equal(target.forward({"x": target.arrays["x"].copy()}), first)


class Other(Layer):
    def output_shape(self, input_shape):
        return (7,)

    def forward(self, params, x, context):
        return x, None

    def backward(self, params, dy, saved, context):
        return dy, {"gain": dy}


def test_a_layer_that_breaks_its_own_promises():
    target = as_target(Other(), np.ones((2, 3)))
    with pytest.raises(
        ShapeError, match=r"returns shape \(2, 3\) where output_shape says \(2, 7\)"
    ):
        target.forward(target.arrays)
    with pytest.raises(ArgumentError, match="for each parameter by name, none, got 'gain'"):
        target.backward(np.ones((2, 3)), target.arrays)


# ------------------------------------------------------------------------------------------ models


def test_a_model_gives_the_numbers_of_its_own_trace():
    model = tc.Sequential(
        [Conv2D(3, 3, activation="relu"), MaxPool2D(2), Dropout(), Dense(4, activation="softmax")],
        (6, 6, 2),
        dtype="float64",
    )
    x = np.random.default_rng(0).standard_normal((2, 6, 6, 2))
    target = as_target(model, x, labels=[1, 3])
    trace = model.trace(x)
    gradients = trace.backward(labels=[1, 3], keep=True)
    assert float(target.forward(target.arrays)) == trace.loss
    found = target.backward(np.ones(()), target.arrays)
    assert list(found) == ["x", *gradients] == list(target.wrt)
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(found[name], gradient)
    np.testing.assert_array_equal(found["x"], trace.records[0].dx)
    assert target.scalar and target.expensive and target.transparent
    assert target.places == ("conv1's ReLU", "pool1's maximum")


@pytest.mark.parametrize("name", ["x", "conv1.W", "conv1.b", "dense1.W", "dense1.b"])
def test_a_pass_from_the_middle_is_the_whole_pass(name):
    """Layers ahead of the array that moved are not run again."""
    model = plain_net()
    x = images(2)
    target = as_target(model, x)
    moved = {**target.arrays, name: target.arrays[name] + 0.5}
    y = target.forward(moved)
    everything = {key: array.copy() for key, array in moved.items()}
    np.testing.assert_array_equal(y, target.forward(everything))
    assert not np.array_equal(y, target.forward(target.arrays))


def test_the_users_model_is_never_touched():
    model = plain_net()
    before = {name: array.copy() for name, array in model.parameters().items()}
    target = as_target(model, images(1))
    target.arrays["conv1.W"][...] = 0
    assert model.version == 0 and model.dtype == np.float32
    for name, array in model.parameters().items():
        np.testing.assert_array_equal(array, before[name])


def test_the_rough_pass_is_in_float32():
    model = plain_net()
    target = as_target(model, images(1))
    y = target.single(target.arrays)
    np.testing.assert_array_equal(y, model.trace(images(1)).y)


class Own(Layer):
    stem = "own"

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return np.abs(x), x

    def backward(self, params, dy, saved, context):
        return dy * np.sign(saved), {}


def test_a_layer_of_the_users_own_makes_the_model_opaque():
    model = tc.Sequential([Dense(3, activation="relu"), Own()], (2,))
    target = as_target(model, np.ones((1, 2)))
    assert target.opaque and not target.transparent
    assert target.places == ("dense1's ReLU",)
