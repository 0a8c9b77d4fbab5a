"""The battery for layers: the built-in ones pass, and for each mistake the check that names it."""

import pickle

import numpy as np
import pytest
from bad_layers import PLANTED, LooksAtTheFirstSample, Plain, SubtractsTheBatchMean
from small_nets import Scale, Square

import tinycnn as tc
from tinycnn.errors import ArgumentError, CheckFailedError, ShapeError
from tinycnn.layers import (
    AveragePool2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.testing import LAYER_CHECKS, check_layer

LAYERS = {
    "Conv2D": (lambda: Conv2D(4, (3, 2), stride=(1, 2), padding="same", groups=2), (5, 6, 2)),
    "Conv2D relu": (lambda: Conv2D(3, 3, padding=1, dilation=2, activation="relu"), (6, 7, 2)),
    "MaxPool2D": (lambda: MaxPool2D(3, stride=2, ceil_mode=True), (6, 5, 2)),
    "AveragePool2D": (lambda: AveragePool2D(2, padding=1, count_include_pad=False), (4, 5, 2)),
    "BatchNormalization": (BatchNormalization, (3, 2, 2)),
    "BatchNormalization of rows": (lambda: BatchNormalization(momentum=0.5, epsilon=0.1), (4,)),
    "Dense": (lambda: Dense(4), (3, 2)),
    "Dense relu": (lambda: Dense(4, activation="relu"), (5,)),
    "Dense softmax": (lambda: Dense(4, activation="softmax"), (5,)),
    "Dropout": (lambda: Dropout(0.4), (4, 3)),
    "ReLU": (ReLU, (4, 3)),
    "Softmax": (Softmax, (4,)),
    "Flatten": (Flatten, (2, 3, 2)),
    "GlobalAveragePool2D": (GlobalAveragePool2D, (4, 5, 2)),
    "LocalResponseNorm": (lambda: LocalResponseNorm(alpha=0.3), (2, 3, 6)),
    "a user's Scale": (Scale, (3, 4)),
    "a user's Square": (Square, (3, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("check", LAYER_CHECKS, ids=str)
def test_good_layers_pass(name, check):
    check(*LAYERS[name])


def test_every_built_in_layer_is_among_them():
    kinds = {type(make()) for make, _ in LAYERS.values()}
    built_in = {
        value
        for value in vars(tc.layers).values()
        if isinstance(value, type) and issubclass(value, Layer) and value.stem != "layer"
    }
    assert built_in <= kinds


# -------------------------------------------------------------------------------------- mistakes


def test_every_check_has_a_planted_mistake():
    assert list(PLANTED) == [str(check) for check in LAYER_CHECKS]


@pytest.mark.parametrize("name", PLANTED)
def test_a_mistake_is_named_by_its_check_and_by_no_other(name):
    make, shape, words = PLANTED[name]
    report = check_layer(make, shape)
    assert list(report.failures) == [name]
    assert words in " ".join(str(report.failures[name]).split())
    assert not report.ok
    assert f"  {name:22}FAILS" in str(report)
    check = next(check for check in LAYER_CHECKS if str(check) == name)
    with pytest.raises(AssertionError):
        check(make, shape)


@pytest.mark.parametrize("planted", range(len(PLANTED)))
def test_the_same_on_other_numbers(planted):
    name, (make, shape, _) = list(PLANTED.items())[planted]
    assert list(check_layer(make, shape, seed=1).failures) == [name]


# ---------------------------------------------------------------------------------------- report


def test_the_report_of_a_good_layer():
    report = check_layer(Plain, (4, 3))
    assert report.ok and report.failures == {}
    lines = str(report).splitlines()
    assert lines[0] == f"Plain, input 4 x 3: {len(LAYER_CHECKS)} checks, all passed"
    assert [line.split()[-1] for line in lines[1:]] == ["passes"] * len(LAYER_CHECKS)
    data = report.to_dict()
    assert data["ok"] and data["layer"] == "Plain" and data["input_shape"] == [4, 3]
    assert all(check["ok"] and check["failure"] is None for check in data["checks"])
    assert [check["name"] for check in data["checks"]] == [str(check) for check in LAYER_CHECKS]


def test_the_report_of_a_bad_one_says_what_and_where():
    report = check_layer(LooksAtTheFirstSample, (4, 3))
    assert "16 checks, 1 failed" in str(report)
    text = " ".join(str(report).split())
    assert "forward raises IndexError" in text and "(bad_layers.py, line " in text
    failed = [check for check in report.to_dict()["checks"] if not check["ok"]]
    assert [check["name"] for check in failed] == ["empty batch"]
    assert "IndexError" in failed[0]["failure"] and failed[0]["asks"]


def test_batch_independence_is_asked_only_where_it_is_promised():
    assert check_layer(SubtractsTheBatchMean, (4, 3), batch_independent=False).ok

    class Honest(SubtractsTheBatchMean):
        batch_independent = False

    failures = check_layer(Honest, (4, 3)).failures
    assert "batch independence" not in failures


def test_a_layer_of_a_model_may_be_tested_itself():
    model = tc.Sequential([Conv2D(2, 3), Dense(3)], (5, 5, 1))
    before = {name: array.copy() for name, array in model.parameters().items()}
    assert check_layer(model.layers[0], (5, 5, 1)).ok
    for name, array in model.parameters().items():
        np.testing.assert_array_equal(array, before[name])
    assert model.layers[0].name == "conv1"


def test_an_error_of_the_layer_s_own_code_is_a_failed_check():
    class Raises(Plain):
        def forward(self, params, x, context):
            return x / self.no_such_name, x

    report = check_layer(Raises, (4,))
    failures = report.failures
    assert len(failures) > 10
    assert "pickle raises" in str(failures.pop("pickling"))  # a class inside a function
    for failure in failures.values():
        text = " ".join(str(failure).split())
        assert "no_such_name" in text and "(test_layer_checks.py, line" in text


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda x: x, "forward must return a tuple (y, saved), got ndarray"),
        (lambda x: (x.astype(str), x), "y must hold real numbers"),
    ],
)
def test_what_forward_returns_is_read_like_a_model_reads_it(result, words):
    class Returns(Plain):
        def forward(self, params, x, context):
            return result(x)

    with pytest.raises(CheckFailedError) as caught:
        LAYER_CHECKS[0](Returns, (4,))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("gradients", "words"),
    [
        ({}, "backward must return a gradient for each parameter"),
        (None, "backward must return the gradients by name, got NoneType"),
        ({"scale": np.zeros(3)}, "dscale must have shape (4,) for a batch of 1"),
    ],
)
def test_so_is_what_backward_returns(gradients, words):
    class Returns(Plain):
        def backward(self, params, dy, saved, context):
            return dy, gradients

    with pytest.raises(CheckFailedError) as caught:
        LAYER_CHECKS[0](Returns, (4,))
    assert words in str(caught.value)


def test_a_gradient_that_comes_and_goes():
    """With other names, or another shape, without need_dx."""

    class Changes(Plain):
        change = None

        def backward(self, params, dy, saved, context):
            dx, grads = super().backward(params, dy, saved, context)
            return dx, (grads if context.need_dx else self.change(grads))

    class Forgets(Changes):
        change = staticmethod(lambda grads: {})

    class Widens(Changes):
        change = staticmethod(lambda grads: {"scale": grads["scale"][None]})

    check = next(check for check in LAYER_CHECKS if str(check) == "context options")
    with pytest.raises(CheckFailedError, match=r"returns other gradients where context\.need_dx"):
        check(Forgets, (4,))
    with pytest.raises(CheckFailedError, match=r"dscale has another shape where context\.need_dx"):
        check(Widens, (4,))


def test_what_cannot_be_tested_is_refused():
    with pytest.raises(ArgumentError, match="a layer is a tinycnn"):
        check_layer(7, (4,))
    with pytest.raises(ArgumentError, match="makes one, got 'me'"):
        check_layer(lambda: "me", (4,))
    with pytest.raises(ArgumentError, match="each size of input_shape"):
        check_layer(ReLU, (0,))
    with pytest.raises(CheckFailedError, match="output_shape raises ShapeError: takes images"):
        check_layer(lambda: Conv2D(2, 3), (4,))


def test_a_failed_check_is_an_error_of_ours_and_an_assertion():
    assert issubclass(CheckFailedError, tc.TinyCNNError)
    assert issubclass(CheckFailedError, AssertionError)
    assert not issubclass(CheckFailedError, ShapeError)
    assert pickle.loads(pickle.dumps(CheckFailedError("text"))).args == ("text",)
