"""The algorithm of a model's convolutions: who may say it, and what it changes."""

import copy
import pickle

import numpy as np
import pytest
from drawn_convolutions import counted

import tinycnn as tc
from tinycnn import ops
from tinycnn.errors import ArgumentError
from tinycnn.layers import Conv2D, Dense
from tinycnn.ops.convolution.choice import IMPLEMENTATIONS
from tinycnn.validation import ALGORITHMS

TYPO = (
    r"algorithm must be one of .*'auto', 'im2col', 'direct', 'grouped', 'winograd', 'reference', "
    r"got 'typo'"
)


def net(*own, **options):
    """Two convolutions that Winograd's algorithm is fastest at, each with its ``own`` algorithm."""
    layers = [Conv2D(64, 3, padding=1, algorithm=algorithm) for algorithm in own or ("auto",) * 2]
    return tc.Sequential(layers, (32, 32, 64), **options)


def whole_numbers(model, rng, count=2):
    """Images and weights of 0 and 1: float32 counts them without rounding."""
    with model.edit() as parameters:
        for array in parameters.values():
            array[...] = rng.integers(0, 2, array.shape) if array.ndim > 1 else 0
    return rng.integers(0, 2, (count, *model.input_shape)).astype(np.float32)


def test_the_names_are_those_of_what_there_is():
    assert set(ALGORITHMS) == {"auto", *IMPLEMENTATIONS}


def test_a_typo_is_refused_at_once():
    x = np.zeros((0, 32, 32, 64), np.float32)
    dense = tc.Sequential([Dense(3)], (5,))
    for call in (
        lambda: Conv2D(4, 3, algorithm="typo"),
        lambda: net(algorithm="typo"),
        lambda: tc.alexnet(variant="mini", algorithm="typo"),
        lambda: net().predict(x, algorithm="typo"),
        lambda: net().trace(x, algorithm="typo"),
        lambda: dense.predict(np.zeros((1, 5)), algorithm="typo"),  # no convolution needs it
        lambda: dense.trace(np.zeros((1, 5)), algorithm="typo"),
        lambda: ops.conv2d(x, np.zeros((3, 3, 64, 1)), algorithm="typo"),
    ):
        with pytest.raises(ArgumentError, match=TYPO):
            call()
    with pytest.raises(ArgumentError, match="got None"):
        Conv2D(4, 3, algorithm=None)


@pytest.mark.parametrize(
    ("own", "of_model", "of_call", "ran"),
    [
        (("auto", "im2col"), None, None, ("winograd", "im2col")),
        (("winograd", "im2col"), "direct", None, ("direct", "direct")),
        (("winograd", "im2col"), "direct", "im2col", ("im2col", "im2col")),
        (("im2col", "direct"), "im2col", "auto", ("winograd", "winograd")),
        (("im2col", "direct"), "auto", None, ("winograd", "winograd")),
        (("im2col", "auto"), None, "reference", ("reference", "reference")),
    ],
)
def test_a_call_comes_before_the_model_and_the_model_before_its_layers(
    own, of_model, of_call, ran, rng
):
    model = net(*own, algorithm=of_model)
    x = rng.standard_normal((1, 32, 32, 64)).astype(np.float32)
    with counted() as counts:
        traced = model.trace(x, algorithm=of_call)
    assert counts == {name: ran.count(name) for name in ran}
    with counted() as counts:
        predicted = model.predict(x, algorithm=of_call)
    # These two run from recorded calls, and pass by no op.
    recorded = {"winograd", "direct", "grouped"}
    assert counts == {name: ran.count(name) for name in set(ran) - recorded}
    np.testing.assert_array_equal(predicted, traced.y)


@pytest.mark.parametrize("algorithm", ["im2col", "direct", "reference"])
def test_counts_are_exact_without_winograd(algorithm, rng):
    model = net()
    x = whole_numbers(model, rng)
    first, second = (np.float64(model.parameters()[f"conv{i}.W"]) for i in (1, 2))
    exact = ops.conv2d(ops.conv2d(np.float64(x), first, padding=1), second, padding=1)
    assert not np.array_equal(model.predict(x), exact)  # "auto": the door says what it costs
    np.testing.assert_array_equal(model.predict(x, algorithm=algorithm), exact)
    np.testing.assert_array_equal(model.trace(x, algorithm=algorithm).y, exact)


def test_an_impulse_stays_in_its_windows_without_winograd():
    x = np.zeros((1, 32, 32, 64), np.float32)
    x[0, 8, 8, 3] = 1
    for model, within in ((net(), False), (net(algorithm="im2col"), True)):
        for y in (model.predict(x), model.trace(x).y):
            cells = {tuple(cell) for cell in np.argwhere(y[0].any(axis=2))}
            seen = {(h, w) for h in range(6, 11) for w in range(6, 11)}
            assert (cells == seen) == within
            assert seen <= cells


def test_gradients_of_what_is_not_negative_are_not_negative_without_winograd(rng):
    model = net()
    x = whole_numbers(model, rng)
    dy = (rng.random((2, 32, 32, 64)) < 0.0002).astype(np.float32)
    for algorithm, exact in ((None, False), ("im2col", True)):
        trace = model.trace(x, algorithm=algorithm)
        trace.backward(dy)
        assert (trace.records[0].dx.min() >= 0) == exact


def test_calls_with_different_algorithms_leave_each_other_alone(rng):
    model = net()
    x = rng.standard_normal((3, 32, 32, 64)).astype(np.float32)
    names = (None, "im2col", "direct", "winograd", "im2col", None, "direct")
    for algorithm in names:
        predicted = model.predict(x, algorithm=algorithm)
        np.testing.assert_array_equal(predicted, model.trace(x, algorithm=algorithm).y)


def test_what_an_algorithm_does_not_take_is_refused_by_the_layers_name(rng):
    model = tc.Sequential([Conv2D(4, 4, name="odd")], (9, 9, 3), algorithm="winograd")
    for run in (model.predict, model.trace):
        with pytest.raises(ArgumentError, match=r'odd .*: algorithm="winograd" does not apply'):
            run(rng.standard_normal((1, 9, 9, 3)))


def test_copies_and_pickles_keep_the_models_algorithm(rng):
    model = net(algorithm="im2col")
    x = whole_numbers(model, rng)
    expected = model.predict(x)
    for twin in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.algorithm == "im2col"
        np.testing.assert_array_equal(twin.predict(x), expected)


def test_alexnet_takes_one_too():
    assert tc.alexnet(variant="mini").algorithm is None
    assert tc.alexnet(variant="mini", algorithm="im2col").algorithm == "im2col"


@pytest.fixture
def rng():
    return np.random.default_rng(0)
