import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from op_checks import call_converts_once, call_is_polite, call_is_repeatable, slopes
from strategies import whole

from tinycnn.errors import DTypeError, ShapeError
from tinycnn.ops import mean_squared_error
from tinycnn.testing.strategies import dtypes, generators

shapes = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


@given(shapes, dtypes, generators)
def test_loss_and_gradient_are_the_formula(shape, dtype, rng):
    y, targets = rng.standard_normal((2, *shape)).astype(dtype)
    loss, dy = mean_squared_error(y, targets)
    errors = [float(a) - float(b) for a, b in zip(y.flat, targets.flat, strict=True)]
    assert type(loss) is float
    assert loss == pytest.approx(math.fsum(e * e for e in errors) / y.size, rel=1e-14)
    assert (dy.dtype, dy.shape) == (dtype, shape)
    expected = 2 * np.array(errors).reshape(shape) / y.size
    np.testing.assert_allclose(dy, expected, rtol=4 * np.finfo(dtype).eps)


@settings(max_examples=20)
@given(shapes, generators)
def test_every_slope(shape, rng):
    y, targets = rng.standard_normal((2, *shape))
    numerical = slopes(lambda y: np.array(mean_squared_error(y, targets)[0]), y, np.array(1.0))
    assert np.abs(mean_squared_error(y, targets)[1] - numerical).max() < 1e-8


def test_by_hand():
    loss, dy = mean_squared_error([[1.0, 2], [3, 5]], [[1, 4], [0, 5]])
    assert loss == (4 + 9) / 4
    np.testing.assert_array_equal(dy, [[0, -1], [1.5, 0]])


def test_no_images():
    loss, dy = mean_squared_error(np.empty((0, 3)), np.empty((0, 3)))
    assert loss == 0.0
    assert dy.shape == (0, 3)


@settings(max_examples=20)
@given(shapes, dtypes, generators)
def test_any_memory_order_and_type_is_accepted_and_left_alone(shape, dtype, rng):
    arrays = whole(rng, (2, *shape), dtype)
    call_is_polite(mean_squared_error, *arrays)
    call_converts_once(mean_squared_error, *arrays)


def test_the_same_bits_for_every_number_of_threads(monkeypatch):
    y, targets = np.random.default_rng(0).standard_normal((2, 5, 1 << 17)).astype(np.float32)
    call_is_repeatable(monkeypatch, lambda: mean_squared_error(y, targets))
    assert len({mean_squared_error(y, targets)[0] for _ in range(3)}) == 1


def test_it_is_computed_in_the_precision_of_y():
    assert mean_squared_error(np.ones((2, 2), np.float32), np.ones((2, 2)))[1].dtype == np.float32


@pytest.mark.parametrize(
    ("kind", "message", "arguments"),
    [
        (
            ShapeError,
            r"^targets must have shape \(2, 3\) \(the shape of y\), got shape \(2,\)$",
            (np.ones((2, 3)), [0, 1]),
        ),
        (ShapeError, "^y must have the axes", (1.0, 1.0)),
        (DTypeError, "^targets must hold real numbers", (np.ones(2), [1j, 2])),
    ],
)
def test_bad_input(kind, message, arguments):
    with pytest.raises(kind, match=message):
        mean_squared_error(*arguments)
