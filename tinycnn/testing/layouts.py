"""One array, laid out in memory in all the ways that NumPy knows."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array

LAYOUTS = (
    "C",
    "Fortran",
    "transposed",
    "reversed",
    "spread",
    "big-endian",
    "read-only",
    "unaligned",
)


def laid_out(array: Array, layout: str) -> Array:
    """Copy ``array`` into another layout, one of `LAYOUTS`: the same numbers, elsewhere in memory.

    "transposed" has its axes turned, "reversed" negative strides, "spread" gaps between its cells.
    """
    array = np.array(array, order="C")
    if layout == "Fortran":
        return np.asfortranarray(array)
    if layout == "transposed":
        axes = np.roll(np.arange(array.ndim), 1)
        return np.ascontiguousarray(array.transpose(axes)).transpose(np.argsort(axes))
    if layout == "reversed":
        back = (slice(None, None, -1),) * array.ndim
        return np.ascontiguousarray(array[back])[back]
    if layout == "spread":
        wide = np.full(np.multiply(array.shape, 2), 77, array.dtype)
        view = wide[(slice(None, None, 2),) * array.ndim]
        view[...] = array
        return view
    if layout == "big-endian":
        return array.astype(array.dtype.newbyteorder(">"))
    if layout == "unaligned":
        memory = np.zeros(array.nbytes + 1, np.uint8)[1:]
        view = memory.view(array.dtype).reshape(array.shape)
        view[...] = array
        return view
    array.flags.writeable = layout != "read-only"
    return array
