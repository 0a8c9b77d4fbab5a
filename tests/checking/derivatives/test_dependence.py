"""Whether outputs hang on an array at other values than those given."""

import numpy as np
import pytest

from tinycnn.checking import as_target
from tinycnn.checking.derivatives.dependence import depends_on

X, B = np.random.default_rng(0).standard_normal((2, 4, 3))


def where(function, *arrays, name="x"):
    return depends_on(as_target((function, lambda *a: a), *arrays), name)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x, b: x + b, "of the same size"),
        (lambda x, b: np.maximum(x - 20, 0), "about 30 times as large"),
        (lambda x, b: np.maximum(-x - 1e5, 0), "about 1e+06 times as large"),
    ],
)
def test_other_values(function, words):
    assert where(function, X, B) == words


@pytest.mark.parametrize(
    "function", [lambda x, b: b + 0 * x, lambda x, b: (x - x) + b, lambda x, b: np.ones(3)]
)
def test_a_constant_hangs_on_nothing(function):
    assert where(function, X, B) == ""


def test_an_invariance_is_told_from_rounding():
    def centred(x, b):
        return x + b[:1] - (x + b[:1]).mean(0)

    assert where(centred, X, B, name="b") == ""
    assert where(centred, X, B, name="x") == "of the same size"


def test_a_gain_of_zero_hides_x():
    assert where(lambda x, gain: x * gain, X, np.zeros(3)) == "of the same size"


def test_a_domain_is_kept():
    assert where(lambda x: np.floor(np.log(x)), np.full(3, 2.0)) != ""


def test_a_function_that_refuses_other_values_is_not_seen_to_move():
    def picky(x):
        if not np.array_equal(x, X):
            raise ValueError("not these")
        return x

    assert where(picky, X) == ""


def test_nothing_given_is_written_to():
    kept = X.copy()
    where(lambda x: np.multiply(x, 2, out=x), X)
    np.testing.assert_array_equal(X, kept)


@pytest.mark.parametrize("offset", [1e9, 1e13, 1e16, 1e20, 1e300])
def test_rounding_that_hides_an_array_is_told_from_a_constant(offset):
    assert where(lambda x, b: x + offset, X, B) != ""
    assert where(lambda x, b: 0 * x + offset, X, B) == ""


@pytest.mark.parametrize("scale", [1e-13, 1e-100, 1e-300])
def test_tiny_arrays_are_asked_at_values_near_one(scale):
    assert where(lambda x, b: np.exp(x), scale * X, B) == "of about 1e+00"
    assert where(lambda x, b: x * x, scale * X, B) != ""


def test_closed_over_arrays_do_not_turn_an_invariance_into_a_dependence():
    def softmax(b):
        e = np.exp(X + b - (X + b).max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    assert depends_on(as_target((softmax, lambda dy, b: b), np.ones((4, 1))), "b") == ""
