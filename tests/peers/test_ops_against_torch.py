"""Every op that PyTorch has, forward and backward in float64, over a wide sample of arguments."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_convolutions import check_op, count, expect, formulas
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from twins import error

import tinycnn as tc
from tinycnn import ops
from tinycnn.errors import ShapeError
from tinycnn.layers import BatchNormalization, GlobalAveragePool2D
from tinycnn.testing.strategies import Convolution, SlidingWindow, convolutions, generators

pytestmark = pytest.mark.peers

BOUND = 1e-10  # of a tensor's largest value
generous = settings(max_examples=500)


def channels_first(array):
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


def channels_last(tensor):
    return np.moveaxis(tensor.detach().numpy(), 1, -1)


def leaf(torch, array):
    """A tensor that PyTorch works out the gradient of."""
    return torch.tensor(array, requires_grad=True)


def agree(*pairs):
    for ours, theirs in pairs:
        theirs = theirs.detach().numpy() if hasattr(theirs, "detach") else theirs
        assert ours.dtype == theirs.dtype == np.float64
        assert ours.shape == theirs.shape
        assert error(ours, theirs) <= BOUND


# ---------------------------------------------------------------------------------- convolution


def convolution_agrees(torch, case, rng):
    x, W = rng.standard_normal(case.x_shape), rng.standard_normal(case.W_shape)
    b = rng.standard_normal(case.filters) if case.bias else None
    dy = rng.standard_normal(case.y_shape)
    y = ops.conv2d(x, W, b, **case.options)
    ours = y, *ops.conv2d_backward(dy, x, W, **case.options, y=y)
    agree(*zip(ours, torch_convolution(torch, x, W, b, dy, case), strict=True))


def torch_convolution(torch, x, W, b, dy, case):
    """PyTorch's (y, dx, dW, db) in float64."""
    (top, bottom), (left, right) = case.geometry.pads
    x_, W_ = leaf(torch, channels_first(x)), leaf(torch, W.transpose(3, 2, 0, 1).copy())
    b_ = leaf(torch, np.zeros(case.filters) if b is None else b)
    dy_ = torch.tensor(channels_first(dy))
    padded = torch.nn.functional.pad(x_, (left, right, top, bottom))
    y_ = torch.nn.functional.conv2d(
        padded,
        W_,
        b_,
        stride=case.geometry.stride,
        dilation=case.geometry.dilation,
        groups=case.groups,
    )
    y_ = torch.relu(y_) if case.activation else y_
    y_.backward(dy_)
    return (
        channels_last(y_),
        channels_last(x_.grad),
        W_.grad.numpy().transpose(2, 3, 1, 0),
        b_.grad.numpy(),
    )


@generous
@given(case=convolutions(), rng=generators)
def test_conv2d(torch, case, rng):
    convolution_agrees(torch, case, rng)


@pytest.mark.slow
def test_every_algorithm(torch):
    """Five thousand drawn convolutions, in float32 and float64, and how many each algorithm took."""

    def oracle(x, W, b, dy, y, case):
        if not x.size:  # PyTorch knows no gradient of no images
            return formulas(x, W, b, dy, y, case)
        # A ReLU lets pass what ours did: near 0 rounding decides.
        dz = np.where(y <= 0, 0, dy) if case.activation else dy
        x, W, dz = (np.float64(array) for array in (x, W, dz))
        b = None if b is None else np.array(b, np.float64, order="C")
        linear = replace(case, activation=None)
        z, *gradients = torch_convolution(torch, x, W, b, dz, linear)
        return np.maximum(z, 0) if case.activation else z, *gradients

    (took,) = count(lambda given, rng: check_op(given, rng, oracle), settings(max_examples=5000))
    assert took.total() >= 5000
    expect(took, least=400)


@pytest.mark.parametrize("planted", ["height and width swapped", "0.1 % too large", "shifted"])
def test_the_comparison_sees_a_planted_error(torch, monkeypatch, planted):
    geometry = SlidingWindow((2, 6, 7, 4), (3, 2), (2, 1), ((1, 1), (1, 1)), (1, 1), (3, 8))
    case = Convolution(geometry, filters=6, groups=2, bias=True, activation="relu")
    convolution_agrees(torch, case, np.random.default_rng(0))
    forward = ops.conv2d

    def wrong(x, W, b, **options):
        if planted == "height and width swapped":
            W = W.swapaxes(0, 1).reshape(W.shape)
        elif planted == "shifted":
            options["padding"] = ((0, 2), (1, 1))
        y = forward(x, W, b, **options)
        return y * 1.001 if planted == "0.1 % too large" else y

    monkeypatch.setattr(ops, "conv2d", wrong)
    with pytest.raises(AssertionError):
        convolution_agrees(torch, case, np.random.default_rng(0))


# ---------------------------------------------------------------------------------------- pools


@st.composite
def pools(draw, max_dilation=1):
    """Arguments that PyTorch takes too: padding is the same on both sides and at most half a kernel."""
    kernel = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    dilation = draw(st.integers(1, max_dilation)), draw(st.integers(1, max_dilation))
    effective_kernel = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    sizes = tuple(
        draw(st.integers(max(r - 2 * p, 1), r + 8))
        for r, p in zip(effective_kernel, padding, strict=True)
    )
    options = {
        "kernel": kernel,
        "stride": draw(st.none() | st.tuples(st.integers(1, 5), st.integers(1, 5))),
        "padding": padding,
        "ceil_mode": draw(st.booleans()),
    }
    if max_dilation > 1:
        options["dilation"] = dilation
    shape = draw(st.integers(1, 3)), *sizes, draw(st.integers(1, 4))
    return shape, options


@generous
@given(pool=pools(max_dilation=3), rng=generators, integers=st.booleans())
def test_max_pool2d(torch, pool, rng, integers):
    shape, options = pool
    x = rng.standard_normal(shape)
    x = np.round(x) if integers else x  # then there are ties
    x_, keywords = leaf(torch, channels_first(x)), dict(options)
    kernel = keywords.pop("kernel")
    y_ = torch.nn.functional.max_pool2d(x_, kernel, **keywords)
    if not torch.isfinite(y_).all():  # a window wholly in the padding: PyTorch's is -inf
        with pytest.raises(ShapeError, match="wholly in the padding"):
            ops.max_pool2d(x, **options)
        return
    dy = rng.standard_normal(channels_last(y_).shape)
    y_.backward(torch.tensor(channels_first(dy)))
    y, winner = ops.max_pool2d(x, **options)
    dx = ops.max_pool2d_backward(dy, winner, shape, **options)
    agree((y, channels_last(y_)), (dx, channels_last(x_.grad)))


@generous
@given(pool=pools(), rng=generators, count_include_pad=st.booleans())
def test_avg_pool2d(torch, pool, rng, count_include_pad):
    shape, options = pool
    options = {**options, "count_include_pad": count_include_pad}
    x = rng.standard_normal(shape)
    x_, keywords = leaf(torch, channels_first(x)), dict(options)
    kernel = keywords.pop("kernel")
    y_ = torch.nn.functional.avg_pool2d(x_, kernel, **keywords)
    dy = rng.standard_normal(channels_last(y_).shape)
    y_.backward(torch.tensor(channels_first(dy)))
    y, dx = ops.avg_pool2d(x, **options), ops.avg_pool2d_backward(dy, shape, **options)
    agree((y, channels_last(y_)), (dx, channels_last(x_.grad)))


# ----------------------------------------------------------------------------------- all others


@generous
@given(
    shape=hnp.array_shapes(min_dims=2, max_dims=4, max_side=5),
    F=st.integers(2, 40),
    activation=st.sampled_from([None, "relu", "softmax"]),
    rng=generators,
)
def test_dense(torch, shape, F, activation, rng):
    x, dy = rng.standard_normal(shape), rng.standard_normal((shape[0], F))
    W, b = rng.standard_normal((x[0].size, F)), rng.standard_normal(F)
    W /= np.sqrt(len(W))  # so that a softmax leaves every class a chance, and a gradient
    y = ops.dense(x, W, b, activation=activation)
    dx, dW, db = ops.dense_backward(dy, x, W, activation=activation, y=y)
    x_, W_, b_ = (leaf(torch, array) for array in (x, W, b))
    y_ = torch.nn.functional.linear(x_.flatten(1), W_.T, b_)
    y_ = torch.relu(y_) if activation == "relu" else y_
    y_ = torch.softmax(y_, 1) if activation == "softmax" else y_
    y_.backward(torch.tensor(dy))
    agree((y, y_), (dx, x_.grad), (dW, W_.grad), (db, b_.grad))


@generous
@given(shape=hnp.array_shapes(max_dims=4, max_side=6), rng=generators)
def test_relu(torch, shape, rng):
    x, dy = rng.integers(-2, 3, shape).astype(float), rng.standard_normal(shape)
    x_ = leaf(torch, x)
    y_ = torch.relu(x_)
    y_.backward(torch.tensor(dy))
    agree((ops.relu(x), y_), (ops.relu_backward(dy, ops.relu(x)), x_.grad))


@generous
@given(
    shape=hnp.array_shapes(max_dims=4, min_side=2, max_side=6),
    rng=generators,
    axis=st.integers(-4, 3),
    scale=st.sampled_from([1, 2]),  # where one class is certain, the gradient is rounding
)
def test_softmax(torch, shape, rng, axis, scale):
    axis = axis % len(shape) if axis >= 0 else -1 - (-1 - axis) % len(shape)
    x, dy = scale * rng.standard_normal(shape), rng.standard_normal(shape)
    x_ = leaf(torch, x)
    y_ = torch.softmax(x_, axis)
    y_.backward(torch.tensor(dy))
    y = ops.softmax(x, axis)
    agree((y, y_), (ops.softmax_backward(dy, y, axis), x_.grad))
    certain = 100 * x
    agree((ops.softmax(certain, axis), torch.softmax(torch.tensor(certain), axis)))


@generous
@given(
    N=st.integers(1, 8),
    F=st.integers(2, 30),
    rng=generators,
    scale=st.sampled_from([1, 30, 1e4]),
)
def test_cross_entropy(torch, N, F, rng, scale):
    logits, labels = scale * rng.standard_normal((N, F)), rng.integers(0, F, N)
    loss, dlogits = ops.cross_entropy(logits, labels)
    logits_ = leaf(torch, logits)
    loss_ = torch.nn.functional.cross_entropy(logits_, torch.tensor(labels))
    loss_.backward()
    # Of an image that is certain, nearly everything cancels: rounding there is of the logits' size.
    assert abs(loss - loss_.item()) <= BOUND * max(loss_.item(), 1e-5)
    assert np.abs(dlogits - logits_.grad.numpy()).max() <= BOUND / N


@generous
@given(
    shape=hnp.array_shapes(min_dims=4, max_dims=4, max_side=4),
    channels=st.integers(1, 12),
    size=st.sampled_from([1, 3, 5, 9]),
    alpha=st.sampled_from([0.0, 1e-4, 0.3, 1.0]),
    beta=st.sampled_from([0.5, 0.75, 1.3]),
    k=st.sampled_from([0.5, 1.0, 2.0]),
    rng=generators,
)
def test_local_response_norm(torch, shape, channels, size, alpha, beta, k, rng):
    shape = (*shape[:3], channels)
    x, dy = 3 * rng.standard_normal(shape), rng.standard_normal(shape)
    options = {"size": size, "alpha": alpha, "beta": beta, "k": k, "alpha_over_size": True}
    x_ = leaf(torch, channels_first(x))
    y_ = torch.nn.functional.local_response_norm(x_, size, alpha, beta, k)
    y_.backward(torch.tensor(channels_first(dy)))
    y, dx = (
        ops.local_response_norm(x, **options),
        ops.local_response_norm_backward(dy, x, **options),
    )
    agree((y, channels_last(y_)), (dx, channels_last(x_.grad)))


def test_global_average_pool2d(torch):
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((3, 5, 4, 7)), rng.standard_normal((3, 7))
    theirs = torch.tensor(x, requires_grad=True)
    y = torch.nn.functional.adaptive_avg_pool2d(theirs.permute(0, 3, 1, 2), 1).flatten(1)
    y.backward(torch.tensor(dy))
    trace = tc.Sequential([GlobalAveragePool2D()], (5, 4, 7), dtype="float64").trace(x)
    trace.backward(dy)
    np.testing.assert_allclose(trace.y, y.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(trace.records[0].dx, theirs.grad.numpy(), rtol=1e-12)


# ------------------------------------------------------------------------- batch normalisation


@generous
@given(
    st.one_of(
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=9),
        hnp.array_shapes(min_dims=4, max_dims=4, min_side=2, max_side=5),
    ),
    st.sampled_from([1e-5, 1e-3, 0.5]),
    st.booleans(),
    generators,
)
def test_batch_normalization(torch, shape, epsilon, training, rng):
    C = shape[-1]
    x, dy, gamma, beta = (rng.standard_normal(s) for s in (shape, shape, (C,), (C,)))
    mean, variance = rng.standard_normal(C), rng.random(C) + 0.1
    x_, gamma_, beta_ = leaf(torch, channels_first(x)), leaf(torch, gamma), leaf(torch, beta)
    y_ = torch.nn.functional.batch_norm(
        x_, torch.tensor(mean), torch.tensor(variance), gamma_, beta_, training, 0.1, epsilon
    )
    y_.backward(torch.tensor(channels_first(dy)))
    of = ops.moments(x) if training else (mean, variance)
    y = ops.batch_normalization(x, gamma, beta, *of, epsilon=epsilon)
    dx, dgamma, dbeta = ops.batch_normalization_backward(
        dy, x, gamma, *of, epsilon=epsilon, training=training
    )
    agree((y, channels_last(y_)), (dbeta, beta_.grad), (dgamma, gamma_.grad))
    # Of two cells a channel, dx is epsilon's share of terms that cancel.
    size = np.abs(dy).max() * np.abs(gamma / np.sqrt(of[1] + epsilon)).max()
    assert np.abs(dx - channels_last(x_.grad)).max() <= BOUND * size


def test_running_statistics(torch):
    """PyTorch's momentum is the new batch's weight, and its running variance the unbiased one."""
    rng = np.random.default_rng(0)
    theirs = torch.nn.BatchNorm2d(3, momentum=0.25, dtype=torch.float64)
    model = tc.Sequential([BatchNormalization(momentum=0.75)], (4, 5, 3), dtype="float64")
    variance = np.ones(3)
    for _ in range(5):
        x = 2 + rng.standard_normal((6, 4, 5, 3))
        theirs(torch.tensor(channels_first(x)))
        model.update_state(model.trace(x, training=True).next_state())
        variance = 0.75 * variance + 0.25 * x.reshape(-1, 3).var(axis=0, ddof=1)
    M = 6 * 4 * 5
    state, steps = model.state(), 0.75**5
    agree((state["batchnorm1.mean"], theirs.running_mean))
    agree((variance, theirs.running_var))
    biased = steps + (variance - steps) * (M - 1) / M
    np.testing.assert_allclose(state["batchnorm1.variance"], biased, rtol=1e-12)
