"""The boundary: whatever a user hands in becomes read-only, C-contiguous float32 or float64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinycnn.errors import DTypeError, ShapeError

Array = NDArray[Any]


def common_dtype(*values: Any) -> np.dtype[Any]:
    """Choose float64 if any of the arrays has more than float32's precision, else float32."""
    wide = False
    for value in values:
        if value is not None:
            array = np.asarray(value)
            wide |= array.dtype.kind == "f" and array.dtype.itemsize > 4
    return np.dtype(np.float64 if wide else np.float32)


def tensor(value: ArrayLike, name: str, axes: str, dtype: np.dtype[Any]) -> Array:
    """Read an array argument: real numbers, one axis for each letter of ``axes`` ("NHWC").

    An ``axes`` that ends in "..." allows any number of further axes. The result is a read-only
    view or copy, C-contiguous and aligned: a kernel meets one kind of array only, and nothing
    behind this door can write to what belongs to the user.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise DTypeError(
            f"{name} must hold real numbers, got dtype {array.dtype}; convert it to float32 or float64"
        )
    rank = len(axes.removesuffix("..."))
    if array.ndim != rank if not axes.endswith("...") else array.ndim < rank:
        letters = ", ".join(axes.removesuffix("...")) + (", ..." if axes.endswith("...") else "")
        raise ShapeError(f"{name} must have the axes ({letters}), got shape {array.shape}")
    return read_only(np.require(array, dtype, ["C", "A"]))


def read_only(array: Array) -> Array:
    """Give a view of ``array`` that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


def expect_shape(array: Array, shape: Sequence[int], name: str, because: str) -> None:
    """Raise ShapeError unless ``array`` has ``shape``; ``because`` says where the shape comes from."""
    if array.shape != tuple(shape):
        raise ShapeError(
            f"{name} must have shape {tuple(shape)} ({because}), got shape {array.shape}"
        )
