"""How parameters are drawn: their spread, and the same numbers whoever draws them."""

import math
from fractions import Fraction

import numpy as np
import pytest

from tinycnn import initializers
from tinycnn.errors import ArgumentError
from tinycnn.initializers import Constant, Dyadic, Gaussian, Glorot, He
from tinycnn.runtime.threads import use_threads

DRAWN = [Gaussian(0.02), He(), Glorot(), Dyadic()]
each_drawn = pytest.mark.parametrize("initializer", DRAWN, ids=repr)

# Shapes of a convolution and a dense layer, with fan_in and fan_out counted by hand.
SHAPES = [((3, 5, 8, 40), 3 * 5 * 8, 3 * 5 * 40), ((96, 50), 96, 50)]
each_shape = pytest.mark.parametrize(("shape", "fan_in", "fan_out"), SHAPES)


def drawn(initializer, shape=(7, 30), dtype=np.float32, seed=0):
    out = np.full(shape, np.nan, dtype)
    initializer(out, np.random.default_rng(seed))
    assert np.isfinite(out).all()
    return out


def assert_spread(values, std):
    """Mean 0 and standard deviation ``std``, both within five of their own deviations."""
    values = values.astype(np.float64)
    assert abs(values.mean()) < 5 * std / math.sqrt(values.size)
    assert abs(values.std() / std - 1) < 5 / math.sqrt(values.size)


@pytest.mark.parametrize("value", [0.0, 0.1, -3])
def test_constant(value):
    np.testing.assert_array_equal(drawn(Constant(value)), np.float32(value))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gaussian(dtype):
    values = drawn(Gaussian(0.01), (100, 90), dtype)
    assert_spread(values, 0.01)
    # Normal, not only as wide: the shares within one and within two deviations.
    for deviations, share in [(1, 0.6827), (2, 0.9545)]:
        assert abs(np.mean(np.abs(values) < 0.01 * deviations) - share) < 0.025


@each_shape
def test_he(shape, fan_in, fan_out):
    assert initializers.fan_in(np.empty(shape)) == fan_in
    assert_spread(drawn(He(), shape), math.sqrt(2 / fan_in))


@each_shape
def test_glorot(shape, fan_in, fan_out):
    values, limit = drawn(Glorot(), shape), math.sqrt(6 / (fan_in + fan_out))
    assert np.abs(values).max() <= np.float32(limit)
    assert np.abs(values).max() > 0.98 * limit
    assert_spread(values, limit / math.sqrt(3))


def test_dyadic():
    values = drawn(Dyadic(5), (100, 9))
    np.testing.assert_array_equal(np.unique(values * 1024), np.arange(-5, 6))


def test_sums_of_dyadic_weights_are_exact_in_any_order():
    """As its docstring says: 363 products of them with multiples of 1/128, in float32."""
    rng = np.random.default_rng(0)
    W = drawn(Dyadic(), (363,))
    x = (rng.integers(-128, 128, 363, endpoint=True) / 128).astype(np.float32)
    exact = sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(W, x, strict=True))
    for order in (np.arange(363), np.arange(363)[::-1], rng.permutation(363)):
        total = np.float32(0)
        for product in (W * x)[order]:
            total = np.float32(total + product)
        assert Fraction(float(total)) == exact
    assert 363 * 128 * 361 < 2**24


@each_drawn
def test_the_seed_decides(initializer):
    np.testing.assert_array_equal(drawn(initializer), drawn(initializer))
    assert (drawn(initializer) != drawn(initializer, seed=1)).any()


@each_drawn
def test_numbers_global_to_numpy_are_left_alone(initializer):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    drawn(initializer)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("initializer", [Gaussian(), He(), Glorot()], ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_change_no_number(monkeypatch, initializer, dtype):
    monkeypatch.setattr(initializers, "_CHUNK", 10)
    with use_threads(1):
        expected = drawn(initializer, (9, 25), dtype)
    for threads in (2, 3, 8):
        with use_threads(threads):
            np.testing.assert_array_equal(drawn(initializer, (9, 25), dtype), expected)
    # No two chunks are drawn alike.
    assert len(np.unique(expected)) > 0.99 * expected.size


@pytest.mark.parametrize("initializer", [*DRAWN, Constant(2.0)], ids=repr)
def test_an_empty_array_and_a_vector(initializer):
    assert drawn(initializer, (3, 0)).size == 0
    assert drawn(initializer, (5,)).shape == (5,)


@pytest.mark.parametrize("initializer", [Gaussian(0.02), He(), Glorot()], ids=repr)
def test_an_array_whose_numbers_are_no_row_is_refused(initializer):
    """Chunks are runs of memory: of any other array a copy would be filled, in silence."""
    out = np.zeros((7, 30), np.float32, order="F")
    with pytest.raises(ArgumentError, match="must be C-contiguous"):
        initializer(out, np.random.default_rng(0))


@pytest.mark.parametrize(
    "std", ["a", None, -1, math.nan, math.inf, 10**400, np.longdouble("1e4000"), [1.0]], ids=repr
)
def test_a_standard_deviation_is_a_finite_number(std):
    with pytest.raises(ArgumentError, match="std must be a finite number from 0 up, got"):
        Gaussian(std)


@pytest.mark.parametrize("limit", ["a", None, -1, 0.5, 10**50], ids=repr)
def test_a_limit_is_an_int_that_float64_holds(limit):
    with pytest.raises(ArgumentError, match="limit must be"):
        Dyadic(limit)


@pytest.mark.parametrize("initializer", [He(), Glorot()], ids=repr)
@pytest.mark.parametrize("shape", [(), (0, 3), (0, 0), (3, 0, 0)], ids=str)
def test_no_fan_is_too_small(initializer, shape):
    assert drawn(initializer, shape).shape == shape
