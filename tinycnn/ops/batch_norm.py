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
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.validation import check_number

__all__ = ["batch_normalization", "batch_normalization_backward", "moments"]

# Numbers a block: they stay in a cache while they are read twice, and handing them to a thread costs little.
_CELLS = 1 << 16
_WIDE = np.dtype(np.float64)


def moments(x: ArrayLike) -> tuple[Array, Array]:
    """Mean and variance (C,) of each channel of ``x`` (N, C) or (N, H, W, C), over all other axes.

        mean = sum(x) / M        variance = sum((x - mean)**2) / M

    with M = N or M = N * H * W, the biased variance. Two passes over each block of rows, which stays in a
    cache, in float64 whatever x is; then the blocks are joined in their order. Without a cell (N = 0) both
    are 0; of one cell the variance is 0. Source: Chan, Golub and LeVeque, "Algorithms for computing the
    sample variance", 1983, the two-pass algorithm, and its formula 1.5.

    Raises ShapeError for an x without a batch axis or without channels, DTypeError for what holds no
    real numbers.
    """
    rows = _rows(_read(x, "x", common_dtype(x)))
    blocks, C = _blocks(rows), rows.shape[1]
    parts, mean, variance = np.empty((len(blocks), 3, C)), np.empty(C), np.empty(C)
    parallel_for(lambda k: kernels.moments_of_rows(rows, *blocks[k], parts[k]), range(len(blocks)))
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
    beta. All is worked out in float64 and rounded once. Source: Ioffe and Szegedy, "Batch normalization:
    accelerating deep network training by reducing internal covariate shift", 2015.

    Raises ShapeError where shapes do not fit together, DTypeError for what holds no real numbers,
    ArgumentError for an ``epsilon`` that is not above 0 or a variance below it.
    """
    dtype = common_dtype(x, gamma, beta)
    x = _read(x, "x", dtype)
    rows = _rows(x)
    gamma, beta = _channels(gamma, "gamma", rows), _channels(beta, "beta", rows)
    center = _channels(mean, "mean", rows)
    _, scale = channel_scales(gamma, _channels(variance, "variance", rows), epsilon)
    y = memory.output(x.shape, dtype)
    target = y.reshape(rows.shape)
    _run(lambda r: kernels.scale_deviations(rows, center, scale, beta, *r, target), rows)
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
    gamma, center = _channels(gamma, "gamma", rows), _channels(mean, "mean", rows)
    inverse, scale = channel_scales(gamma, _channels(variance, "variance", rows), epsilon)
    blocks, C = _blocks(rows), rows.shape[1]
    sums, (dy_mean, slope) = np.zeros((len(blocks), 2, C)), np.empty((2, C))
    parallel_for(
        lambda k: kernels.add_gradients(upstream, rows, center, *blocks[k], *sums[k]),
        range(len(blocks)),
    )
    dgamma, dbeta = np.empty((2, C), dtype)
    cells = max(len(rows), 1)
    kernels.gradient_factors(sums, inverse, scale, cells, dgamma, dbeta, dy_mean, slope)
    dx = memory.output(x.shape, dtype)
    target = dx.reshape(rows.shape)
    if training:
        _run(
            lambda r: kernels.scale_deviations_backward(
                upstream, rows, dy_mean, center, scale, slope, *r, target
            ),
            rows,
        )
    else:
        zero = np.zeros(rows.shape[1])
        _run(lambda r: kernels.scale_deviations(upstream, zero, scale, zero, *r, target), rows)
    return dx, dgamma, dbeta


def channel_scales(gamma: Array, variance: Array, epsilon: float) -> tuple[Array, Array]:
    """1 / sqrt(variance + epsilon) for each channel, and gamma times that; all in float64."""
    inverse, scale = np.empty((2, gamma.size))
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


def _channels(value: ArrayLike, name: str, rows: Array) -> Array:
    """A number a channel, in float64."""
    array = as_input_array(value, name, "C", _WIDE)
    expect_shape(array, rows.shape[1:], name, "one number for each channel of x")
    return array


def _run(work: Callable[[Range], None], rows: Array) -> None:
    parallel_for(work, _blocks(rows))


def _blocks(rows: Array) -> list[Range]:
    return split_range(len(rows), _CELLS // rows.shape[1])
