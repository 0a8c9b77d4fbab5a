"""Convolution by its formula, one output cell after the other, in float64: too simple to be wrong.

The twin that the other algorithms are tested against, with their signatures. Slow: an output cell takes
some ten microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.shapes import Axis

Index = tuple[Any, ...]


def forward(
    x: Array, W: Array, b: Array | None, geometry: Geometry, y: Array, *, relu: bool
) -> None:
    """Write y = x convolved with W, plus b, rectified if ``relu``."""
    x, W = x.astype(np.float64), W.astype(np.float64)
    for cell, seen, taps in _windows(geometry):
        weights = W[taps]
        total = x[seen].reshape(-1) @ weights.reshape(-1, weights.shape[3])
        if b is not None:
            total += b[cell[3]]
        y[cell] = np.maximum(total, 0) if relu else total


def weight_gradient(dz: Array, x: Array, geometry: Geometry, dW: Array) -> None:
    """Write dW: for each weight, dz times the cell of x, over all products that it was in."""
    x, dz, total = x.astype(np.float64), dz.astype(np.float64), np.zeros(dW.shape)
    for cell, seen, taps in _windows(geometry):
        total[taps] += np.multiply.outer(x[seen], dz[cell])
    dW[...] = total


def input_gradient(dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx: for each cell of x, dz times the weight, over all products that it was in."""
    W, dz, total = W.astype(np.float64), dz.astype(np.float64), np.zeros(dx.shape)
    for cell, seen, taps in _windows(geometry):
        total[seen] += W[taps] @ dz[cell]
    dx[...] = total


def _windows(geometry: Geometry) -> Iterator[tuple[Index, Index, Index]]:
    """For each output cell of each group: its filters in y, what they see of x, and their weights in W.

    y[cell] is a vector (filters), x[seen] a window (rows, columns, channels) and W[taps] what it is
    multiplied with (rows, columns, channels, filters), without the kernel's cells that lie in the padding.
    """
    (OH, OW), (height, width) = (
        geometry.window.output,
        (geometry.window.height, geometry.window.width),
    )
    rows, columns = (
        [_inside(height, oh) for oh in range(OH)],
        [_inside(width, ow) for ow in range(OW)],
    )
    groups = [*geometry.group_slices()]
    for n, oh, ow in np.ndindex(geometry.N, OH, OW):
        (h, i), (w, j) = rows[oh], columns[ow]
        for channels, filters in groups:
            yield (n, oh, ow, filters), (n, h, w, channels), (i, j, slice(None), filters)


def _inside(axis: Axis, cell: int) -> tuple[slice, slice]:
    """What an output cell sees inside the image along an axis, and the kernel's cells that see it."""
    start, step = cell * axis.stride - axis.before, axis.dilation
    inside = [k for k in range(axis.kernel) if 0 <= start + k * step < axis.input]
    if not inside:
        return slice(0), slice(0)
    first, last = inside[0], inside[-1]
    return slice(start + first * step, start + last * step + 1, step), slice(first, last + 1)
