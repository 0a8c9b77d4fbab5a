"""Softmax in float32 vectors, and the loss and gradient that follow it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, exp, load, maximum, splat, store

# Partial sums of a row: as many as the most lanes there are, so that bits do not depend on lanes.
_SUMS = 16


@kernel
def softmax(x: Any, first: int, last: int, F: int, y: Any) -> None:
    """Write y = exp(x) / sum(exp(x)) along rows ``first`` to ``last`` (not included) of ``F`` numbers.

    ``x`` and ``y`` are flat, float32. The largest of a row is subtracted first; where it is NaN or infinite,
    the row becomes NaN.
    """
    row, sums = _buffers(F)
    for n in range(first, last):
        _exponentials(x, n * F, F, row, sums)
        total = _sum(row, sums)
        for f in range(F):
            y[np.uintp(n * F + f)] = row[np.uintp(f)] / total


@kernel(fastmath={"contract", "reassoc"})  # a row is added up in vectors
def softmax_backward(dy: Any, y: Any, first: int, last: int, dx: Any) -> None:
    """Write dx = y * (dy - sum(dy * y)) along rows ``first`` to ``last`` (not included) of (N, F) arrays."""
    F = y.shape[1]
    for n in range(first, last):
        mean = 0.0
        for f in range(F):
            mean += np.float64(dy[n, f]) * y[n, f]
        for f in range(F):
            dx[n, f] = y[n, f] * (dy[n, f] - y.dtype.type(mean))


@kernel
def cross_entropy(
    x: Any, labels: Any, first: int, last: int, count: int, losses: Any, dx: Any
) -> None:
    """Write each row's loss and its gradient, by log-sum-exp: rows ``first`` to ``last`` (not included).

        losses[n] = log(sum(exp(x[n]))) - x[n, label]        dx[n] = (softmax(x[n]) - onehot(label)) / count

    ``x`` and ``dx`` are (N, F) in float32, ``labels`` (N,) are from 0 to F - 1, ``losses`` (N,) is float64.
    Where a row's largest is NaN or infinite, both are NaN.
    """
    F = x.shape[1]
    source, target = x.reshape(x.size), dx.reshape(dx.size)
    row, sums = _buffers(F)
    for n in range(first, last):
        largest, label = np.float64(_exponentials(source, n * F, F, row, sums)), labels[n]
        top = 0
        while top < F - 1 and row[top] != 1:
            top += 1
        # Without the largest, whose exponential is 1: log1p keeps a small loss, which log would round to 0.
        one, row[top] = row[top], 0
        others = _sum(row, sums)
        losses[n] = math.log1p(np.float64(others)) + (largest - np.float64(source[n * F + label]))
        # p - 1 at the label is minus the sum of the other classes, likewise.
        row[top], row[label] = one, 0
        row[label] = -_sum(row, sums)
        scale = (one + others) * np.float32(count)
        for f in range(F):
            target[np.uintp(n * F + f)] = row[np.uintp(f)] / scale


@kernel
def _buffers(F: int) -> tuple[Any, Any]:
    """Room for a row of whole vectors, and for partial sums."""
    return np.empty(-(-F // _SUMS) * _SUMS, np.float32), np.empty(_SUMS, np.float32)


@kernel
def _exponentials(x: Any, at: int, F: int, row: Any, sums: Any) -> Any:
    """Write exp(x - largest) of F numbers from ``at`` on to ``row``, 0 beyond them; give the largest."""
    for f in range(F):
        row[np.uintp(f)] = x[np.uintp(at + f)]
    for f in range(F, row.size):
        row[f] = -np.inf
    most = load(row, 0)
    for f in range(LANES, row.size, LANES):
        most = maximum(most, load(row, f))
    store(sums, 0, most)
    largest = sums[0]
    for lane in range(1, LANES):
        largest = largest if sums[lane] <= largest or largest != largest else sums[lane]
    for f in range(0, row.size, LANES):
        store(row, f, exp(load(row, f) - splat(largest)))
    for f in range(F, row.size):
        row[f] = 0
    return largest


@kernel
def _sum(row: Any, sums: Any) -> Any:
    """The sum of a row: partial sums of every sixteenth number, then these in their order."""
    for lane in range(0, _SUMS, LANES):
        store(sums, lane, load(row, lane))
    for f in range(_SUMS, row.size, _SUMS):
        for lane in range(0, _SUMS, LANES):
            store(sums, lane, load(sums, lane) + load(row, f + lane))
    total = sums[0]
    for lane in range(1, _SUMS):
        total += sums[lane]
    return total
