"""The dense (fully connected) layer's mathematics."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tinycnn import blocks
from tinycnn.arguments import one_of
from tinycnn.arrays import Array, common_dtype, expect_shape, outputs, tensor
from tinycnn.errors import ArgumentError
from tinycnn.ops.activations import relu_backward, softmax, softmax_backward

_ACTIVATIONS = (None, "relu", "softmax")
# Weights a block: some hundred microseconds of BLAS at a batch of 32.
_WEIGHTS = 1 << 20


def dense(
    x: ArrayLike, W: ArrayLike, b: ArrayLike | None = None, *, activation: str | None = None
) -> Array:
    """Weighted sums y = activation(x @ W + b), (N, F).

    ``x`` is (N, ...), flattened row-major to (N, D); ``W`` is (D, F), ``b`` (F,). ``activation`` is
    None, "relu" or "softmax".
    """
    one_of(activation, _ACTIVATIONS, "activation")
    dtype = common_dtype(x, W, b)
    x, W = _operands(x, W, dtype)
    y = np.empty((len(x), W.shape[1]), dtype)

    def multiply(columns: blocks.Range) -> None:
        part = slice(*columns)
        np.matmul(x, W[:, part], out=y[:, part])

    blocks.run(
        multiply, blocks.cut(W.shape[1], _WEIGHTS // max(len(W), 1), least=blocks.LEAST_ROWS)
    )
    if b is not None:
        b = tensor(b, "b", "F", dtype)
        expect_shape(b, W.shape[1:], "b", "one for each column of W")
        y += b
    if activation == "relu":
        np.maximum(y, dtype.type(0), out=y)
    return softmax(y) if activation == "softmax" else y


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

    With dz the gradient before the activation (N, F):

        dx = dz @ W.T  (in x's shape; None unless needed),   dW = x.T @ dz,   db = sum(dz over N)

    ``out`` may give arrays (dW, db) to write to.
    """
    one_of(activation, _ACTIVATIONS, "activation")
    dtype = common_dtype(dy, x, W)
    x_shape = np.shape(x)
    x, W = _operands(x, W, dtype)
    dy = dz = tensor(dy, "dy", "NF", dtype)
    expect_shape(dy, (len(x), W.shape[1]), "dy", "(N, F)")
    if activation is None:
        y = None
    elif y is None:
        raise ArgumentError(f'activation="{activation}" needs y, what dense returned')
    else:
        y = tensor(y, "y", "NF", dtype)
        expect_shape(y, dy.shape, "y", "the shape of dy")
        dz = relu_backward(dy, y) if activation == "relu" else softmax_backward(dy, y)
    dW, db = outputs(out, W, (dy, x, W, y))
    dx = np.empty(x.shape, dtype) if need_dx else None

    # Rows of W are cut for both products: each block writes rows of dW and columns of dx of its own.
    def multiply(rows: blocks.Range) -> None:
        part = slice(*rows)
        np.matmul(x.T[part], dz, out=dW[part])
        if dx is not None:
            np.matmul(dz, W[part].T, out=dx[:, part])

    blocks.run(
        multiply, blocks.cut(len(W), _WEIGHTS // max(W.shape[1], 1), least=blocks.LEAST_ROWS)
    )
    np.sum(dz, axis=0, out=db)
    return None if dx is None else dx.reshape(x_shape), dW, db


def _operands(x: ArrayLike, W: ArrayLike, dtype: np.dtype[np.floating]) -> tuple[Array, Array]:
    x, W = tensor(x, "x", "N...", dtype), tensor(W, "W", "DF", dtype)
    D = math.prod(x.shape[1:])
    expect_shape(W, (D, W.shape[1]), "W", f"(D, F) with D = {D}, the cells of one x")
    return x.reshape(len(x), D), W
