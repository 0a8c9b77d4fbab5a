"""Local response normalisation, in both of its dialects."""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_input_array, common_dtype, expect_shape
from tinycnn.kernels import lrn as kernels
from tinycnn.runtime import memory
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.validation import lrn_coefficients

__all__ = ["local_response_norm", "local_response_norm_backward"]

_CELLS = 1 << 16


def local_response_norm(
    x: ArrayLike,
    *,
    size: int = 5,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 2.0,
    alpha_over_size: bool = False,
) -> Array:
    """Divide each channel of ``x`` (N, H, W, C) by its neighbours' energy: y, in x's shape.

        y[c] = x[c] / (k + a * sum(x[c']**2 for the size channels c' around c))**beta

    Two dialects: a = ``alpha`` as the paper's formula has it, or with ``alpha_over_size``
    a = alpha/size as its code, Caffe and PyTorch have it. ``size`` is odd; neighbours beyond the
    first and last channel count as zero. ``beta`` and ``k`` are numbers from 0 up, as is alpha. Source:
    Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012,
    section 3.3.

    Raises ShapeError for an x that has not these axes, DTypeError for what holds no real numbers, and
    ArgumentError for an even ``size`` or a coefficient outside its range.
    """
    x = as_input_array(x, "x", "NHWC", common_dtype(x))
    size, a, beta, k = lrn_coefficients(size, alpha, beta, k, alpha_over_size)
    radius = _radius(size, x)
    rows, y = x.reshape(-1, x.shape[3]), memory.output(x.shape, x.dtype)
    target = y.reshape(rows.shape)

    def normalize(block: Range) -> None:
        kernels.local_response_norm(rows, *block, radius, a, beta, k, target)

    _run(normalize, rows)
    return y


def local_response_norm_backward(
    dy: ArrayLike,
    x: ArrayLike,
    *,
    size: int = 5,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 2.0,
    alpha_over_size: bool = False,
) -> Array:
    """Gradient of `local_response_norm`, in ``x``'s shape, which is also that of ``dy``.

    With s the sum in the brackets, s = k + a * (the neighbours' squares), and y = x / s to the power beta:

        dx[c] = dy[c] * s[c]**-beta - 2*a*beta*x[c] * sum(dy[c'] * x[c'] * s[c']**(-beta-1))

    over the channels c' in whose window c lies: its own path, and its share in every neighbour's s.
    The options are those of the forward call.

    Raises ShapeError where shapes do not fit together, DTypeError for what holds no real numbers, and
    ArgumentError for an even ``size`` or a coefficient outside its range.
    """
    dtype = common_dtype(dy, x)
    dy, x = as_input_array(dy, "dy", "NHWC", dtype), as_input_array(x, "x", "NHWC", dtype)
    expect_shape(dy, x.shape, "dy", "the shape of x")
    size, a, beta, k = lrn_coefficients(size, alpha, beta, k, alpha_over_size)
    radius = _radius(size, x)
    rows, dx = x.reshape(-1, x.shape[3]), memory.output(x.shape, dtype)
    source, target = dy.reshape(rows.shape), dx.reshape(rows.shape)

    def carry_back(block: Range) -> None:
        kernels.local_response_norm_backward(source, rows, *block, radius, a, beta, k, target)

    _run(carry_back, rows)
    return dx


def _radius(size: int, x: Array) -> int:
    """The odd number of channels that meets every neighbour that ``size`` meets, and no more."""
    channels: int = x.shape[3]
    return min(size, 2 * channels - 1)


def _run(work: Callable[[Range], None], rows: Array) -> None:
    if rows.size:
        parallel_for(work, split_range(len(rows), _CELLS // rows.shape[1]))
