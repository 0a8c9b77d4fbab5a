"""The usual operations as people write them in NumPy, right forward and backward, in float64.

They share nothing with the engine. A planted error is one of these with a mistake put in; what the
catalogues check is the checker.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np


@dataclass(frozen=True)
class Windows:
    """Windows over images (N, H, W, C); every pair is (height, width)."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)

    def size(self, x_shape):
        """(OH, OW)."""
        axes = zip(x_shape[1:3], self.kernel, self.stride, self.padding, self.dilation, strict=True)
        return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes)

    def padded(self, x, value=0.0):
        (p, q), (N, H, W, C) = self.padding, x.shape
        padded = np.full(
            (N, H + 2 * p, W + 2 * q, C), value, x.dtype
        )  # np.pad takes ten times as long
        padded[:, p : H + p, q : W + q] = x
        return padded

    def inside(self, padded):
        """A padded image without its padding."""
        (p, q), (_, H, W, _) = self.padding, padded.shape
        return padded[:, p : H - p, q : W - q]

    def taps(self, size):
        """For each cell (i, j) of a window: where all windows together meet it, in the padded image."""
        return _taps(self, size)

    def cells(self, size):
        """The cells (OH, OW, KH, KW) of all windows, in the padded images."""
        return _cells(self, size)

    def positions(self, size):
        """Each window by itself, in row-major order: ((oh, ow), where it lies in the padded image)."""
        (kh, kw), (sh, sw), (dh, dw) = self.kernel, self.stride, self.dilation
        for oh, ow in np.ndindex(*size):
            rows = slice(oh * sh, oh * sh + dh * (kh - 1) + 1, dh)
            columns = slice(ow * sw, ow * sw + dw * (kw - 1) + 1, dw)
            yield (oh, ow), (rows, columns)


@cache  # a check asks thousands of times
def _taps(windows, size):
    def seen(cell):
        axes = zip(cell, windows.dilation, size, windows.stride, strict=True)
        return (slice(at * d, at * d + (n - 1) * s + 1, s) for at, d, n, s in axes)

    return [(cell, (slice(None), *seen(cell))) for cell in np.ndindex(windows.kernel)]


@cache
def _cells(windows, size):
    rows, columns = (
        (s * np.arange(n)[:, np.newaxis] + d * np.arange(k))
        for n, s, d, k in zip(size, windows.stride, windows.dilation, windows.kernel, strict=True)
    )
    return slice(None), rows[:, np.newaxis, :, np.newaxis], columns[:, np.newaxis, :]


@dataclass(frozen=True)
class Conv:
    """y = correlation of x (N, H, W, C) with W (KH, KW, C // groups, F), plus b (F,)."""

    windows: Windows
    groups: int = 1

    def forward(self, x, W, b):
        (N, _, _, C), F = x.shape, W.shape[3]
        size = self.windows.size(x.shape)
        cells = self.windows.padded(x)[self.windows.cells(size)]  # (N, OH, OW, KH, KW, C)
        y = np.empty((N, *size, F))
        for channels, filters in self.slices(C, F):
            rows = cells[..., channels].reshape(N * size[0] * size[1], -1)
            products = rows @ W[..., filters].reshape(rows.shape[1], -1)
            y[..., filters] = products.reshape(*y.shape[:3], -1)
        return y + b

    def slices(self, C, F):
        """For each group: its channels and its filters."""
        c, f = C // self.groups, F // self.groups
        return [(slice(g * c, g * c + c), slice(g * f, g * f + f)) for g in range(self.groups)]

    def padded_gradient(self, dy, W, x_shape):
        dxp = self.windows.padded(np.zeros(x_shape))
        for (i, j), at in self.windows.taps(dy.shape[1:3]):
            for channels, filters in self.slices(x_shape[3], W.shape[3]):
                dxp[at][..., channels] += dy[..., filters] @ W[i, j][:, filters].T
        return dxp

    def image_gradient(self, dy, W, x_shape):
        return self.windows.inside(self.padded_gradient(dy, W, x_shape))

    def weight_gradient(self, dy, x, W_shape):
        xp, dW = self.windows.padded(x), np.zeros(W_shape)
        for (i, j), at in self.windows.taps(dy.shape[1:3]):
            for channels, filters in self.slices(x.shape[3], W_shape[3]):
                dW[i, j][:, filters] = np.einsum(
                    "nhwc,nhwf->cf", xp[at][..., channels], dy[..., filters]
                )
        return dW

    def bias_gradient(self, dy):
        return dy.sum(axis=(0, 1, 2))

    def backward(self, dy, x, W, b):
        return (
            self.image_gradient(dy, W, x.shape),
            self.weight_gradient(dy, x, W.shape),
            self.bias_gradient(dy),
        )


@dataclass(frozen=True)
class MaxPool:
    """The maximum of each window; padding never wins, the first of equal maxima gets the gradient."""

    windows: Windows

    def forward(self, x):
        xp, size = self.windows.padded(x, -np.inf), self.windows.size(x.shape)
        return xp[self.windows.cells(size)].max(axis=(3, 4))

    def share(self, window):
        """Of each cell of a window (KH, KW): what part of the gradient it gets."""
        mask = np.zeros(window.shape)
        mask.flat[np.argmax(window)] = 1
        return mask

    def backward(self, dy, x):
        return self.windows.inside(self.padded_gradient(dy, x, self.share))

    def padded_gradient(self, dy, x, share, overwrite=False):
        """``overwrite``: what a window gives its cells replaces what they had."""
        xp = self.windows.padded(x, -np.inf)
        dxp = np.zeros(xp.shape)
        for n, c in np.ndindex(len(x), x.shape[3]):
            for (oh, ow), (rows, columns) in self.windows.positions(dy.shape[1:3]):
                at = n, rows, columns, c
                given = share(xp[at]) * dy[n, oh, ow, c]
                dxp[at] = given if overwrite else dxp[at] + given
        return dxp


@dataclass(frozen=True)
class AvgPool:
    """The mean of each window's cells inside the image."""

    windows: Windows

    def cells(self, x_shape):
        """(OH, OW, 1): how many cells of each window lie in the image."""
        inside = self.windows.padded(np.ones((1, *x_shape[1:3], 1)))
        return sum(inside[at] for _, at in self.windows.taps(self.windows.size(x_shape)))[0]

    def forward(self, x):
        xp, size = self.windows.padded(x), self.windows.size(x.shape)
        return sum(xp[at] for _, at in self.windows.taps(size)) / self.cells(x.shape)

    def spread(self, dy, x_shape):
        """Each dy into all cells of its window, added up."""
        dxp = self.windows.padded(np.zeros(x_shape))
        for _, at in self.windows.taps(dy.shape[1:3]):
            dxp[at] += dy
        return self.windows.inside(dxp)

    def backward(self, dy, x):
        return self.spread(dy / self.cells(x.shape), x.shape)


# ------------------------------------------------------------------- the rest: functions in pairs


@dataclass(frozen=True)
class Pair:
    """Two functions."""

    forward: Callable
    backward: Callable


DENSE = Pair(
    lambda x, W, b: x @ W + b,
    lambda dy, x, W, b: (dy @ W.T, x.T @ dy, dy.sum(0)),
)
RELU = Pair(lambda x: np.maximum(x, 0), lambda dy, x: dy * (x > 0))
TANH = Pair(lambda x: np.tanh(x), lambda dy, x: dy * (1 - np.tanh(x) ** 2))


def sigmoid(x):
    return 0.5 * (1 + np.tanh(x / 2))


SIGMOID = Pair(lambda x: sigmoid(x), lambda dy, x: dy * sigmoid(x) * (1 - sigmoid(x)))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_backward(dy, x):
    y = softmax(x)
    return y * (dy - (dy * y).sum(-1, keepdims=True))


SOFTMAX = Pair(lambda x: softmax(x), softmax_backward)


@dataclass(frozen=True)
class CrossEntropy:
    """Mean over N of -log softmax(x)[label]."""

    labels: np.ndarray

    def forward(self, x):
        top = x.max(-1, keepdims=True)
        shifted = x - top
        log_sum = np.log(np.exp(shifted).sum(-1))
        return (log_sum - shifted[np.arange(len(x)), self.labels]).mean()

    def backward(self, dy, x):
        p = softmax(x)
        p[np.arange(len(p)), self.labels] -= 1
        return dy * p / len(p)


@dataclass(frozen=True)
class Dropout:
    """Inverted dropout with a mask that is given."""

    mask: np.ndarray
    rate: float

    def forward(self, x):
        return x * self.mask / (1 - self.rate)

    def backward(self, dy, x):
        return dy * self.mask / (1 - self.rate)


@dataclass(frozen=True)
class LRN:
    """y_i = x_i / s_i^beta with s_i = k + alpha * sum of x_j^2 over |i - j| <= size // 2."""

    size: int = 3
    alpha: float = 0.3
    beta: float = 0.75
    k: float = 2.0

    def near(self, a):
        """The sum of a over each channel's neighbours, itself among them."""
        half, C = self.size // 2, a.shape[-1]
        windows = [a[..., max(0, c - half) : c + half + 1].sum(-1) for c in range(C)]
        return np.stack(windows, -1)

    def scale(self, x):
        return self.k + self.alpha * self.near(x * x)

    def forward(self, x):
        return x / self.scale(x) ** self.beta

    def backward(self, dy, x):
        s = self.scale(x)
        cross = self.near(dy * x / s ** (self.beta + 1))
        return dy / s**self.beta - 2 * self.alpha * self.beta * x * cross
