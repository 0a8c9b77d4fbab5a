import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
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
from tinycnn.ops import local_response_norm, local_response_norm_backward, normalization
from tinycnn.testing.strategies import dtypes, generators

shapes = hnp.array_shapes(min_dims=4, max_dims=4, max_side=4)
settings_of_lrn = st.fixed_dictionaries(
    {
        "size": st.sampled_from([1, 3, 5, 9]),  # wider than the channels too
        "alpha": st.sampled_from([0.0, 1e-4, 0.3, 1]),
        "beta": st.sampled_from([0, 0.5, 0.75, 1.3]),
        "k": st.sampled_from([0.5, 1, 2.0]),
        "alpha_over_size": st.booleans(),
    }
)


def twin(options):
    """The settings as the twins take them."""
    a = options["alpha"] / (options["size"] if options["alpha_over_size"] else 1)
    return options["size"], a, options["beta"], options["k"]


@settings(max_examples=100)
@given(shapes, settings_of_lrn, dtypes, generators)
def test_forward_and_backward_are_their_twins(shape, options, dtype, rng):
    x, dy = (3 * rng.standard_normal((2, *shape))).astype(dtype)
    rows, expected = (-1, shape[3]), np.empty(shape, dtype)
    reference.local_response_norm(
        x.reshape(rows), 0, x[..., 0].size, *twin(options), expected.reshape(rows)
    )
    y, bound = local_response_norm(x, **options), 32 * np.finfo(dtype).eps
    assert y.dtype == dtype
    assert error(y, expected) <= bound
    reference.local_response_norm_backward(
        dy.reshape(rows), x.reshape(rows), 0, x[..., 0].size, *twin(options), expected.reshape(rows)
    )
    dx = local_response_norm_backward(dy, x, **options)
    assert dx.dtype == dtype
    assert error(dx, expected) <= bound


@pytest.mark.parametrize("alpha_over_size", [False, True])
@pytest.mark.parametrize("beta", [0.75, 1.3])
def test_every_slope(beta, alpha_over_size):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 2, 1, 2, 7))
    options = {"size": 3, "alpha": 0.6, "beta": beta, "alpha_over_size": alpha_over_size}
    dx = local_response_norm_backward(dy, x, **options)
    assert error(dx, slopes(lambda x: local_response_norm(x, **options), x, dy)) < 1e-9


def test_both_dialects_by_hand():
    x = np.array([1.0, 2, 0, 4]).reshape(1, 1, 1, 4)
    options = {"size": 3, "alpha": 0.5, "beta": 1, "k": 2}
    y = local_response_norm(x, **options)
    np.testing.assert_allclose(y.ravel(), [1 / 4.5, 2 / 4.5, 0, 4 / 10], rtol=1e-15)
    y = local_response_norm(x, **{**options, "alpha": 1.5}, alpha_over_size=True)
    np.testing.assert_allclose(y.ravel(), [1 / 4.5, 2 / 4.5, 0, 4 / 10], rtol=1e-15)


def test_the_defaults_are_the_papers():
    x = np.random.default_rng(0).standard_normal((1, 2, 2, 9))
    paper = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2.0, "alpha_over_size": False}
    assert_same_bits(local_response_norm(x), local_response_norm(x, **paper))
    assert_same_bits(
        local_response_norm_backward(x, x), local_response_norm_backward(x, x, **paper)
    )


def test_nan_reaches_the_neighbours_of_its_cell_and_no_further():
    x = np.ones((2, 1, 2, 9))
    x[0, 0, 1, 4] = np.nan
    y, dx = local_response_norm(x), local_response_norm_backward(np.ones_like(x), x)
    for result, reach in ((y, 2), (dx, 4)):
        expected = np.zeros(x.shape, np.bool_)
        expected[0, 0, 1, 4 - reach : 5 + reach] = True
        np.testing.assert_array_equal(np.isnan(result), expected)


@settings(max_examples=15)
@given(shapes, settings_of_lrn, dtypes, generators)
def test_any_memory_order_and_type_is_accepted_and_left_alone(shape, options, dtype, rng):
    x, dy = whole(rng, shape, dtype), whole(rng, shape, dtype)
    for op, arrays in (
        (lambda x: local_response_norm(x, **options), (x,)),
        (lambda dy, x: local_response_norm_backward(dy, x, **options), (dy, x)),
    ):
        call_is_polite(op, *arrays)
        call_converts_once(op, *arrays)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_images(dtype):
    x = np.empty((0, 2, 3, 4), dtype)
    assert_same_bits(local_response_norm(x), x)
    assert_same_bits(local_response_norm_backward(x, x), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_for_every_thread_count_and_run(monkeypatch, dtype):
    x, dy = np.random.default_rng(0).standard_normal((2, 3, 5, 7, 8)).astype(dtype)
    options = {"alpha": 0.1}
    expected = local_response_norm(x, **options), local_response_norm_backward(dy, x, **options)
    monkeypatch.setattr(normalization, "_CELLS", 100)
    calls = (
        lambda: local_response_norm(x, **options),
        lambda: local_response_norm_backward(dy, x, **options),
    )
    for call, result in zip(calls, expected, strict=True):
        with untouched(x, dy):
            call_is_repeatable(monkeypatch, call)
        assert_same_bits(call(), result)


X = np.ones((2, 3, 4, 5))


@pytest.mark.parametrize(
    ("kind", "message", "arguments"),
    [
        (
            ArgumentError,
            "^size must be odd, so that the channels around one lie evenly on both sides, got 4$",
            {"size": 4},
        ),
        (ArgumentError, "^size must be at least 1, got 0$", {"size": 0}),
        (ArgumentError, r"^size must be an int, got 5\.0$", {"size": 5.0}),
        (ArgumentError, "^alpha must be a finite number from 0 up, got -1$", {"alpha": -1}),
        (ArgumentError, "^beta must be a finite number from 0 up, got nan$", {"beta": np.nan}),
        (ArgumentError, "^k must be a finite number from 0 up, got inf$", {"k": np.inf}),
        (ArgumentError, "^k must be a finite number from 0 up, got '2'$", {"k": "2"}),
        (ShapeError, r"^x must have the axes \(N, H, W, C\), got shape \(3, 4, 5\)", {"x": X[0]}),
        (ShapeError, "^x's axis C must not be empty", {"x": X[..., :0]}),
        (DTypeError, "^x must hold real numbers, got dtype object", {"x": X.astype(object)}),
    ],
)
def test_bad_input(kind, message, arguments):
    with pytest.raises(kind, match=message):
        local_response_norm(**{"x": X, **arguments})
    with pytest.raises(kind, match=message):
        local_response_norm_backward(**{"dy": X, "x": X, **arguments})


def test_dy_of_another_shape():
    with pytest.raises(ShapeError, match=r"^dy must have shape .* \(the shape of x\), got shape"):
        local_response_norm_backward(X[:1], X)
