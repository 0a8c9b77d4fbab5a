"""Each kind of misbehaviour is named as such; numbers that mean nothing then are not given."""

import itertools

import numpy as np
import pytest

import tinycnn as tc
from tinycnn.checking import gradcheck
from tinycnn.layers import Dense, Layer

X = np.random.default_rng(0).standard_normal((3, 4))


def square(x):
    return x * x


def square_backward(dy, x):
    return 2 * dy * x


def problems(forward, backward, *arrays):
    report = gradcheck((forward, backward), *(arrays or (X,)))
    assert not report.ok
    return report, " | ".join(report.problems)


def test_one_that_behaves_has_no_problems():
    assert gradcheck((square, square_backward), X).problems == []


def test_forward_that_writes_to_its_input():
    def forward(x):
        x *= 2
        return x * x

    report, text = problems(forward, lambda dy, x: 8 * dy * x)
    assert "mutates its input: forward writes to x" in text
    assert report["x"].ok  # the numbers are checked on copies, and are right


def test_backward_that_writes_to_its_input():
    def backward(dy, x):
        x *= 2 * dy
        return x

    assert "mutates its input: backward writes to x" in problems(square, backward)[1]


def test_backward_that_writes_to_dy():
    def backward(dy, x):
        dy *= 2 * x
        return dy

    report, text = problems(square, backward)
    assert text == "mutates dy: backward writes to the array that it is given"
    assert report["x"].ok


def test_the_callers_arrays_are_never_written_to():
    x = X.copy()
    x.flags.writeable = False
    gradcheck((lambda x: np.multiply(x, 2, out=x), lambda dy, x: 2 * dy), x)
    np.testing.assert_array_equal(x, X)


def test_no_two_passes_alike():
    counter = itertools.count()
    report, text = problems(lambda x: x + next(counter), lambda dy, x: dy)
    assert text.startswith("is not deterministic: two forward passes on the same arrays differ")
    assert report.tensors == []


def test_backward_that_reads_what_another_forward_left():
    kept = {}

    def forward(x):
        kept["x"] = x
        return x**3

    report, text = problems(forward, lambda dy, x: 3 * dy * kept["x"] ** 2)
    assert text.startswith("backward depends on state left by another forward: dx changes")
    assert report["x"].ok


@pytest.mark.parametrize(
    ("forward", "backward", "text"),
    [
        (lambda x: x.astype(np.float32), lambda dy, x: dy, "must be float64 as its arrays are"),
        (lambda x: (x, x), lambda dy, x: dy, "must be an array, got tuple; wrap a function"),
        (lambda x: None, lambda dy, x: dy, "must be an array, got NoneType"),
        (lambda x: np.log(x * 0), lambda dy, x: dy, "forward's result holds NaN or infinity at (0"),
        (square, lambda dy, x: dy.T, "dx has shape (4, 3), but x has (3, 4)"),
        (square, lambda dy, x: dy.sum(0), "dx has shape (4,), but x has (3, 4)"),
        (square, lambda dy, x: dy.astype(np.float32), "dx must be float64"),
        (square, lambda dy, x: dy * np.nan, "dx holds NaN or infinity at (0, 0)"),
        (square, lambda dy, x: (dy, dy), "1 in all, got 2"),
        (square, lambda dy, x: None, "backward gives no gradient at all"),
        (square, lambda dy, x: [dy.tolist()], "dx must be an array, got list"),
    ],
)
def test_wrong_shapes_dtypes_and_types(forward, backward, text):
    with np.errstate(all="ignore"):
        report, found = problems(forward, backward)
    assert text in found
    assert report.tensors == []


def test_one_wrong_gradient_leaves_the_others_to_be_checked():
    report, text = problems(
        lambda x, W: x @ W, lambda dy, x, W: (dy @ W.T, (x.T @ dy).T), X, np.ones((4, 2))
    )
    assert text == "dW has shape (2, 4), but W has (4, 2)"
    assert [tensor.name for tensor in report.tensors] == ["x"] and report["x"].ok


def test_a_gradient_of_integers_is_a_misunderstanding():
    text = problems(lambda x, n: x * n, lambda dy, x, n: (dy * n, dy * x), X, np.full((3, 4), 2))[1]
    assert text.startswith("gives a gradient for n, which holds int64 and cannot be moved")


def test_an_array_that_wrt_names_needs_a_gradient():
    report = gradcheck((lambda x, y: x * y, lambda dy, x, y: (dy * y, None)), X, X, wrt=["x", "y"])
    assert report.problems == ["backward gives no gradient for y, which wrt names"]


def test_errors_of_the_users_own_are_not_swallowed():
    def forward(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        gradcheck((forward, square_backward), X)


class Doubles(Layer):
    stem = "doubles"

    def output_shape(self, input_shape):
        return input_shape

    def forward(self, params, x, context):
        return 2 * x, None

    def backward(self, params, dy, saved, context):
        return 2 * dy, {}


class WritesInput(Doubles):
    def forward(self, params, x, context):
        x *= 2
        return x.copy(), None


class KeepsInItself(Doubles):
    def forward(self, params, x, context):
        self.x = x
        return x * x, None

    def backward(self, params, dy, saved, context):
        return 2 * self.x * dy, {}


class OtherShape(Doubles):
    def output_shape(self, input_shape):
        return (*input_shape, 1)


@pytest.mark.parametrize(
    ("layer", "alone", "inside"),
    [
        (WritesInput, "mutates its input: forward writes to x", "mutates its input"),
        (KeepsInItself, "depends on state left by another", "depends on state left by another"),
        (OtherShape, "where output_shape says (3, 4, 1)", "what output_shape says"),
    ],
)
def test_layers_alone_and_in_a_model(layer, alone, inside):
    assert gradcheck(Doubles(), X).ok
    assert alone in " | ".join(gradcheck(layer(), X).problems)
    model = tc.Sequential([Dense(4), layer(), Dense(2)], (4,))
    assert inside in " | ".join(gradcheck(model, X).problems)
