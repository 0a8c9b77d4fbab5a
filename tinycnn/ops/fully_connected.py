"""The dense (fully connected) layer's mathematics."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import (
    Array,
    as_input_array,
    check_out,
    common_dtype,
    expect_shape,
    ieee,
    read_only,
)
from tinycnn.errors import ArgumentError
from tinycnn.kernels.bias import add_bias
from tinycnn.kernels.dense import (
    dense_input_gradient,
    dense_product,
    dense_weight_gradient,
    pack_images,
    pack_weights,
)
from tinycnn.kernels.dense_gradients import dense_gradients
from tinycnn.kernels.dense_rows import rows_product
from tinycnn.kernels.panels import NARROW, PANEL
from tinycnn.kernels.simd import LANES
from tinycnn.ops.activations import softmax, softmax_backward
from tinycnn.ops.bias import bias_gradient
from tinycnn.ops.convolution import grouped
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.window_work import saved_by_dots
from tinycnn.runtime import calls, memory
from tinycnn.runtime.by_ranges import by_ranges
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import LEAST_ROWS, Range, split_range
from tinycnn.shapes import window
from tinycnn.validation import check_choice

__all__ = ["dense", "dense_backward"]

_ACTIVATIONS = (None, "relu", "softmax")
# Weights a block: some hundred microseconds of BLAS at a batch of 32.
_WEIGHTS = 1 << 20
# Multiply-adds a block, where rows of x are cut: some five microseconds.
_PRODUCTS = 1 << 18
# Numbers a block that are packed, some five microseconds; rows of a tile of products.
_PACKED, _TILE = 1 << 15, 6
# Multiply-adds that take as long as to begin recorded work: six microseconds.
_RECORDED = 400_000
# Panels a block, at least: a row of W gives 2 KB to it, and memory is read in longer runs.
_LEAST_PANELS = 8
# Below, BLAS reads weights as fast as they come, and lanes for images would be idle.
_LEAST_IMAGES = 8
# Weights that few images meet in less time than it takes to limit BLAS, and to share the work: 4 MB.
_FEW_WEIGHTS = 1 << 20
# Below, gradients go by a pass over the weights: packing dz for each block takes longer.
_FEW_IMAGES = 4


def dense(
    x: ArrayLike, W: ArrayLike, b: ArrayLike | None = None, *, activation: str | None = None
) -> Array:
    """Weighted sums y = activation(x @ W + b), (N, F).

        z[n, f] = b[f] + sum over d of x[n, d] * W[d, f]

    ``x`` is (N, ...), flattened row-major to (N, D); ``W`` is (D, F), ``b`` (F,) or None.
    ``activation`` is None, "relu" or "softmax". Source: Rumelhart, Hinton and Williams, "Learning
    representations by back-propagating errors", 1986.

    Raises ShapeError where shapes do not fit together, DTypeError for what holds no real numbers, and
    ArgumentError for an activation that is not known.
    """
    check_choice(activation, _ACTIVATIONS, "activation")
    dtype = common_dtype(x, W, b)
    x, W = _operands(x, W, dtype)
    y = memory.output((len(x), W.shape[1]), dtype)
    relu = activation == "relu"
    bias = read_only(np.zeros(W.shape[1] if relu else 0, dtype)) if b is None else _bias(b, W)
    windows = _windows_of_few_filters(len(x), *W.shape) if dtype == np.float32 else None
    if windows is not None:
        grouped.forward(x, W, bias if bias.size else None, windows, y, relu=relu)
    elif dtype == np.float32 and len(x) >= _LEAST_IMAGES:
        # BLAS packs the weights anew at each call.
        _product_in_registers(x, W, bias, y, relu=relu)
    else:
        if dtype == np.float32 and W.size <= _FEW_WEIGHTS:
            rows_product(x, W, y)
        else:
            _product_by_blas(x, W, y)
        if bias.size:
            add_bias(y, bias, relu)
    return softmax(y) if activation == "softmax" else y


@ieee
def dense_backward(
    dy: ArrayLike,
    x: ArrayLike,
    W: ArrayLike,
    *,
    activation: str | None = None,
    y: ArrayLike | None = None,
    need_dx: bool = True,
    out: tuple[Array, Array] | None = None,
) -> tuple[Array | None, Array, Array]:
    """Gradients (dx, dW, db) of `dense`; with an ``activation``, ``y`` is what `dense` returned.

    With dz the gradient before the activation, (N, F) as ``dy``:

        dx = dz @ W.T  (in x's shape),   dW = x.T @ dz  (D, F),   db = sum(dz over N)  (F,)

    ``x`` and ``W`` are those of the forward call. dx is None unless ``need_dx``. ``out`` may give
    arrays (dW, db) to write to, C-contiguous and apart from all others.

    Raises ShapeError where shapes do not fit together, DTypeError for what holds no real numbers or
    an ``out`` of another dtype, and ArgumentError for an activation that is not known or lacks ``y``,
    or an ``out`` that cannot be written to.
    """
    check_choice(activation, _ACTIVATIONS, "activation")
    given, dtype = (dy, x, W, y), common_dtype(dy, x, W)
    x_shape = np.shape(x)
    x, W = _operands(x, W, dtype)
    dy = as_input_array(dy, "dy", "NF", dtype)
    expect_shape(dy, (len(x), W.shape[1]), "dy", "(N, F)")
    if activation is None:
        y = None
    elif y is None:
        raise ArgumentError(f'activation="{activation}" needs y, what dense returned')
    else:
        y = as_input_array(y, "y", "NF", dtype)
        expect_shape(y, dy.shape, "y", "the shape of dy")
        if activation == "softmax":
            dy, y = softmax_backward(dy, y), None
    dW, db = check_out(out, W, given)
    dz = bias_gradient(dy, y, db)
    dx = memory.output(x.shape, dtype) if need_dx else None

    N, (D, F) = len(x), W.shape
    if dtype == np.float32 and N >= _FEW_IMAGES and D * F <= N * (D + F):
        _gradients_of_few_weights(dz, x, W, dW, dx)
    elif dtype == np.float32 or N < _FEW_IMAGES:
        wanted = np.empty((0, D), dtype) if dx is None else dx
        calls.run(gradients(calls.AT_ONCE, dz, x, W, dW, wanted))
    else:
        _multiply_by_blas(dz, x, W, dW, dx)
    return None if dx is None else dx.reshape(x_shape), dW, db


def products(
    calls: Calls, x: Any, W: Any, b: Any, relu: bool, y: Any, *, finer: int = 1
) -> Iterator[Phase]:
    """Write y = x @ W + b, rectified if ``relu``, in float32.

    Blocks are so many times ``finer`` than those that it pays to hand over to another thread from Python.
    """

    def multiply(calls: Calls, columns: Range) -> None:
        calls(
            dense_product, calls.read(x), calls.read(W), calls.read(b), relu, 0, len(x), *columns, y
        )

    def multiply_few(calls: Calls) -> None:
        calls(rows_product, calls.read(x), calls.read(W), y)
        calls(add_bias, y, calls.read(b), relu)

    windows = _windows_of_few_filters(len(x), *W.shape)
    if windows is not None:
        flat = (array.reshape(-1) for array in (x, y, W, b))
        yield from grouped.products(calls, windows, relu, *flat)
    elif len(x) < _LEAST_IMAGES:
        yield [multiply_few]
    else:
        yield [partial(multiply, columns=part) for part in _columns(W, finer)]


def gradients(
    calls: Calls, dz: Any, x: Any, W: Any, dW: Any, dx: Any, *, finer: int = 1
) -> Iterator[Phase]:
    """Write dW = x.T @ dz and dx = dz @ W.T, where no dx (0, D) is none; ``finer`` is as in `products`."""
    N, F = dz.shape
    parts = _rows(W, finer)
    if N < _FEW_IMAGES:
        yield [partial(_multiply_few, dz, x, W, dW, dx, rows) for rows in parts]
        return
    width = NARROW if N <= NARROW else PANEL
    count, sets = -(-F // PANEL), -(-N // width)
    panels = calls.shared("panels", count * N * PANEL).reshape(count, N, PANEL)
    transposed = calls.shared("transposed", sets * F * width).reshape(sets, F, width)

    def pack(calls: Calls) -> None:
        calls(pack_weights, calls.read(dz), 0, count, panels)
        if len(dx):
            calls(pack_images, calls.read(dz), transposed)

    def multiply(calls: Calls, rows: Range) -> None:
        calls(dense_weight_gradient, calls.read(x), calls.read(panels), *rows, dW)
        if len(dx):
            calls(dense_input_gradient, calls.read(transposed), calls.read(W), *rows, dx)

    yield [pack]
    yield [partial(multiply, rows=rows) for rows in parts]


def _multiply_few(dz: Any, x: Any, W: Any, dW: Any, dx: Any, rows: Range, calls: Calls) -> None:
    calls(dense_gradients, calls.read(dz), calls.read(x), calls.read(W), *rows, dW, dx)


def _gradients_of_few_weights(dz: Array, x: Array, W: Array, dW: Array, dx: Array | None) -> None:
    """`gradients`, where W takes less time to be turned over than dz and dx."""
    (N, F), D = dz.shape, len(W)
    dz, panels = read_only(dz), memory.empty((-(-F // PANEL), N, PANEL), dz.dtype)
    by_ranges(pack_weights, len(panels), _PACKED // (N * PANEL), (dz,), (panels,))
    if dx is not None:
        none = read_only(np.empty(0, dz.dtype))
        _product_in_registers(dz, read_only(np.ascontiguousarray(W.T)), none, dx)
    size = _PRODUCTS // (N * max(F, LANES))
    by_ranges(dense_weight_gradient, D, size, (x, read_only(panels)), (dW,), _TILE)


@lru_cache(maxsize=512)
def _windows_of_few_filters(N: int, D: int, F: int) -> Geometry | None:
    """The layer as a convolution of images of one cell, where dot products are faster, for F is small."""
    geometry = Geometry(N, D, F, 1, window((1, 1), 1))
    return geometry if saved_by_dots(geometry) > _RECORDED else None


def _columns(W: Any, finer: int = 1) -> list[Range]:
    """Cut W's columns into blocks of whole panels."""
    D, F = W.shape
    most = max(_WEIGHTS // finer // (D * PANEL), _LEAST_PANELS // finer, 1)
    panels = split_range(-(-F // PANEL), most)
    return [(first * PANEL, min(last * PANEL, F)) for first, last in panels]


def _rows(W: Any, finer: int = 1) -> list[Range]:
    """Cut W's rows for both products: each block writes rows of dW and columns of dx of its own."""
    D, F = W.shape
    return split_range(D, _WEIGHTS // finer // max(F, 1), least=LEAST_ROWS)


def _bias(b: ArrayLike, W: Array) -> Array:
    array = as_input_array(b, "b", "F", W.dtype)
    expect_shape(array, W.shape[1:], "b", "one for each column of W")
    return array


def _product_in_registers(x: Array, W: Array, b: Array, y: Array, *, relu: bool = False) -> None:
    (N, D), F = x.shape, W.shape[1]
    if W.size <= _WEIGHTS:
        size = _PRODUCTS // (D * max(F, LANES))
        by_ranges(dense_product, N, size, (x, W, b, relu), (0, F, y), LEAST_ROWS)
    else:  # each weight is brought into a cache once
        bias = b if b.size else read_only(np.zeros(F, b.dtype))
        calls.run(products(calls.AT_ONCE, x, W, bias, relu, y))


@ieee
def _product_by_blas(x: Array, W: Array, y: Array) -> None:
    def multiply(columns: Range) -> None:
        part = slice(*columns)
        np.matmul(x, W[:, part], out=y[:, part])

    parallel_for(multiply, _columns(W), uses_blas=True)


def _multiply_by_blas(dz: Array, x: Array, W: Array, dW: Array, dx: Array | None) -> None:
    def multiply(rows: Range) -> None:
        part = slice(*rows)
        np.matmul(x.T[part], dz, out=dW[part])
        if dx is not None:
            np.matmul(dz, W[part].T, out=dx[:, part])

    parallel_for(multiply, _rows(W), uses_blas=True)


def _operands(x: ArrayLike, W: ArrayLike, dtype: np.dtype[np.floating]) -> tuple[Array, Array]:
    x, W = as_input_array(x, "x", "N...", dtype), as_input_array(W, "W", "DF", dtype)
    D = math.prod(x.shape[1:])
    expect_shape(W, (D, W.shape[1]), "W", f"(D, F) with D = {D}, the cells of one x")
    return x.reshape(len(x), D), W
