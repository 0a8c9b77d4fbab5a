"""Batch normalisation: channels moved and scaled to mean 0 and variance 1, then by learnt numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_input_array, common_dtype, expect_axes, expect_shape, read_only
from tinycnn.errors import ArgumentError
from tinycnn.kernels import batch_norm as kernels
from tinycnn.runtime import memory
from tinycnn.runtime.by_ranges import by_ranges, cut
from tinycnn.validation import check_number

__all__ = ["batch_normalization", "batch_normalization_backward", "moments"]

# Numbers a block: some five microseconds.
_CELLS = 1 << 15
# Rows a block, at least: its sums, in float64, are then less than it is.
_ROWS = 16
_WIDE = np.dtype(np.float64)


def moments(x: ArrayLike) -> tuple[Array, Array]:
    """Mean and variance (C,) of each channel of ``x`` (N, C) or (N, H, W, C), over all other axes.

        mean = sum(x) / M        variance = sum((x - mean)**2) / M

    with M = N or M = N * H * W, the biased variance. One pass over each block of rows, whose first one is
    taken off all, in float64 whatever x is; then the blocks are joined in their order. Without a cell
    (N = 0) both are 0; of one cell the variance is 0. Source: Chan, Golub and LeVeque, "Algorithms for
    computing the sample variance", 1983: shifted data, and formula 1.5.

    Raises ShapeError for an x without a batch axis or without channels, DTypeError for what holds no
    real numbers.
    """
    rows = _rows(_read(x, "x", common_dtype(x)))
    mean, variance = np.empty(rows.shape[1]), np.empty(rows.shape[1])
    parts = np.empty(_parts(rows, 3))
    _run(kernels.moments_of_rows, (rows,), (parts,))
    kernels.join_moments(parts, mean, variance)
    return mean, variance


def batch_normalization(
    x: ArrayLike,
    gamma: ArrayLike,
    beta: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    *,
    epsilon: float = 1e-3,
) -> Array:
    """Normalise each channel of ``x`` (N, C) or (N, H, W, C): y, in x's shape.

        y = gamma * (x - mean) / sqrt(variance + epsilon) + beta

    ``gamma beta mean variance`` are (C,). In training, mean and variance are `moments` of x; in
    inference, running ones. Where the variance is 0 and x the mean, as in a channel of one cell, y is
    beta. Of a float32 x each cell is worked out in float32, with the mean as the sum of two such numbers, so
    that nothing is lost where it is large beside the spread. Source: Ioffe and Szegedy, "Batch
    normalization: accelerating deep network training by reducing internal covariate shift", 2015.

    Raises ShapeError where shapes do not fit together, DTypeError for what holds no real numbers,
    ArgumentError for an ``epsilon`` that is not above 0 or a variance below it.
    """
    dtype = common_dtype(x, gamma, beta)
    x = _read(x, "x", dtype)
    rows = _rows(x)
    gamma, beta = _channels(gamma, "gamma", rows, dtype), _channels(beta, "beta", rows, dtype)
    center = _channels(mean, "mean", rows)
    _, scale = channel_scales(gamma, _channels(variance, "variance", rows), epsilon)
    y = memory.output(x.shape, dtype)
    _run(kernels.scale_deviations, (rows, center, scale, beta), (y.reshape(rows.shape),))
    return y


def batch_normalization_backward(
    dy: ArrayLike,
    x: ArrayLike,
    gamma: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    *,
    epsilon: float = 1e-3,
    training: bool = True,
) -> tuple[Array, Array, Array]:
    """Gradients of `batch_normalization`: dx in ``x``'s shape, dgamma (C,) and dbeta (C,).

    With xhat = (x - mean) / sqrt(variance + epsilon), and sums over all axes but the last:

        dbeta = sum(dy)        dgamma = sum(dy * xhat)
        dx = gamma / sqrt(variance + epsilon) * (dy - dbeta/M - xhat * dgamma/M)

    in ``training``, where mean and variance are `moments` of x and change with each of a channel's M
    cells; else dx = dy * gamma / sqrt(variance + epsilon). Sums are as those of `moments`.

    Raises ShapeError where shapes do not fit together, DTypeError for what holds no real numbers,
    ArgumentError for an ``epsilon`` that is not above 0 or a variance below it.
    """
    dtype = common_dtype(dy, x, gamma)
    x, dy = _read(x, "x", dtype), _read(dy, "dy", dtype)
    expect_shape(dy, x.shape, "dy", "the shape of x")
    rows, upstream = _rows(x), _rows(dy)
    gamma, center = _channels(gamma, "gamma", rows, dtype), _channels(mean, "mean", rows)
    inverse, scale = channel_scales(gamma, _channels(variance, "variance", rows), epsilon)
    sums, (dy_mean, slope) = np.zeros(_parts(rows, 2)), np.empty((2, rows.shape[1]))
    _run(kernels.add_gradients, (upstream, rows, center), (sums,))
    dgamma, dbeta = np.empty((2, rows.shape[1]), dtype)
    cells = max(len(rows), 1)
    kernels.gradient_factors(sums, inverse, scale, cells, dgamma, dbeta, dy_mean, slope)
    dx = memory.output(x.shape, dtype)
    target = dx.reshape(rows.shape)
    if training:
        given = upstream, rows, dy_mean, center, scale, slope
        _run(kernels.scale_deviations_backward, given, (target,))
    else:
        zero, none = np.zeros(rows.shape[1]), np.zeros(rows.shape[1], dtype)
        _run(kernels.scale_deviations, (upstream, zero, scale, none), (target,))
    return dx, dgamma, dbeta


def channel_scales(gamma: Array, variance: Array, epsilon: float) -> tuple[Array, Array]:
    """1 / sqrt(variance + epsilon) for each channel, and gamma times that; all in float64."""
    inverse, scale = np.empty(gamma.size), np.empty(gamma.size)
    epsilon = check_number(epsilon, "epsilon", above=0)
    if not kernels.channel_scales(read_only(gamma), read_only(variance), epsilon, inverse, scale):
        raise ArgumentError(f"a variance must be from 0 up, got {variance.min():g}")
    return inverse, scale


def _read(value: ArrayLike, name: str, dtype: np.dtype[Any]) -> Array:
    """Read rows or images, channels last."""
    array = as_input_array(value, name, "N...", dtype)
    expect_axes(array, name, "NC" if array.ndim < 3 else "NHWC")
    return array


def _rows(array: Array) -> Array:
    """All cells, each with its channels: (M, C)."""
    return array.reshape(-1, array.shape[-1])


def _channels(value: ArrayLike, name: str, rows: Array, dtype: np.dtype[Any] = _WIDE) -> Array:
    """A number a channel."""
    array = as_input_array(value, name, "C", dtype)
    expect_shape(array, rows.shape[1:], name, "one number for each channel of x")
    return array


def _run(kernel: Callable[..., Any], before: tuple[Any, ...], after: tuple[Any, ...]) -> None:
    """Call a kernel on blocks of the rows of what it reads first."""
    total, C = before[0].shape
    by_ranges(kernel, total, max(_CELLS // C, _ROWS), before, after)


def _parts(rows: Array, sums: int) -> tuple[int, int, int]:
    """The shape of ``sums`` a channel, of each of the blocks."""
    total, C = rows.shape
    return len(cut(total, max(_CELLS // C, _ROWS))), sums, C
