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


def relu(a: Arguments) -> Array:
    """The rectified linear unit of x."""
    y: Array = np.where(a["x"] > 0, a["x"], 0.0)
    return y


def relu_gradient(a: Arguments) -> Array:
    """The gradient dx of ReLU for its dy: 0 at x = 0."""
    dx: Array = np.where(a["x"] > 0, a["dy"], 0.0)
    return dx


def dense(a: Arguments, **changed: object) -> Array:
    """The output y of a fully connected layer of x, W and b."""
    a = {**a, **changed}
    y: Array = np.einsum("nd,df->nf", a["x"], a["W"]) + a["b"]
    return y


def dense_gradients(a: Arguments, **changed: object) -> tuple[Array, Array, Array]:
    """The gradients dx, dW and db of a fully connected layer for its dy."""
    a = {**a, **changed}
    dy, x, W = a["dy"], a["x"], a["W"]
    return np.einsum("nf,df->nd", dy, W), np.einsum("nf,nd->df", dy, x), dy.sum(0)


def unrolled(a: Arguments, **changed: object) -> Array:
    """The windows of x (kernel, stride, padding, all in pairs) as six axes: (N, OH, OW, KH, KW, C)."""
    a = {**a, **changed}
    x, kernel, stride, padding = a["x"], a["kernel"], a["stride"], a["padding"]
    size = outputs(x.shape[1:3], kernel, stride, padding)
    cols = np.empty((len(x) * size[0] * size[1], *kernel, x.shape[3]))
    reference.im2col(x, 0, 0, size, stride, padding, (1, 1), cols)
    return cols.reshape(len(x), *size, *cols.shape[1:])


def rolled_back(a: Arguments, **changed: object) -> Array:
    """The numbers of cols added to the cells of an image of x_shape that they were read from."""
    a = {**a, **changed}
    shape, kernel, stride, padding = a["x_shape"], a["kernel"], a["stride"], a["padding"]
    cols, x = a["cols"].reshape(len(a["cols"]), *kernel, shape[3]), np.zeros(shape)
    size = outputs(shape[1:3], kernel, stride, padding)
    reference.col2im(cols, 0, 0, size, stride, padding, (1, 1), x)
    return x


def outputs(
    image: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
) -> tuple[int, int]:
    """How many windows an image has below and beside each other."""
    sizes = zip(image, kernel, stride, padding, strict=True)
    OH, OW = ((n + 2 * p - k) // s + 1 for n, k, s, p in sizes)
    return OH, OW


def sgd_step(a: Arguments, **changed: object) -> tuple[Array, Array]:
    """The weights w and velocities v after a step of momentum, weight decay within the velocity."""
    a = {**a, **changed}
    v = a["momentum"] * a["v"] - a["rate"] * (a["g"] + a["weight_decay"] * a["w"])
    return a["w"] + v, v
