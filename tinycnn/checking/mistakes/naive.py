"""Naive twins of operations, their arguments by name, some of them changed: what mistakes are made of."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.kernels import reference
from tinycnn.ops.convolution.conv2d import conv2d, conv2d_backward


def convolution(a: Arguments, **changed: object) -> Array:
    """The output y of a convolution of x, W, b with stride and padding."""
    a = {**a, **changed}
    x, W, b, stride, padding = (a[name] for name in ("x", "W", "b", "stride", "padding"))
    return conv2d(x, W, b, stride=stride, padding=padding, algorithm="reference")


def convolution_gradients(a: Arguments, **changed: object) -> tuple[Array, Array, Array]:
    """The gradients dx, dW and db of a convolution for its dy."""
    a = {**a, **changed}
    dy, x, W, stride, padding = (a[name] for name in ("dy", "x", "W", "stride", "padding"))
    dx, dW, db = conv2d_backward(dy, x, W, stride=stride, padding=padding, algorithm="reference")
    assert dx is not None  # need_dx is True
    return dx, dW, db


def max_pool(a: Arguments) -> tuple[Array, Array]:
    """The maxima of x's windows (kernel, stride), and their argmax within each."""
    x, kernel, stride = a["x"], a["kernel"], a["stride"]
    N, H, W, C = x.shape
    size = [(n - k) // s + 1 for n, k, s in zip((H, W), kernel, stride, strict=True)]
    y = np.empty((N, *size, C))
    argmax = np.empty(y.shape, np.intp)
    reference.max_pool2d(x, 0, N * size[0], kernel, stride, (0, 0), (1, 1), y, argmax)
    return y, argmax


def max_pool_gradient(a: Arguments) -> Array:
    """The gradient dx of max-pooling for its dy."""
    dx = np.empty(a["x"].shape)
    geometry = a["kernel"], a["stride"], (0, 0), (1, 1)
    reference.max_pool2d_backward(a["dy"], max_pool(a)[1], 0, len(dx), *geometry, dx)
    return dx


def response_norm(a: Arguments, **changed: object) -> Array:
    """Local response normalisation of x with size, alpha, beta and k."""
    a = {**a, **changed}
    rows = a["x"].reshape(-1, a["x"].shape[-1])
    y = np.empty(rows.shape)
    reference.local_response_norm(rows, 0, len(rows), *_coefficients(a), y)
    return y.reshape(a["x"].shape)


def response_norm_gradient(a: Arguments, **changed: object) -> Array:
    """The gradient dx of local response normalisation for its dy."""
    a = {**a, **changed}
    x = a["x"].reshape(-1, a["x"].shape[-1])
    dy, dx = a["dy"].reshape(x.shape), np.empty(x.shape)
    reference.local_response_norm_backward(dy, x, 0, len(x), *_coefficients(a), dx)
    return dx.reshape(a["x"].shape)


def _coefficients(a: Arguments) -> tuple[int, float, float, float]:
    return a["size"], a["alpha"], a["beta"], a["k"]


def dropped(values: Array, mask: Array, rate: float) -> Array:
    """Inverted dropout of x, or of dy: what the mask keeps, divided by 1 - rate."""
    y: Array = np.where(mask, values / (1 - rate), 0.0)
    return y
