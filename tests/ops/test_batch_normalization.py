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
from tinycnn.ops import batch_norm, batch_normalization, batch_normalization_backward, moments
from tinycnn.testing.strategies import dtypes, generators

shapes = st.one_of(
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=7),
    hnp.array_shapes(min_dims=4, max_dims=4, max_side=4),
)
epsilons = st.sampled_from([1e-5, 1e-3, 0.5])


def by_formula(x, gamma, beta, mean, variance, epsilon):
    """y by the paper's formula, a cell after the other."""
    y = np.empty(x.shape)
    for cell in np.ndindex(x.shape):
        c = cell[-1]
        xhat = (float(x[cell]) - mean[c]) / np.sqrt(variance[c] + epsilon)
        y[cell] = gamma[c] * xhat + beta[c]
    return y


def gradients_by_formula(dy, x, gamma, mean, variance, epsilon):
    """dx, dgamma, dbeta by the chain rule as the paper writes it, through mean and variance."""
    dx, dgamma, dbeta = np.zeros(x.shape), np.zeros(x.shape[-1]), np.zeros(x.shape[-1])
    for c in range(x.shape[-1]):
        cells = [cell for cell in np.ndindex(x.shape) if cell[-1] == c]
        M, deviation = len(cells), np.sqrt(variance[c] + epsilon)
        distance = {cell: float(x[cell]) - mean[c] for cell in cells}
        dxhat = {cell: float(dy[cell]) * gamma[c] for cell in cells}
        dvariance = sum(dxhat[cell] * distance[cell] for cell in cells) * -0.5 * deviation**-3
        dmean = -sum(dxhat.values()) / deviation - 2 * dvariance * sum(distance.values()) / M
        for cell in cells:
            dx[cell] = dxhat[cell] / deviation + dvariance * 2 * distance[cell] / M + dmean / M
            dgamma[c] += float(dy[cell]) * distance[cell] / deviation
            dbeta[c] += float(dy[cell])
    return dx, dgamma, dbeta


def drawn(rng, shape, dtype):
    C = shape[-1]
    x, dy = (3 * rng.standard_normal((2, *shape))).astype(dtype)
    gamma, beta = rng.standard_normal((2, C)).astype(dtype)
    return x, dy, gamma, beta, rng.standard_normal(C), rng.random(C) + 0.1


@settings(max_examples=60)
@given(shapes, dtypes, generators)
def test_moments_are_the_sums_of_their_definition(shape, dtype, rng):
    x = (100 + 3 * rng.standard_normal(shape)).astype(dtype)
    mean, variance = moments(x)
    assert mean.dtype == variance.dtype == np.float64
    for c in range(shape[-1]):
        cells = [float(value) for value in x[..., c].ravel()]
        expected = sum(cells) / len(cells)
        assert error(mean[c], expected) < 1e-14
        spread = sum((value - expected) ** 2 for value in cells) / len(cells)
        assert abs(variance[c] - spread) < 1e-12 * max(spread, 1)


@settings(max_examples=60)
@given(shapes, epsilons, dtypes, generators)
def test_forward_and_backward_are_their_formulas(shape, epsilon, dtype, rng):
    x, dy, gamma, beta, *running = drawn(rng, shape, dtype)
    bound = 4 * np.finfo(dtype).eps
    for of in (running, moments(x)):
        y = batch_normalization(x, gamma, beta, *of, epsilon=epsilon)
        assert y.dtype == dtype
        assert error(y, by_formula(x, gamma, beta, *of, epsilon)) <= 2 * bound
    found = batch_normalization_backward(dy, x, gamma, *of, epsilon=epsilon)
    expected = gradients_by_formula(dy, x, gamma, *of, epsilon)
    # Of dx, three terms may cancel, each as large as its first.
    terms = np.abs(dy).max() * np.abs(gamma / np.sqrt(of[1] + epsilon)).max() * x.size
    assert np.abs(found[0] - expected[0]).max() <= bound * terms
    for mine, theirs in zip(found[1:], expected[1:], strict=True):
        assert mine.dtype == dtype
        assert np.abs(mine - theirs).max() <= bound * max(np.abs(dy).sum(), 1) * 4
    dx, *_ = batch_normalization_backward(dy, x, gamma, *running, epsilon=epsilon, training=False)
    by_hand = np.asarray(dy, np.float64) * gamma / np.sqrt(running[1] + epsilon)
    assert error(dx, by_hand) <= bound


@pytest.mark.parametrize("shape", [(5, 3), (2, 2, 3, 2)])
def test_every_slope(shape):
    x, dy, gamma, beta, *running = drawn(np.random.default_rng(0), shape, np.float64)

    def training(x, gamma, beta):
        return batch_normalization(x, gamma, beta, *moments(x))

    def inference(x, gamma, beta):
        return batch_normalization(x, gamma, beta, *running)

    def agree(f, of, **options):
        dx, dgamma, dbeta = batch_normalization_backward(dy, x, gamma, *of, **options)
        assert error(dx, slopes(lambda x: f(x, gamma, beta), x, dy)) < 1e-8
        assert error(dgamma, slopes(lambda gamma: f(x, gamma, beta), gamma, dy)) < 1e-9
        assert error(dbeta, slopes(lambda beta: f(x, gamma, beta), beta, dy)) < 1e-9

    agree(training, moments(x))
    agree(inference, running, training=False)


def test_by_hand():
    x = np.array([[1.0, 10], [3, 10], [5, 10], [7, 10]])
    mean, variance = moments(x)
    assert mean.tolist() == [4, 10] and variance.tolist() == [5, 0]
    y = batch_normalization(x, [2, 3], [1, -1], mean, variance, epsilon=4)
    np.testing.assert_allclose(y[:, 0], 1 + 2 * np.array([-1, -1 / 3, 1 / 3, 1]), rtol=1e-15)
    assert y[:, 1].tolist() == [-1, -1, -1, -1]  # no variance: beta


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_cell_a_channel_gives_beta_and_no_gradient(dtype):
    x, beta = np.array([[3, -1e30, 1e-30]], dtype), np.array([1, 2, 3], dtype)
    of = moments(x)
    assert_same_bits(of[1], np.zeros(3))
    assert_same_bits(batch_normalization(x, [5, 5, 5], beta, *of, epsilon=1e-300), beta[None])
    dx, dgamma, dbeta = batch_normalization_backward(np.ones_like(x), x, [5, 5, 5], *of)
    assert not dx.any() and not dgamma.any()
    np.testing.assert_array_equal(dbeta, 1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("shape", [(0, 3), (0, 2, 2, 3)])
def test_no_samples(dtype, training, shape):
    x, of = np.empty(shape, dtype), moments(np.empty(shape, dtype))
    assert_same_bits(of, (np.zeros(3), np.zeros(3)))
    gamma = np.ones(3, dtype)
    assert_same_bits(batch_normalization(x, gamma, gamma, *of), x)
    gradients = batch_normalization_backward(x, x, gamma, *of, training=training)
    assert_same_bits(gradients, (x, 0 * gamma, 0 * gamma))


def test_nan_and_infinity_stay_in_their_channel():
    x = np.ones((4, 3))
    x[1, 0], x[2, 1] = np.nan, np.inf
    y = batch_normalization(x, np.ones(3), np.ones(3), *moments(x))
    assert np.isnan(y[:, :2]).all() and (y[:, 2] == 1).all()
    y = batch_normalization(x, np.ones(3), np.ones(3), np.zeros(3), np.ones(3))
    assert np.isnan(y).sum() == 1 and np.isposinf(y).sum() == 1


@settings(max_examples=15)
@given(shapes, dtypes, generators)
def test_any_memory_order_and_type_is_accepted_and_left_alone(shape, dtype, rng):
    C = shape[-1]
    x, dy = whole(rng, shape, dtype), whole(rng, shape, dtype)
    gamma, beta = whole(rng, C, dtype), whole(rng, C, dtype)
    mean, variance = whole(rng, C), whole(rng, C) + 9
    call_is_polite(moments, x)
    call_is_polite(batch_normalization, x, gamma, beta, mean, variance)
    call_is_polite(batch_normalization_backward, dy, x, gamma, mean, variance)
    call_converts_once(
        lambda x, gamma, beta: batch_normalization(x, gamma, beta, mean, variance), x, gamma, beta
    )
    call_converts_once(
        lambda dy, x, gamma: batch_normalization_backward(dy, x, gamma, mean, variance),
        dy, x, gamma,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_for_every_thread_count_and_run(monkeypatch, dtype):
    x, dy, gamma, beta, mean, variance = drawn(np.random.default_rng(0), (3, 5, 7, 8), dtype)
    monkeypatch.setattr(batch_norm, "_CELLS", 100)
    for call in (
        lambda: moments(x),
        lambda: batch_normalization(x, gamma, beta, mean, variance),
        lambda: batch_normalization_backward(dy, x, gamma, mean, variance),
    ):
        with untouched(x, dy):
            call_is_repeatable(monkeypatch, call)


X, ONES = np.ones((2, 3, 4, 5)), np.ones(5)


@pytest.mark.parametrize(
    ("kind", "message", "arguments"),
    [
        (ShapeError, r"^x must have the axes \(N, H, W, C\), got shape \(3, 4, 5\)", {"x": X[0]}),
        (ShapeError, r"^x must have the axes \(N, C\), got shape \(5,\)", {"x": ONES}),
        (ShapeError, "^x's axis C must not be empty", {"x": X[..., :0]}),
        (ShapeError, r"^gamma must have shape \(5,\) \(one number for each", {"gamma": np.ones(4)}),
        (ShapeError, r"^variance must have shape \(5,\)", {"variance": np.ones(1)}),
        (ShapeError, r"^mean must have the axes \(C\)", {"mean": 3.0}),
        (DTypeError, "^x must hold real numbers, got dtype object", {"x": X.astype(object)}),
        (ArgumentError, "^epsilon must be a finite number above 0, got 0$", {"epsilon": 0}),
        (ArgumentError, "^epsilon must be a finite number above 0, got nan$", {"epsilon": np.nan}),
        (ArgumentError, "^a variance must be from 0 up, got -2$", {"variance": -2 * ONES}),
    ],
)
def test_bad_input(kind, message, arguments):
    usual = {"x": X, "gamma": ONES, "mean": ONES, "variance": ONES}
    with pytest.raises(kind, match=message):
        batch_normalization(**{"beta": ONES, **usual, **arguments})
    with pytest.raises(kind, match=message):
        batch_normalization_backward(**{"dy": arguments.get("x", X), **usual, **arguments})


def test_dy_and_beta_of_another_shape():
    with pytest.raises(ShapeError, match=r"^dy must have shape .* \(the shape of x\), got shape"):
        batch_normalization_backward(X[:1], X, ONES, ONES, ONES)
    with pytest.raises(ShapeError, match=r"^beta must have shape \(5,\)"):
        batch_normalization(X, ONES, ONES[:2], ONES, ONES)
