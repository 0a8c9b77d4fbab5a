"""Losses and their gradients, in one call each: cross-entropy of logits, and the mean squared error."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import (
    Array,
    as_array,
    as_input_array,
    common_dtype,
    expect_shape,
    ieee,
    read_only,
)
from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.kernels import softmax as kernels
from tinycnn.kernels.squares import squared_errors
from tinycnn.runtime import memory
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import split_range
from tinycnn.validation import check_number
from tinycnn.wording import many

__all__ = ["cross_entropy", "mean_squared_error"]

# Exponentials a block, some forty microseconds; a row takes as long as this many besides.
_EXPONENTIALS, _ROW = 1 << 16, 32
# Elements a block of what is only read and written once.
_ELEMENTS = 1 << 17


def cross_entropy(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    label_smoothing: float = 0.0,
    class_weights: ArrayLike | None = None,
) -> tuple[float, Array]:
    """Mean cross-entropy of ``logits`` (N, F) and integer ``labels`` (N,), and its gradient.

        loss    = mean over n of log(sum(exp(logits[n]))) - logits[n, label]   (a float)
        dlogits = (softmax(logits) - onehot(labels)) / N                       (N, F)

    With ``label_smoothing`` e, from 0 up and below 1, and ``class_weights`` w (F,), from 0 up, the label
    alone is not what is wanted of image n, but

        q[n, c] = (1 - e) * w[label] * onehot[n, c] + e * w[c] / F
        loss    = sum over n, c of q[n, c] * -log(softmax(logits)[n, c]) / total,   total = sum of w[labels]
        dlogits = (sum(q[n]) * softmax(logits)[n] - q[n]) / total

    which are PyTorch's. By log-sum-exp: no logarithm of a rounded probability is ever taken, and in the
    gradient the softmax's Jacobian and the logarithm's 1/p collapse. N = 0, and images of weight 0 alone,
    give 0.0 and a gradient of 0. Where an image's largest logit is NaN or infinite, its loss and gradient
    are NaN. Source: Bridle, as in `softmax`; Blanchard, Higham and Higham, "Accurately computing the
    log-sum-exp and softmax functions", 2021; label smoothing: Szegedy et al., "Rethinking the Inception
    architecture for computer vision", 2016, section 7.

    Raises ShapeError where shapes do not fit together, DTypeError for logits or weights that hold no real
    numbers or labels that are no integers, ArgumentError for a label outside 0 .. F - 1, a weight that is no
    finite number from 0 up, and a smoothing outside its range.
    """
    z = as_input_array(logits, "logits", "NF", common_dtype(logits))
    picked = _labels(labels, *z.shape)
    smoothing = check_number(label_smoothing, "label_smoothing", below=1)
    weights = check_class_weights(class_weights, z.shape[1])
    total = float(len(z) if class_weights is None else weights[picked].sum())
    if total == 0:
        return 0.0, np.zeros_like(z)
    if z.dtype != np.float32:
        losses, dlogits = _cross_entropy(z, picked, weights, smoothing, total)
    else:
        N, F = z.shape
        losses, dlogits = np.empty(N), memory.output(z.shape, z.dtype)
        parallel_for(
            lambda block: kernels.cross_entropy(
                z, picked, weights, smoothing, *block, total, losses, dlogits
            ),
            split_range(N, _EXPONENTIALS // (F + _ROW)),
        )
    return float(losses.sum() / total), dlogits


@ieee
def _cross_entropy(
    z: Array, picked: Array, weights: Array, smoothing: float, total: float
) -> tuple[Array, Array]:
    """The formula as NumPy has it: for float64."""
    rows = np.arange(len(z))
    largest = z.max(axis=1, keepdims=True)
    exponentials = np.exp(z - largest)
    gaps = largest[:, 0] - z[rows, picked]
    # 1 + what the others add: log1p keeps a small loss, which log would round to 0.
    others = exponentials.copy()
    others[rows, z.argmax(axis=1)] -= 1
    logarithms = np.log1p(others.sum(axis=1))
    sums = exponentials.sum(axis=1, keepdims=True)
    # p - 1 at the label is minus the sum of the other classes, likewise.
    exponentials[rows, picked] = 0
    exponentials[rows, picked] = -exponentials.sum(axis=1)
    own, spread = (1 - smoothing) * weights[picked], smoothing / len(weights) * weights
    losses = own * (logarithms + gaps)
    dlogits: Array = (own + spread.sum())[:, None] * exponentials / (sums * total)
    if smoothing > 0:
        losses += spread.sum() * logarithms + ((largest - z) * spread).sum(axis=1)
        dlogits -= spread / total
        dlogits[rows, picked] += spread.sum() / total
    return losses, dlogits


def mean_squared_error(y: ArrayLike, targets: ArrayLike) -> tuple[float, Array]:
    """Mean squared error of ``y`` (N, ...) and ``targets`` of the same shape, and its gradient.

        loss = mean over all numbers of (y - targets)**2       (a float)
        dy   = 2 * (y - targets) / their count                 (N, ...)

    It is computed in the precision of ``y``, the sum in float64. Where there are no numbers, the loss is
    0.0. Source: Legendre, "Nouvelles methodes pour la determination des orbites des cometes", 1805.

    Raises ShapeError where the two differ in shape, DTypeError for what holds no real numbers.
    """
    outputs = as_input_array(y, "y", "N...", common_dtype(y))
    wanted = as_input_array(targets, "targets", "N...", outputs.dtype)
    expect_shape(wanted, outputs.shape, "targets", "the shape of y")
    dy = memory.output(outputs.shape, outputs.dtype)
    blocks = split_range(outputs.size, _ELEMENTS)
    sums = np.zeros(len(blocks))
    a, b, gradient = (array.reshape(-1) for array in (outputs, wanted, dy))

    def work(block: int) -> None:
        sums[block] = squared_errors(a, b, *blocks[block], a.size, gradient)

    parallel_for(work, range(len(blocks)))
    return float(sums.sum() / max(a.size, 1)), dy


def check_class_weights(class_weights: ArrayLike | None, F: int | None = None) -> Array:
    """Read weights of ``F`` classes, float64: 1 each where there are none, as many as come for F None."""
    if class_weights is None:
        return read_only(np.ones(1 if F is None else F))
    weights = as_input_array(class_weights, "class_weights", "F", np.dtype(np.float64))
    if F is not None:
        expect_shape(weights, (F,), "class_weights", f"one for each of {many(F, 'class')}")
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if wrong.size:
        raise ArgumentError(
            f"class_weights must be finite numbers from 0 up, got {weights[wrong[0]]} at index {wrong[0]}"
        )
    return weights


def _labels(labels: ArrayLike, N: int, F: int) -> Array:
    array = as_array(labels, "labels")
    if array.size == 0 and array.ndim == 1:
        array = array.astype(np.intp)  # np.asarray([]) is float64
    if array.dtype.kind not in "iu":
        raise DTypeError(f"labels must be integers, class numbers, got dtype {array.dtype}")
    if array.shape != (N,):
        raise ShapeError(f"labels must have shape ({N},), one for each image, got {array.shape}")
    if N and not 0 <= array.min() <= array.max() < F:
        wrong = np.flatnonzero((array < 0) | (array >= F))
        raise ArgumentError(
            f"labels must lie in 0 .. {F - 1} for {many(F, 'class')}, got {array[wrong[0]]} at "
            f"index {wrong[0]}"
        )
    return read_only(array.astype(np.intp, copy=False))
