"""Operations whose gradients are hard to see: behind coarse rounding, at extreme scales, dead."""

import functools

import numpy as np
from checking.numpy_ops import Pair


def _cast(op, there, back=np.float64):
    """``op`` with every array converted, and its results converted back."""

    def through(function):
        @functools.wraps(function)
        def cast(*arrays):
            result = function(*(np.asarray(array).astype(there) for array in arrays))
            if isinstance(result, tuple):
                return tuple(np.asarray(array).astype(back) for array in result)
            return np.asarray(result).astype(back)

        return cast

    return Pair(through(op.forward), through(op.backward))


def in_float32(op):
    """What a user's own cast does, or a module of PyTorch: float32 inside, float64 outside."""
    return _cast(op, np.float32)


def in_float16(op):
    return _cast(op, np.float16)


def rounded(op, digits):
    """Outputs rounded to so many digits; the gradient is that of what was rounded."""

    @functools.wraps(op.forward)
    def forward(*arrays):
        return np.round(op.forward(*arrays), digits)

    return Pair(forward, op.backward)


def in_units(scale):
    """tanh of x in other units, and its output in the same."""
    return Pair(
        lambda x: np.tanh(x / scale) * scale, lambda dy, x: dy * (1 - np.tanh(x / scale) ** 2)
    )


def _two_layers_backward(dy, x, W, V):
    on = x @ W > 0
    dz = (dy @ V.T) * on
    return dz @ W.T, x.T @ dz, (x @ W * on).T @ dy


TWO_LAYERS = Pair(lambda x, W, V: np.maximum(x @ W, 0) @ V, _two_layers_backward)


def _dead_backward(dy, x, W):
    dz = dy * (x @ W > 100)
    return dz @ W.T, x.T @ dz


DEAD = Pair(lambda x, W: np.maximum(x @ W - 100, 0), _dead_backward)
GAIN = Pair(lambda x, gain: gain * x, lambda dy, x, gain: (dy * gain, (dy * x).sum(0)))
EXP = Pair(lambda x: np.exp(x), lambda dy, x: dy * np.exp(x))
SQUARE = Pair(lambda x: x * x, lambda dy, x: 2 * dy * x)
LARGE_SQUARE = Pair(lambda x: 1e100 * (x * x), lambda dy, x: 2e100 * dy * x)


def shifted(offset):
    return Pair(lambda x: x + x.dtype.type(offset), lambda dy, x: dy)


class Normalization:
    """Over all axes but the last, with gain and shift: (x - mean) / sqrt(var + eps)."""

    def __init__(self, less=0, eps=1e-3):
        self.less, self.eps = less, eps  # the variance is divided by N - less

    def parts(self, x):
        """d = x - mean, N, and the standard deviation."""
        axes = tuple(range(x.ndim - 1))
        d, size = x - x.mean(axes), x[..., 0].size
        return d, size, np.sqrt((d * d).sum(axes) / (size - self.less) + self.eps)

    def forward(self, x, gain, shift):
        d, _, s = self.parts(x)
        return gain * d / s + shift

    def backward(self, dy, x, gain, shift):
        axes, (d, _, s) = tuple(range(x.ndim - 1)), self.parts(x)
        return self.image_gradient(dy * gain, x), (dy * d / s).sum(axes), dy.sum(axes)

    def image_gradient(self, dz, x, *, mean=True, variance=True, less=None, eps=None):
        """dx, or what it is with a part left out, by another divisor, with another eps."""
        d, size, s = self.parts(x) if eps is None else type(self)(self.less, eps).parts(x)
        axes = tuple(range(x.ndim - 1))
        over = size - (self.less if less is None else less)
        dx = dz - dz.mean(axes) * mean
        return (dx - variance * d * (dz * d).sum(axes) / (over * s * s)) / s
