"""Cross-entropy of logits and class labels: softmax and loss in one step."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_array, as_input_array, common_dtype, ieee, read_only
from tinycnn.errors import ArgumentError, DTypeError, ShapeError
from tinycnn.kernels import softmax as kernels
from tinycnn.runtime import memory
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import split_range
from tinycnn.wording import many

__all__ = ["cross_entropy"]

# Exponentials a block, some forty microseconds; a row takes as long as this many besides.
_EXPONENTIALS, _ROW = 1 << 16, 32


def cross_entropy(logits: ArrayLike, labels: ArrayLike) -> tuple[float, Array]:
    """Mean cross-entropy of ``logits`` (N, F) and integer ``labels`` (N,), and its gradient.

        loss    = mean over n of log(sum(exp(logits[n]))) - logits[n, label]   (a float)
        dlogits = (softmax(logits) - onehot(labels)) / N                       (N, F)

    By log-sum-exp: no logarithm of a rounded probability is ever taken, and in the gradient the
    softmax's Jacobian and the logarithm's 1/p collapse. N = 0 gives 0.0 and an empty gradient. Where
    an image's largest logit is NaN or infinite, its loss and gradient are NaN. Source: Bridle, as in
    `softmax`; Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax
    functions", 2021.

    Raises ShapeError where shapes do not fit together, DTypeError for logits that hold no real numbers
    or labels that are no integers, ArgumentError for a label outside 0 .. F - 1.
    """
    z = as_input_array(logits, "logits", "NF", common_dtype(logits))
    picked = _labels(labels, *z.shape)
    if len(z) == 0:
        return 0.0, z.copy()
    if z.dtype != np.float32:
        return _cross_entropy(z, picked)
    N, F = z.shape
    losses, dlogits = np.empty(N), memory.empty(z.shape, z.dtype)
    parallel_for(
        lambda block: kernels.cross_entropy(z, picked, *block, N, losses, dlogits),
        split_range(N, _EXPONENTIALS // (F + _ROW)),
    )
    return float(losses.mean()), dlogits


@ieee
def _cross_entropy(z: Array, picked: Array) -> tuple[float, Array]:
    """The formula as NumPy has it: for float64."""
    rows = np.arange(len(z))
    largest = z.max(axis=1, keepdims=True)
    exponentials = np.exp(z - largest)
    gaps = np.subtract(largest[:, 0], z[rows, picked], dtype=np.float64)
    # 1 + what the others add: log1p keeps a small loss, which log would round to 0.
    others = exponentials.copy()
    others[rows, z.argmax(axis=1)] -= 1
    losses = np.log1p(others.sum(axis=1), dtype=np.float64) + gaps
    total = exponentials.sum(axis=1, keepdims=True)
    # p - 1 at the label is minus the sum of the other classes, likewise.
    exponentials[rows, picked] = 0
    exponentials[rows, picked] = -exponentials.sum(axis=1)
    dlogits: Array = exponentials / (total * len(z))
    return float(losses.mean()), dlogits


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
