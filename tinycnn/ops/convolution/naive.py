"""Convolution by its formula: plain Python loops in float64, too simple to be wrong.

The twin that the other algorithms are tested against, with their signatures. Slow: a few thousand
products take a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinycnn.arrays import Array
from tinycnn.ops.convolution.geometry import Geometry

Cell = tuple[int, int, int, int]


def forward(x: Array, W: Array, b: Array | None, geometry: Geometry, relu: bool, y: Array) -> None:
    """Write y = x convolved with W, plus b, rectified if ``relu``."""
    for n, oh, ow, f in _cells(y):
        total = 0.0 if b is None else float(b[f])
        for x_cell, W_cell in _products(geometry, n, oh, ow, f):
            total += float(x[x_cell]) * float(W[W_cell])
        y[n, oh, ow, f] = 0.0 if relu and total < 0 else total


def weight_gradient(
    dy: Array, y: Array | None, x: Array, geometry: Geometry, dW: Array, db: Array
) -> None:
    """Write dW and db, of dz which is ``dy`` where ``y`` (if given) is not zero or less."""
    weight_sums, bias_sums = [0.0] * dW.size, [0.0] * db.size
    _, KW, Cg, F = dW.shape
    for n, oh, ow, f in _cells(dy):
        dz = _dz(dy, y, (n, oh, ow, f))
        bias_sums[f] += dz
        for x_cell, (i, j, c, _) in _products(geometry, n, oh, ow, f):
            weight_sums[((i * KW + j) * Cg + c) * F + f] += dz * float(x[x_cell])
    dW.flat[:] = weight_sums
    db.flat[:] = bias_sums


def input_gradient(dy: Array, y: Array | None, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx: for each cell of x, dz times the weight, over all products that it was in."""
    sums = [0.0] * dx.size
    _, H, W_in, C = dx.shape
    for n, oh, ow, f in _cells(dy):
        dz = _dz(dy, y, (n, oh, ow, f))
        for (_, h, w, c), W_cell in _products(geometry, n, oh, ow, f):
            sums[((n * H + h) * W_in + w) * C + c] += dz * float(W[W_cell])
    dx.flat[:] = sums


def _cells(y: Array) -> Iterator[Cell]:
    for n in range(y.shape[0]):
        for oh in range(y.shape[1]):
            for ow in range(y.shape[2]):
                for f in range(y.shape[3]):
                    yield n, oh, ow, f


def _dz(dy: Array, y: Array | None, cell: Cell) -> float:
    return 0.0 if y is not None and y[cell] <= 0 else float(dy[cell])


def _products(geometry: Geometry, n: int, oh: int, ow: int, f: int) -> Iterator[tuple[Cell, Cell]]:
    """Name the cells of x and of W that are multiplied and added up in y[n, oh, ow, f]."""
    height, width = geometry.window.height, geometry.window.width
    channels, filters = geometry.C // geometry.groups, geometry.F // geometry.groups
    group = f // filters
    for i in range(height.kernel):
        h = oh * height.stride - height.before + i * height.dilation
        for j in range(width.kernel):
            w = ow * width.stride - width.before + j * width.dilation
            if 0 <= h < height.input and 0 <= w < width.input:
                for c in range(channels):
                    yield (n, h, w, group * channels + c), (i, j, c, f)
