import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.softmax import cross_entropy, softmax, softmax_backward
from tinycnn.testing.strategies import generators

BOUND = 1e-6  # of float32: some units in the last place
sizes = st.tuples(st.integers(1, 5), st.sampled_from([1, 2, 10, 15, 16, 17, 33, 100]))
spreads = st.sampled_from([0.1, 1, 30])


def rows(rng, shape, spread):
    return read_only((rng.standard_normal(shape) * spread).astype(np.float32))


@given(sizes, spreads, generators, st.data())
def test_softmax_is_its_twin(size, spread, rng, data):
    x = rows(rng, size, spread).reshape(-1)
    y = np.full(x.size, 77, np.float32)
    against_twin(softmax, x, *data.draw(ranges(size[0])), size[1], y, bound=BOUND)


@given(sizes, generators, st.data())
def test_softmax_backward_is_its_twin(size, rng, data):
    dy, y = (rows(rng, size, 1).reshape(-1) for _ in range(2))
    part, dx = data.draw(ranges(size[0])), np.full(dy.size, 77, np.float32)
    against_twin(softmax_backward, dy, y, *part, size[1], dx, bound=BOUND)


@given(sizes, spreads, st.sampled_from([0.0, 0.1, 0.5]), st.booleans(), generators, st.data())
def test_cross_entropy_is_its_twin(size, spread, smoothing, weighted, rng, data):
    x, labels = rows(rng, size, spread), read_only(rng.integers(0, size[1], size[0]))
    weights = read_only(rng.uniform(0, 3, size[1]) if weighted else np.ones(size[1]))
    losses, dx = np.full(size[0], 77.0), np.full(size, 77, np.float32)
    given = weights, smoothing, *data.draw(ranges(size[0])), 7.0
    against_twin(cross_entropy, x, labels, *given, losses, dx, bound=BOUND)


def test_a_small_loss_is_not_rounded_to_zero():
    x, losses, dx = np.array([[0, 20, 0]], np.float32), np.empty(1), np.empty((1, 3), np.float32)
    weights = read_only(np.ones(3))
    cross_entropy(read_only(x), read_only(np.array([1])), weights, 0.0, 0, 1, 1.0, losses, dx)
    expected = 2 * np.exp(-20.0)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    np.testing.assert_allclose(dx, [[expected / 2, -expected, expected / 2]], rtol=1e-6)


def test_rows_whose_largest_is_nan_or_infinite_become_nan():
    x = np.zeros((4, 20), np.float32)
    x[0, 3], x[1, 17], x[2, :] = np.nan, np.inf, -np.inf
    y = np.empty(80, np.float32)
    with np.errstate(invalid="ignore"):  # without Numba, NumPy warns
        softmax(read_only(x.reshape(-1)), 0, 4, 20, y)
    y = y.reshape(4, 20)
    assert np.isnan(y[0]).all() and np.isnan(y[1, 17]) and np.isnan(y[2]).all()
    np.testing.assert_allclose(y[3], 1 / 20)
