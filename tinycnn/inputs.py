"""What a model is given: batches of inputs (N, ...), read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from numpy.typing import ArrayLike

from tinycnn.arrays import Array, as_real_array, expect_axes
from tinycnn.errors import ShapeError, TinyCNNError
from tinycnn.shapes import times


def as_inputs(x: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Read inputs of ``shape`` as they are, once they are known to be a batch of real numbers."""
    x = as_real_array(x, "x")
    if x.shape[1:] != shape:
        expect_axes(x, "x", "N...")
        remedy = ""
        if x.shape == shape:
            remedy = "; for one input, pass x[None]"
        elif x.ndim == 4 and (*x.shape[2:], x.shape[1]) == shape:
            remedy = "; channels come last here, pass x.transpose(0, 2, 3, 1)"
        raise ShapeError(
            f"x must have shape (N, {', '.join(map(str, shape))}), a batch of inputs "
            f"{times(shape)}, got shape {x.shape}{remedy}"
        )
    return x


def as_batches(x: ArrayLike, shape: tuple[int, ...], size: int) -> Array | Sequence[Any]:
    """Check ``x``, of which no more than a batch of ``size`` may be converted at a time.

    A list stays a list: it is read once here, batch by batch, to see whether all of it can be.
    """
    if isinstance(x, (list, tuple)):
        with suppress(TinyCNNError):  # what is wrong with all of it is said below
            for first in range(0, len(x), size):
                as_inputs(x[first : first + size], shape)
            if x:
                return x
    return as_inputs(x, shape)
