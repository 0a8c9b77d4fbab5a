"""The rectifier and softmax, each with its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_input_array, common_dtype, expect_shape, ieee
from tinycnn.errors import ShapeError
from tinycnn.kernels import relu as kernels
from tinycnn.kernels import softmax as rows
from tinycnn.runtime import memory
from tinycnn.runtime.by_ranges import ByRanges, by_ranges
from tinycnn.validation import check_int

__all__ = ["relu", "relu_backward", "softmax", "softmax_backward"]

# Numbers a block: some three microseconds.
_CELLS = 1 << 15
# Numbers of rows a block, some five microseconds; a row takes as long as this many besides.
_NUMBERS, _ROW = 1 << 14, 16


def relu(x: ArrayLike) -> Array:
    """Rectify: y = max(0, x), in ``x``'s shape; NaN stays NaN.

    Source: Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.

    Raises DTypeError for what holds no real numbers, ShapeError for lists of unequal lengths.
    """
    dtype = common_dtype(x)
    x = as_input_array(x, "x", "...", dtype)
    y = memory.output(x.shape, dtype)
    by_ranges(*rectification(x, y))
    return y


def rectification(x: Any, y: Any) -> ByRanges:
    """What writes y of `relu`."""
    return ByRanges(kernels.relu, x.size, _CELLS, (x.reshape(-1),), (y.reshape(-1),))


def relu_backward(dy: ArrayLike, y: ArrayLike) -> Array:
    """Gradient of `relu`: dx = ``dy`` where y > 0, else 0, in ``y``'s shape.

    The output tells where the input was positive, so ``y`` is all that must be kept. At 0 the
    slope is taken as 0. A NaN in ``y`` lets dy pass.

    Raises ShapeError where ``dy`` has another shape than ``y``, DTypeError for what holds no real
    numbers.
    """
    dtype = common_dtype(dy, y)
    dy, y = as_input_array(dy, "dy", "...", dtype), as_input_array(y, "y", "...", dtype)
    expect_shape(dy, y.shape, "dy", "the shape of y")
    dx = memory.output(dy.shape, dtype)
    by_ranges(*gradient_of_rectification(dy, y, dx))
    return dx


def gradient_of_rectification(dy: Any, y: Any, dx: Any) -> ByRanges:
    """What writes dx of `relu_backward`."""
    given = dy.reshape(-1), y.reshape(-1)
    return ByRanges(kernels.relu_backward, dy.size, _CELLS, given, (dx.reshape(-1),))


def softmax(x: ArrayLike, axis: int = -1) -> Array:
    """Turn logits ``x`` into probabilities: y = exp(x) / sum(exp(x)) along ``axis``, in x's shape.

    The largest logit is subtracted first, which changes nothing (it cancels) and keeps exp from
    overflowing. Where the largest is NaN or infinite, the result is NaN. Source: Bridle,
    "Probabilistic interpretation of feedforward classification network outputs", 1990; the shift:
    Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax functions", 2021.

    Raises ShapeError for a single number, DTypeError for what holds no real numbers, ArgumentError for
    an axis that is not there.
    """
    x = as_input_array(x, "x", "...", common_dtype(x))
    axis = _axis(axis, x)
    if x.size == 0:
        return x.copy()
    if not _in_rows(x, axis):
        return _softmax(x, axis)
    y = memory.output(x.shape, x.dtype)
    by_ranges(*softmax_of_rows(x, y))
    return y


def softmax_of_rows(x: Any, y: Any) -> ByRanges:
    """What writes y of `softmax` along the last axis, in float32."""
    return _by_rows(rows.softmax, (x,), y)


def softmax_backward(dy: ArrayLike, y: ArrayLike, axis: int = -1) -> Array:
    """Gradient of `softmax`: dx = y * (dy - sum(dy * y)) along ``axis``, in ``y``'s shape.

    ``dy`` is the gradient of ``y``, what `softmax` returned. The Jacobian is diag(y) - y y^T,
    symmetric, so dx = (diag(y) - y y^T) dy.

    Raises ShapeError where ``dy`` has another shape than ``y`` or both are single numbers, DTypeError
    for what holds no real numbers, ArgumentError for an axis that is not there.
    """
    dtype = common_dtype(dy, y)
    dy, y = as_input_array(dy, "dy", "...", dtype), as_input_array(y, "y", "...", dtype)
    expect_shape(dy, y.shape, "dy", "the shape of y")
    axis = _axis(axis, y)
    if not _in_rows(y, axis) or y.size == 0:
        return _softmax_backward(dy, y, axis)
    dx = memory.output(y.shape, dtype)
    by_ranges(*gradient_of_rows(dy, y, dx))
    return dx


def gradient_of_rows(dy: Any, y: Any, dx: Any) -> ByRanges:
    """What writes dx of `softmax_backward`, likewise."""
    return _by_rows(rows.softmax_backward, (dy, y), dx)


def _in_rows(x: Array, axis: int) -> bool:
    """Whether kernels can do it; the formula below is for float64 and for any axis."""
    return x.dtype == np.float32 and axis % x.ndim == x.ndim - 1


def _by_rows(kernel: Callable[..., None], read: tuple[Any, ...], y: Any) -> ByRanges:
    """What has a kernel work on the rows of the last axis."""
    F, given = y.shape[-1], tuple([array.reshape(-1) for array in read])
    return ByRanges(kernel, y.size // F, _NUMBERS // (F + _ROW), given, (F, y.reshape(-1)))


@ieee
def _softmax(x: Array, axis: int) -> Array:
    y: Array = np.exp(x - x.max(axis=axis, keepdims=True))
    y /= y.sum(axis=axis, keepdims=True)
    return y


@ieee
def _softmax_backward(dy: Array, y: Array, axis: int) -> Array:
    dx: Array = y * (dy - (dy * y).sum(axis=axis, keepdims=True))
    return dx


def _axis(axis: int, x: Array) -> int:
    if x.ndim == 0:
        raise ShapeError("softmax needs an axis to run along, got a single number")
    return check_int(axis, "axis", least=-x.ndim, most=x.ndim - 1)
