"""Convolution (in the field's sense: cross-correlation), forward and backward, by any algorithm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import (
    Array,
    as_input_array,
    check_out,
    common_dtype,
    expect_shape,
    expect_sizes,
    ieee,
)
from tinycnn.errors import ArgumentError, ShapeError
from tinycnn.ops.bias import bias_gradient
from tinycnn.ops.convolution.choice import Algorithm, choose, choose_gradients
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.remembering import remembered
from tinycnn.runtime import memory
from tinycnn.shapes import Padding, window
from tinycnn.validation import check_choice, check_int
from tinycnn.wording import many

__all__ = ["conv2d", "conv2d_backward"]

_ACTIVATIONS = (None, "relu")
_W_AXES = ("KH", "KW", "C // groups", "F")


@ieee
def conv2d(
    x: ArrayLike,
    W: ArrayLike,
    b: ArrayLike | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    activation: str | None = None,
    algorithm: str = "auto",
) -> Array:
    """Slide filters over ``x`` (N, H, W, C): y (N, OH, OW, F).

        y[n, oh, ow, f] = b[f] + sum over i, j, c of
                          x[n, oh*sh - top + i*dh, ow*sw - left + j*dw, c] * W[i, j, c, f]

    with zero outside the image, then max(0, y) if ``activation`` is "relu". ``W`` is
    (KH, KW, C // groups, F), ``b`` (F,) or None. ``stride`` (sh, sw) and ``dilation`` (dh, dw), the
    steps between windows and between a window's cells, are an int or (height, width); ``padding``
    (of which top and left are a part) is an int, (height, width), ((top, bottom), (left, right)),
    "valid" or "same", the odd cell at the end. With ``groups``, the F // groups filters of a group see
    the C // groups channels of that group. The output's height, and its width likewise:

        OH = floor((H + top + bottom - dh*(KH-1) - 1) / sh) + 1

    Source: LeCun et al., "Backpropagation applied to handwritten zip code recognition", 1989.

    ``algorithm``: "im2col" (Chellapilla et al. 2006) unrolls blocks of windows and multiplies with
    BLAS, "direct" multiplies windows where they lie, in float32 and without groups, "grouped" works out
    neighbouring filters together whatever their groups, "winograd" (Lavin and Gray 2016) multiplies
    less, in float32, for kernels 2 x 2, 3 x 3 and 5 x 5 of stride 1 and, without groups, for strided
    ones of up to 5 strides, "reference" is the formula in a plain Python loop over output cells, in
    float64, and "auto" chooses from shapes and dtype.

    "winograd" transforms x and W and multiplies the transforms, so in float32 it gives up what a sum of
    products has: zeros, signs and whole numbers are not exact (an output that is 0, and gradients of
    what is not negative, come out as small numbers of either sign, counts of zeros and ones with a
    fraction), and cells of x that no window of an output holds may change its last digits. On the way
    numbers are up to 2^12 times larger: nothing overflows where max|x|, max|W|, max|dy|, max|x| * sum|W|
    over a filter, max|dy| * sum|W| over a channel and max|x| * sum|dy| over a filter's outputs stay
    below 2^116, about 8e34; beyond, a finite input may give NaN. "auto" takes "winograd" wherever it
    pays, by shapes alone; every other algorithm is exact in all this.

    Raises ShapeError where shapes do not fit together or no window fits into the padded image,
    DTypeError for what holds no real numbers, and ArgumentError for an option outside its range or an
    algorithm that does not apply.
    """
    check_choice(activation, _ACTIVATIONS, "activation")
    dtype = common_dtype(x, W, b)
    x, W = as_input_array(x, "x", "NHWC", dtype), as_input_array(W, "W", _W_AXES, dtype)
    geometry, chosen = _plan(
        x.shape, W.shape, stride, padding, dilation, groups, algorithm, dtype.char
    )
    if b is not None:
        b = as_input_array(b, "b", "F", dtype)
        expect_shape(b, W.shape[3:], "b", "one for each filter")
    y = memory.empty(geometry.y_shape, dtype)
    chosen.forward(x, W, b, geometry, y, relu=activation == "relu")
    return y


@ieee
def conv2d_backward(
    dy: ArrayLike,
    x: ArrayLike,
    W: ArrayLike,
    *,
    stride: int | Sequence[int] = 1,
    padding: Padding = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    activation: str | None = None,
    y: ArrayLike | None = None,
    algorithm: str = "auto",
    need_dx: bool = True,
    out: tuple[Array, Array] | None = None,
) -> tuple[Array | None, Array, Array]:
    """Gradients (dx, dW, db) of `conv2d`; with ``activation``, ``y`` is what `conv2d` returned.

    With dz the gradient before the activation, dz = dy where y > 0 for "relu":

        dW[i, j, c, f] = sum over n, oh, ow of
                         dz[n, oh, ow, f] * x[n, oh*sh - top + i*dh, ow*sw - left + j*dw, c]
        dx[n, h, w, c] = sum of dz[n, oh, ow, f] * W[i, j, c, f] over all that read cell (h, w)
        db[f]          = sum over n, oh, ow of dz[n, oh, ow, f]

    ``dy`` and dz are (N, OH, OW, F), ``x`` and dx (N, H, W, C), ``W`` and dW (KH, KW, C // groups, F),
    db is (F,); the options are those of `conv2d`. dW is a correlation of x and dz; dx is, at stride 1,
    a full convolution of dz with the kernel rotated by 180 degrees, and None unless ``need_dx``.
    ``out`` may give arrays (dW, db) to write to, C-contiguous and apart from all others.

    Raises ShapeError where shapes do not fit together, DTypeError for what holds no real numbers or
    an ``out`` of another dtype, and ArgumentError for an option outside its range, an algorithm that
    does not apply, an activation without ``y``, or an ``out`` that cannot be written to.
    """
    check_choice(activation, _ACTIVATIONS, "activation")
    given, dtype = (dy, x, W, y), common_dtype(dy, x, W)
    x, W = as_input_array(x, "x", "NHWC", dtype), as_input_array(W, "W", _W_AXES, dtype)
    geometry, (of_weights, of_inputs) = _plan_gradients(
        x.shape, W.shape, stride, padding, dilation, groups, algorithm, dtype.char
    )
    dy = as_input_array(dy, "dy", "NHWF", dtype)
    expect_shape(dy, geometry.y_shape, "dy", "the convolution's output")
    if activation is None:
        y = None
    elif y is None:
        raise ArgumentError(f'activation="{activation}" needs y, what conv2d returned')
    else:
        y = as_input_array(y, "y", "NHWF", dtype)
        expect_shape(y, geometry.y_shape, "y", "the convolution's output")
    dW, db = check_out(out, W, given)
    dz = bias_gradient(dy, y, db)
    of_weights.weight_gradient(dz, x, geometry, dW)
    dx = memory.empty(x.shape, dtype) if need_dx else None
    if dx is not None:
        of_inputs.input_gradient(dz, W, geometry, dx)
    return dx, dW, db


@remembered
def _plan(
    x_shape: tuple[int, ...],
    W_shape: tuple[int, ...],
    stride: int | Sequence[int],
    padding: Padding,
    dilation: int | Sequence[int],
    groups: int,
    algorithm: str,
    dtype: str,
) -> tuple[Geometry, Algorithm]:
    """The checked sizes of a convolution, and what does it."""
    geometry = _geometry(x_shape, W_shape, stride, padding, dilation, groups)
    return geometry, choose(algorithm, geometry, np.dtype(dtype)).algorithm


@remembered
def _plan_gradients(
    x_shape: tuple[int, ...],
    W_shape: tuple[int, ...],
    stride: int | Sequence[int],
    padding: Padding,
    dilation: int | Sequence[int],
    groups: int,
    algorithm: str,
    dtype: str,
) -> tuple[Geometry, tuple[Algorithm, Algorithm]]:
    """The same, and what gives dW and dx."""
    geometry = _geometry(x_shape, W_shape, stride, padding, dilation, groups)
    return geometry, choose_gradients(algorithm, geometry, np.dtype(dtype))


def _geometry(
    x_shape: tuple[int, ...],
    W_shape: tuple[int, ...],
    stride: int | Sequence[int],
    padding: Padding,
    dilation: int | Sequence[int],
    groups: int,
) -> Geometry:
    N, H, W_in, C = x_shape
    groups = check_int(groups, "groups")
    KH, KW, _, F = W_shape
    if C % groups or F % groups:
        raise ShapeError(
            f"groups must divide the channels and the filters, got {many(groups, 'group')} for "
            f"{many(C, 'channel')} and {many(F, 'filter')}"
        )
    expect_sizes(
        W_shape,
        (KH, KW, C // groups, F),
        "W",
        f"(KH, KW, C // groups, F) with x's last axis C = {C}",
    )
    win = window((H, W_in), (KH, KW), stride=stride, padding=padding, dilation=dilation)
    return Geometry(N, C, F, groups, win)
