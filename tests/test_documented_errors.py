"""What is raised is what docstrings say: calls are put wrong, and the errors' names compared."""

import inspect
import re
import warnings

import numpy as np
import pytest
from public_names import documented, text_of

import tinycnn as tc
from tinycnn import errors

X, DY = np.ones((1, 4, 4, 2)), np.ones((1, 3, 3, 2))
W, D, MASK = np.ones((2, 2, 2, 2)), np.ones((2, 3)), np.ones((2, 3), np.bool_)
WON = np.zeros((1, 2, 2, 2), np.uint8)
# A right call of each, to be put wrong in one place.
CALLS = {
    "conv2d": (X, W),
    "conv2d_backward": (DY, X, W),
    "im2col": (X, 2),
    "col2im": (np.ones((9, 8)), (1, 4, 4, 2), 2),
    "max_pool2d": (X, 2),
    "max_pool2d_backward": (np.ones((1, 2, 2, 2)), WON, (1, 4, 4, 2), 2),
    "avg_pool2d": (X, 2),
    "avg_pool2d_backward": (np.ones((1, 2, 2, 2)), (1, 4, 4, 2), 2),
    "dense": (D, np.ones((3, 2))),
    "dense_backward": (np.ones((2, 2)), D, np.ones((3, 2))),
    "relu": (D,),
    "relu_backward": (D, D),
    "softmax": (D,),
    "softmax_backward": (D, D),
    "cross_entropy": (D, [0, 2]),
    "mean_squared_error": (D, D),
    "dropout": (D, 0.5, 0),
    "dropout_backward": (D, MASK, 0.5),
    "moments": (D,),
    "batch_normalization": (D, D[0], D[0], D[0], D[0]),
    "batch_normalization_backward": (D, D, D[0], D[0], D[0]),
    "local_response_norm": (X,),
    "local_response_norm_backward": (X, X),
}


WRONG = [
    np.ones(()), np.ones((5, 5)), np.ones((1, 7, 5, 3)), np.full((1, 2, 2, 2), 9, np.uint8), [0, 7],
    [[1], [1, 2]], (1, 1, 1, 2), -1, "text",
]  # fmt: skip


def wrong_calls(name):
    """The right call with one argument put wrong: other shapes and dtypes, options out of range."""
    given = CALLS[name]
    for position in range(len(given)):
        for wrong in (*WRONG, np.ones(np.shape(given[position])) * 1j):
            yield (*given[:position], wrong, *given[position + 1 :]), {}
    options = [
        option
        for option, parameter in inspect.signature(getattr(tc.ops, name)).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    ]
    for option in options:
        for wrong in (-1, "text", 1000, 10**30, (np.ones(2), np.ones(2))):
            yield given, {option: wrong}
    if "activation" in options:
        yield given, {"activation": "relu"}


@pytest.mark.parametrize("name", tc.ops.__all__)
def test_what_an_op_raises_is_what_it_says(name):
    op = getattr(tc.ops, name)
    op(*CALLS[name])
    raised = set()
    for arguments, keywords in wrong_calls(name):
        try:
            op(*arguments, **keywords)
        except errors.TinyCNNError as error:
            raised.add(type(error).__name__)
    said = re.search(r"^Raises (.*?)\Z", text_of(op), re.MULTILINE | re.DOTALL)
    assert said, f"{name}'s docstring does not end with what it raises"
    assert set(re.findall(r"\w+Error", said[1])) == raised


# ------------------------------------------------------------------ models, traces, optimizers, checks


def small(activation="softmax"):
    return tc.Sequential([tc.layers.Dense(3, activation=activation)], (2,))


def traced(activation="softmax"):
    return small(activation).trace(np.ones((1, 2)))


def stale(activation="softmax"):
    trace = traced(activation)
    with trace.model.edit():
        pass
    return trace


DENSE = tc.layers.Dense(3)
DATA = tc.data.Dataset(np.array([1, np.nan]).reshape(2, 1, 1, 1), [0, 1])  # one of them damaged


def silently(function, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments)


# What goes wrong, by what it is done with.
MISTAKES = {
    "Sequential": [
        lambda: tc.Sequential([tc.layers.Conv2D(2, 3)], (2,)),
        lambda: tc.Sequential([3], (2,)),
    ],
    "Sequential.predict": [
        lambda: small().predict([[1, 2, 3]]),
        lambda: small().predict([[1, 2j]]),
        lambda: small().predict([[1, 2]], batch_size=0),
    ],
    "Sequential.trace": [
        lambda: small().trace([[1, 2, 3]]),
        lambda: small().trace([[1, 2j]]),
        lambda: small().trace([[1, 2]], algorithm="quick"),
    ],
    "Sequential.save": [lambda: small().save("model.pt")],
    "Sequential.load_weights": [
        lambda: small().load_weights("nowhere.npz"),
        lambda: small().load_weights({"dense1.W": np.ones((2, 3))}),
        lambda: small().load_weights({"dense1.W": np.ones((3, 2)), "dense1.b": np.ones(3)}),
        lambda: small().load_weights({"dense1.W": np.ones((2, 3)), "dense1.b": 3 * [1j]}),
        lambda: small().load_weights(3),
    ],
    "Checkpoint.restore": [lambda: tc.checkpoints.Checkpoint(small(), {}).restore(optimizer=None)],
    "Folder": [
        lambda: tc.checkpoints.Folder("/dev/null"),
        lambda: tc.checkpoints.Folder("/dev/null", ending=".pt"),
    ],
    "from_torch": [
        lambda: tc.weights.from_torch({}, small()),
        lambda: tc.weights.from_torch({"weight": np.ones((2, 3)), "bias": np.ones(3)}, small()),
        lambda: tc.weights.from_torch({"weight": np.ones((3, 2)), "bias": 3 * ["a"]}, small()),
    ],
    "Trace.backward": [
        lambda: stale().backward(labels=[1]),
        lambda: traced().backward(labels=[1, 2]),
        lambda: traced().backward(labels=[0.5]),
        lambda: traced().backward(labels=[3]),
    ],
    "Trace.explain": [
        lambda: traced().explain("conv1", at=(0,)),
        lambda: traced().explain("dense1"),
        lambda: traced().explain("dense1.x", at=(0,)),
    ],
    "Record.z": [lambda: stale("relu").records[0].z],
    "SGD": [lambda: tc.optimizers.SGD(small(), rate=-1)],
    "Optimizer.step": [
        lambda: tc.optimizers.SGD(small()).step({}),
        lambda: tc.optimizers.SGD(small()).step({"dense1.W": 1, "dense1.b": 1}),
        lambda: tc.optimizers.SGD(small()).step({"dense1.W": "W", "dense1.b": 1}),
    ],
    "FlatArrays": [
        lambda: traced().backward(labels=[1])["W"],
        lambda: traced().backward(labels=[1]).__setitem__("dense1.b", [1, 2]),
        lambda: small().parameters().__setitem__("dense1.b", [1, 2, 3]),
    ],
    "Dataset": [
        lambda: tc.data.Dataset(np.ones((2, 2)), [0, 1]),
        lambda: tc.data.Dataset(np.ones((2, 2, 2)), [0]),
        lambda: tc.data.Dataset(np.ones((1, 2, 2)) * 1j, [0]),
    ],
    "Dataset.select": [lambda: DATA.select([2])],
    "Dataset.split": [lambda: DATA.split(0.5, 0.6)],
    "batches": [
        lambda: tc.data.batches(DATA, 0),
        lambda: list(tc.data.batches(DATA, 2)),
    ],
    "readable": [lambda: silently(tc.data.readable, DATA.select([1]))],
    "Standardize": [lambda: tc.data.Standardize(0, 0)],
    "PCANoise": [
        lambda: tc.data.PCANoise.of(DATA),
        lambda: tc.data.PCANoise.of(DATA, form="caffe"),
    ],
    "alexnet": [lambda: tc.alexnet(variant="small"), lambda: tc.alexnet(classes=0)],
    "open_network": [lambda: tc.open_network("vgg"), lambda: tc.open_network("fashion", classes=7)],
    "gradcheck": [lambda: tc.gradcheck(3, np.ones(2)), lambda: tc.gradcheck(DENSE)],
    "check_layer": [
        lambda: tc.testing.check_layer(3, (2,)),
        lambda: tc.testing.check_layer(tc.layers.Layer, (2,)),
    ],
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_raised_is_what_is_said(name):
    raised = set()
    for mistake in MISTAKES[name]:
        with pytest.raises(errors.TinyCNNError) as error:
            mistake()
        raised.add(error.type.__name__)
    assert set(re.findall(r"\w+Error", text_of(documented()[name]))) == raised
