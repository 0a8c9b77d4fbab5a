import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from op_checks import (
    assert_same_bits,
    call_converts_once,
    call_is_polite,
    call_is_repeatable,
    slopes,
    untouched,
)
from strategies import whole
from twins import error

from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.kernels import reference
from tinycnn.ops import dense, dense_backward, softmax
from tinycnn.testing.strategies import dtypes, generators

shapes = st.tuples(
    st.integers(0, 4),
    st.lists(st.integers(1, 4), max_size=3).map(tuple),
    st.integers(1, 40),
).map(lambda sizes: ((sizes[0], *sizes[1]), math.prod(sizes[1]), sizes[2]))


def sums(x, W, b):
    """x @ W + b by the twin, x flattened."""
    y = np.empty((len(x), W.shape[1]), W.dtype)
    reference.dense_product(
        x.reshape(len(x), len(W)), W, np.empty(0), False, 0, len(x), 0, W.shape[1], y
    )
    return y + b


@settings(max_examples=60)
@given(shapes, st.sampled_from([None, "relu"]), st.booleans(), dtypes, generators)
def test_dense_is_the_formula(sizes, activation, bias, dtype, rng):
    shape, D, F = sizes
    x, W = whole(rng, shape, dtype), whole(rng, (D, F), dtype)
    b = whole(rng, (F,), dtype) if bias else None
    expected = sums(x, W, b if bias else 0)
    y = dense(x, W, b, activation=activation)
    assert_same_bits(y, np.maximum(expected, 0).astype(dtype) if activation else expected)


@settings(max_examples=60)
@given(shapes, st.sampled_from([None, "relu"]), dtypes, generators)
def test_dense_backward_is_the_formula(sizes, activation, dtype, rng):
    shape, D, F = sizes
    x, W = whole(rng, shape, dtype), whole(rng, (D, F), dtype)
    dy, y = whole(rng, (shape[0], F), dtype), dense(x, W, activation=activation)
    dx, dW, db = dense_backward(dy, x, W, activation=activation, y=y)
    dz = np.where(y > 0, dy, 0) if activation else dy
    np.testing.assert_array_equal(dx, sums(dz, W.T, 0).reshape(shape))
    np.testing.assert_array_equal(dW, sums(x.reshape(shape[0], D).T, dz, 0))
    np.testing.assert_array_equal(db, [sum(dz[:, f]) for f in range(F)])
    assert dx.dtype == dW.dtype == db.dtype == dtype


@settings(max_examples=60)
@given(shapes, generators)
def test_backward_is_the_adjoint_in_x_and_in_w(sizes, rng):
    shape, D, F = sizes
    x, W, dy = whole(rng, shape), whole(rng, (D, F)), whole(rng, (shape[0], F))
    dx, dW, db = dense_backward(dy, x, W)
    assert np.vdot(dense(x, W), dy) == np.vdot(x, dx) == np.vdot(W, dW)
    assert np.vdot(dense(x, W, np.ones(F)) - dense(x, W), dy) == db.sum()


@pytest.mark.parametrize("F", [1, 5])
def test_softmax_activation_forward_and_every_slope(F):
    rng = np.random.default_rng(F)
    x, W = rng.standard_normal((3, 2, 2)), rng.standard_normal((4, F))
    b, dy = rng.standard_normal(F), rng.standard_normal((3, F))
    y = dense(x, W, b, activation="softmax")
    assert_same_bits(y, softmax(dense(x, W, b)))
    dx, dW, db = dense_backward(dy, x, W, activation="softmax", y=y)
    bound = 1e-9 if F > 1 else np.inf  # of one class the slopes are zero; compared below
    assert error(dx, slopes(lambda x: dense(x, W, b, activation="softmax"), x, dy)) < bound
    assert error(dW, slopes(lambda W: dense(x, W, b, activation="softmax"), W, dy)) < bound
    assert error(db, slopes(lambda b: dense(x, W, b, activation="softmax"), b, dy)) < bound
    if F == 1:
        np.testing.assert_array_equal(np.concatenate([dx.ravel(), dW.ravel(), db]), 0)


@settings(max_examples=15)
@given(shapes, dtypes, generators, st.sampled_from([None, "relu", "softmax"]))
def test_any_memory_order_and_type_is_accepted_and_left_alone(sizes, dtype, rng, activation):
    shape, D, F = sizes
    x, W = whole(rng, shape, dtype, top=1), whole(rng, (D, F), dtype, top=1)
    b, dy = whole(rng, (F,), dtype), whole(rng, (shape[0], F), dtype)
    y = dense(x, W, b, activation=activation)

    def forward(x, W, b):
        return dense(x, W, b, activation=activation)

    def gradients(dy, x, W, y):
        return dense_backward(dy, x, W, activation=activation, y=y)

    for op, arrays in ((forward, (x, W, b)), (gradients, (dy, x, W, y))):
        call_is_polite(op, *arrays)
        call_converts_once(op, *arrays)


def test_y_of_another_precision_than_the_rest():
    x, W, dy = np.ones((2, 3), np.float32), np.eye(3, dtype=np.float32), np.ones((2, 3), np.float32)
    for activation in ("relu", "softmax"):
        y = dense(x, W, activation=activation)
        expected = dense_backward(dy, x, W, activation=activation, y=y)
        assert_same_bits(dense_backward(dy, x, W, activation=activation, y=np.float64(y)), expected)


@settings(max_examples=30)
@given(shapes, generators, dtypes, st.sampled_from([None, "relu", "softmax"]))
def test_without_dx_and_with_out(sizes, rng, dtype, activation):
    shape, D, F = sizes
    x, W, dy = whole(rng, shape, dtype), whole(rng, (D, F), dtype), whole(rng, (shape[0], F), dtype)
    y = dense(x, W, activation=activation)
    _, dW, db = dense_backward(dy, x, W, activation=activation, y=y)
    buffer = np.full(W.size + F + 2, 77, dtype)
    out = buffer[1 : W.size + 1].reshape(W.shape), buffer[W.size + 1 : -1]
    returned = dense_backward(dy, x, W, activation=activation, y=y, need_dx=False, out=out)
    assert returned[0] is None
    assert returned[1] is out[0]
    assert returned[2] is out[1]
    assert_same_bits(out, (dW, db))
    assert buffer[0] == buffer[-1] == 77


@pytest.mark.parametrize("activation", [None, "relu", "softmax"])
def test_no_images(activation):
    x, W = np.empty((0, 2, 3), np.float32), np.ones((6, 4), np.float32)
    y = dense(x, W, np.ones(4, np.float32), activation=activation)
    assert (y.shape, y.dtype) == ((0, 4), np.float32)
    dx, dW, db = dense_backward(y, x, W, activation=activation, y=y)
    assert dx.shape == x.shape
    np.testing.assert_array_equal(dW, np.zeros(W.shape))
    np.testing.assert_array_equal(db, np.zeros(4))


def test_nan_stays_in_its_image():
    x, W = np.ones((3, 2)), np.ones((2, 4))
    x[1, 0] = np.nan
    for activation in (None, "relu", "softmax"):
        y = dense(x, W, activation=activation)
        np.testing.assert_array_equal(np.isnan(y), [[False] * 4, [True] * 4, [False] * 4])


@pytest.mark.parametrize("N", [1, 3, 20])
def test_the_same_bits_for_every_thread_count_and_run(monkeypatch, N):
    rng = np.random.default_rng(N)
    x, W = rng.standard_normal((N, 2048), np.float32), rng.standard_normal((2048, 2100), np.float32)
    b, dy = rng.standard_normal(2100, np.float32), rng.standard_normal((N, 2100), np.float32)
    y = dense(x, W, b, activation="relu")
    with untouched(x, W, b, dy, y):
        call_is_repeatable(monkeypatch, lambda: dense(x, W, b, activation="relu"))
        call_is_repeatable(monkeypatch, lambda: dense(x, W, b, activation="softmax"), 2)
        call_is_repeatable(monkeypatch, lambda: dense_backward(dy, x, W, activation="relu", y=y))
    assert error(y, np.maximum(np.float64(x) @ np.float64(W) + b, 0)) < 1e-5


# ------------------------------------------------------------------------------------ bad input

X, W, B, DY = np.ones((2, 3, 2)), np.ones((6, 4)), np.ones(4), np.ones((2, 4))

WRONG = {
    "rank of x": (ShapeError, r"^x must have the axes \(N, \.\.\.\), got shape \(\)", {"x": 1.0}),
    "rank of W": (ShapeError, r"^W must have the axes \(D, F\), got shape \(6,\)$", {"W": W[:, 0]}),
    "cells of x": (
        ShapeError,
        r"^W must have shape \(3, 4\) \(\(D, F\) with D = 3, the cells of one x\), got shape "
        r"\(6, 4\)$",
        {"x": X[:, :, 0]},
    ),
    "no columns": (ShapeError, "^W's axis F must not be empty", {"W": W[:, :0]}),
    "no cells": (ShapeError, "^W's axis D must not be empty", {"x": X[:, :0], "W": W[:0]}),
    "complex": (DTypeError, "^x must hold real numbers, got dtype complex128", {"x": 1j * X}),
    "object": (DTypeError, "^W must hold real numbers, got dtype object", {"W": W.astype(object)}),
    "activation": (
        ArgumentError,
        "^activation must be one of None, 'relu', 'softmax', got 'tanh'$",
        {"activation": "tanh"},
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_bad_input(wrong):
    kind, message, arguments = WRONG[wrong]
    with pytest.raises(kind, match=message):
        dense(**{"x": X, "W": W, "b": B, **arguments})
    with pytest.raises(kind, match=message):
        dense_backward(**{"dy": DY, "x": X, "W": W, **arguments})


@pytest.mark.parametrize("b", [B[:3], B[None], 1.0])
def test_bad_bias(b):
    with pytest.raises(ShapeError, match=r"^b must have (shape \(4,\)|the axes \(F\))"):
        dense(X, W, b)


@pytest.mark.parametrize(
    ("kind", "message", "arguments"),
    [
        (ShapeError, r"^dy must have shape \(2, 4\) \(\(N, F\)\), got shape", {"dy": DY[:, :3]}),
        (
            ShapeError,
            r"^dy must have the axes \(N, F\), got shape \(2, 1, 4\)",
            {"dy": DY[:, None]},
        ),
        (ArgumentError, '^activation="softmax" needs y, what', {"activation": "softmax"}),
        (ShapeError, r"^y must have shape \(2, 4\)", {"activation": "relu", "y": DY[:1]}),
        (ArgumentError, "^out's dW shares memory with an input", {"out": (W, np.empty(4))}),
        (ArgumentError, "^out's db shares memory", {"out": (np.empty(W.shape), DY[0])}),
        (ShapeError, r"^out's db must have shape \(4,\)", {"out": (np.empty(W.shape), DY)}),
    ],
)
def test_bad_input_of_backward(kind, message, arguments):
    with pytest.raises(kind, match=message):
        dense_backward(**{"dy": DY, "x": X, "W": W, **arguments})
