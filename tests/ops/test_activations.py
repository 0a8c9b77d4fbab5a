import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from op_checks import assert_same_bits, call_converts_once, call_is_polite, slopes
from strategies import whole
from twins import error

from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.ops import relu, relu_backward, softmax, softmax_backward
from tinycnn.testing.strategies import dtypes, generators

shapes = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)


@st.composite
def vectors(draw):
    """A shape and one of its axes, counted from either end."""
    shape = draw(shapes)
    return shape, draw(st.integers(-len(shape), len(shape) - 1))


def plain_softmax(values):
    """Softmax of a list by its formula."""
    exponentials = [math.exp(value - max(values)) for value in values]
    return [e / sum(exponentials) for e in exponentials]


# ----------------------------------------------------------------------------------------- relu


@settings(max_examples=60)
@given(shapes, dtypes, generators)
def test_relu_and_its_gradient_are_the_formula(shape, dtype, rng):
    x, dy = whole(rng, shape, dtype, top=2), whole(rng, shape, dtype)
    y = relu(x)
    np.testing.assert_array_equal(y, np.array([max(v, 0) for v in x.ravel()]).reshape(shape))
    expected = [g if v > 0 else 0 for v, g in zip(x.ravel(), dy.ravel(), strict=True)]
    np.testing.assert_array_equal(relu_backward(dy, y), np.array(expected).reshape(shape))


def test_relu_of_a_number():
    assert relu(-3.0) == 0
    assert relu_backward(2.0, relu(5.0)) == 2


def test_relu_of_nan_infinities_and_zeros():
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, -1e-45, 1e-45], np.float32)
    y = relu(x)
    np.testing.assert_array_equal(y, [np.nan, np.inf, 0, 0, 0, 0, np.float32(1e-45)])
    np.testing.assert_array_equal(relu_backward(np.full(7, 3.0), y), [3, 3, 0, 0, 0, 0, 3])
    np.testing.assert_array_equal(relu_backward([np.nan, np.nan], [1, 0]), [np.nan, 0])


def test_every_slope_of_relu_away_from_zero():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 3, 4))
    x += np.sign(x) * 0.1
    assert error(relu_backward(dy, relu(x)), slopes(relu, x, dy)) < 1e-9


# -------------------------------------------------------------------------------------- softmax


@settings(max_examples=60)
@given(vectors(), dtypes, generators, st.sampled_from([1, 30]))
def test_softmax_is_the_formula(vector, dtype, rng, scale):
    shape, axis = vector
    x = (scale * rng.standard_normal(shape)).astype(dtype)
    expected = np.apply_along_axis(plain_softmax, axis, x) if x.size else x
    y = softmax(x, axis)
    assert (y.shape, y.dtype) == (shape, dtype)
    assert error(y, expected) <= 8 * np.finfo(dtype).eps


@settings(max_examples=60)
@given(vectors(), dtypes, generators)
def test_softmax_backward_is_the_jacobian_times_dy(vector, dtype, rng):
    shape, axis = vector
    y = softmax(rng.standard_normal(shape), axis).astype(dtype)
    dy = rng.standard_normal(shape).astype(dtype)
    expected = np.empty(shape)
    for row in np.ndindex(*np.delete(shape, axis)):
        cells = list(row)
        cells.insert(axis % len(shape), slice(None))
        p, g = np.float64(y[tuple(cells)]), np.float64(dy[tuple(cells)])
        expected[tuple(cells)] = (np.diag(p) - np.outer(p, p)) @ g
    dx = softmax_backward(dy, y, axis)
    assert (dx.shape, dx.dtype) == (shape, dtype)
    # A vector of one has no slope: then only rounding is left, of terms the size of dy.
    assert np.abs(dx - expected).max(initial=0) <= 16 * np.finfo(dtype).eps * np.abs(dy).max(
        initial=0
    )


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_every_slope_of_softmax(axis):
    rng = np.random.default_rng(1)
    x, dy = rng.standard_normal((3, 4, 2)), rng.standard_normal((3, 4, 2))
    dx = softmax_backward(dy, softmax(x, axis), axis)
    assert error(dx, slopes(lambda x: softmax(x, axis), x, dy)) < 1e-9


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ([1e4, 1e4, -1e4, -1e4], [0.5, 0.5, 0, 0]),
        ([1e4, 0, 0, 0], [1, 0, 0, 0]),
        ([-1e4] * 4, [0.25] * 4),
        ([3e38, 3e38, -3e38, 0], [0.5, 0.5, 0, 0]),
        ([-np.inf, 0, -np.inf, 0], [0, 0.5, 0, 0.5]),
        ([np.nan, 0, 1, 2], [np.nan] * 4),
        ([-np.inf] * 4, [np.nan] * 4),
        ([np.inf, 0, 0, 0], [np.nan] * 4),
    ],
)
def test_extreme_logits(logits, expected, dtype):
    calm = np.zeros(4)
    y = softmax(np.array([logits, calm], dtype))
    np.testing.assert_array_equal(y, [expected, [0.25] * 4])


@settings(max_examples=30)
@given(generators, st.floats(-1e4, 1e4))
def test_a_constant_added_to_all_logits_cancels(rng, constant):
    x = rng.standard_normal((3, 5))
    assert error(softmax(x + constant), softmax(x)) < 1e-11


# ----------------------------------------------------------------------- arguments and results


@settings(max_examples=20)
@given(vectors(), dtypes, generators)
def test_any_memory_order_and_type_is_accepted_and_left_alone(vector, dtype, rng):
    shape, axis = vector
    ops = [
        (relu, 1),
        (relu_backward, 2),
        (lambda x: softmax(x, axis), 1),
        (lambda dy, y: softmax_backward(dy, y, axis), 2),
    ]
    for op, arrays in ops:
        given_arrays = [whole(rng, shape, dtype) for _ in range(arrays)]
        call_is_polite(op, *given_arrays)
        call_converts_once(op, *given_arrays)


def test_results_are_new_where_nothing_changes():
    x = np.ones((2, 3))
    for result in (relu(x), relu_backward(x, x), softmax(x[:0]), softmax_backward(x, x)):
        assert not np.shares_memory(result, x)
    assert softmax(x[:0]).flags.writeable


def test_one_float64_argument_makes_all_float64():
    x = np.ones((2, 3), np.float32)
    for op in (relu_backward, softmax_backward):
        assert op(x, np.float64(x)).dtype == op(np.float64(x), x).dtype == np.float64
    assert_same_bits(softmax_backward(x, x), softmax_backward(x.tolist(), x).astype(np.float32))


@pytest.mark.parametrize(
    ("kind", "message", "call"),
    [
        (DTypeError, "^x must hold real numbers, got dtype complex", lambda: relu([1j])),
        (DTypeError, "^x must hold real numbers, got dtype <U1", lambda: softmax(["a"])),
        (DTypeError, "^x must hold real numbers, got dtype object", lambda: relu(None)),
        (
            ShapeError,
            r"^dy must have shape \(2,\) \(the shape of y\), got shape \(3,\)$",
            lambda: relu_backward([1, 2, 3], [1, 2]),
        ),
        (
            ShapeError,
            r"^dy must have shape \(1, 2\) \(the shape of y\), got shape \(2,\)$",
            lambda: softmax_backward([1, 2], [[1, 2]]),
        ),
        (ArgumentError, "^axis must be at most 1, got 2$", lambda: softmax([[1]], axis=2)),
        (ArgumentError, "^axis must be at least -2, got -3$", lambda: softmax([[1]], axis=-3)),
        (ArgumentError, "^axis must be an int, got None$", lambda: softmax([[1]], axis=None)),
        (ArgumentError, "^axis must be at most 0", lambda: softmax_backward([1], [1], axis=1)),
        (ShapeError, "^softmax needs an axis to run along, got a single", lambda: softmax(1.0)),
    ],
)
def test_bad_input(kind, message, call):
    with pytest.raises(kind, match=message):
        call()
