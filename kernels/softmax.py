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
    width = _width(F)
    block, largest, sums = _buffers(width)
    for start in range(first, last, LANES):
        rows = min(LANES, last - start)
        _exponentials(x, start * F, rows, F, block, largest)
        for i in range(rows):
            row, at = i * width, (start + i) * F
            total = _sum(block, row, F, sums)
            for f in range(F):
                y[np.uintp(at + f)] = block[np.uintp(row + f)] / total


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
    x: Any,
    labels: Any,
    class_weights: Any,
    smoothing: float,
    first: int,
    last: int,
    total: float,
    losses: Any,
    dx: Any,
) -> None:
    """Write each row's loss and its gradient, by log-sum-exp: rows ``first`` to ``last`` (not included).

        q[c] = (1 - smoothing) * w[label] * onehot[c] + smoothing * w[c] / F,    S = sum(q)
        losses[n] = sum over c of q[c] * (log(sum(exp(x[n]))) - x[n, c])
        dx[n] = (S * softmax(x[n]) - q) / total

    ``x`` and ``dx`` are (N, F) in float32, ``labels`` (N,) are from 0 to F - 1, ``class_weights`` w (F,) and
    ``losses`` (N,) are float64. Where a row's largest is NaN or infinite, both are NaN.
    """
    F = x.shape[1]
    source, target = x.reshape(x.size), dx.reshape(dx.size)
    width, all_weights = _width(F), class_weights.sum()
    block, most, sums = _buffers(width)
    for start in range(first, last, LANES):
        rows = min(LANES, last - start)
        _exponentials(source, start * F, rows, F, block, most)
        for i in range(rows):
            n, row = start + i, i * width
            largest, label, top = np.float64(most[i]), row + labels[n], row
            while top < row + F - 1 and block[top] != 1:
                top += 1
            # Without the largest, whose exponential is 1: log1p keeps a small loss; log would round it to 0.
            one, block[top] = block[top], 0
            others = _sum(block, row, F, sums)
            logarithm, own = math.log1p(np.float64(others)), class_weights[labels[n]]
            plain = logarithm + (largest - np.float64(source[n * F + labels[n]]))
            losses[n] = (1 - smoothing) * own * plain
            # p - 1 at the label is minus the sum of the other classes, likewise.
            block[top], block[label] = one, 0
            block[label] = -_sum(block, row, F, sums)
            mass = (1 - smoothing) * own + smoothing / F * all_weights
            share, scale = np.float32(mass), (one + others) * np.float32(total)
            for f in range(F):
                target[np.uintp(n * F + f)] = share * block[np.uintp(row + f)] / scale
            if smoothing > 0:
                part = smoothing / F
                losses[n] += part * all_weights * logarithm
                for f in range(F):
                    losses[n] += part * class_weights[f] * (largest - source[n * F + f])
                    target[n * F + f] -= part * class_weights[f] / total
                target[n * F + labels[n]] += part * all_weights / total


@kernel
def _width(F: int) -> int:
    """Numbers of a row of whole vectors."""
    return -(-F // _SUMS) * _SUMS


@kernel
def _buffers(width: int) -> tuple[Any, Any, Any]:
    """Room for LANES rows, for the largest of each, and for the partial sums of one."""
    block = np.zeros(LANES * width, np.float32)
    return block, np.empty(LANES, np.float32), np.empty(_SUMS, np.float32)


@kernel
def _exponentials(x: Any, at: int, rows: int, F: int, block: Any, largest: Any) -> None:
    """Write exp(x - largest) of so many rows of F numbers from ``at`` on to those of ``block``.

    Beyond a row's numbers stands 0. Rows that fill no vector go together, a class a vector, and the
    others one by one.
    """
    width, lanes = block.size // LANES, np.empty(LANES, np.float32)
    if F > _SUMS:
        for i in range(rows):
            largest[i] = _exponentials_of_row(x, at + i * F, F, block, i * width, lanes)
        return
    classes = np.empty(F * LANES, np.float32)
    for i in range(LANES):
        row = at + min(i, rows - 1) * F
        for f in range(F):
            classes[f * LANES + i] = x[row + f]
    most = load(classes, 0)
    for f in range(1, F):
        most = maximum(most, load(classes, f * LANES))
    store(largest, 0, most)
    for f in range(F):
        store(classes, f * LANES, exp(load(classes, f * LANES) - most))
    for i in range(rows):
        for f in range(F):
            block[i * width + f] = classes[f * LANES + i]


@kernel
def _exponentials_of_row(x: Any, at: int, F: int, block: Any, row: int, lanes: Any) -> Any:
    """Do the same for one row, from ``row`` on in ``block``; give the largest. ``lanes`` is overwritten."""
    end, whole = row + _width(F), F // LANES * LANES
    for f in range(whole, F):
        block[row + f] = x[at + f]
    for f in range(row + F, end):
        block[f] = -np.inf
    most = load(x, at)
    for f in range(0, whole, LANES):
        some = load(x, at + f)
        store(block, row + f, some)
        most = maximum(most, some)
    for f in range(row + whole, end, LANES):
        most = maximum(most, load(block, f))
    store(lanes, 0, most)
    largest = lanes[0]
    for lane in range(1, LANES):
        largest = largest if lanes[lane] <= largest or largest != largest else lanes[lane]
    for f in range(row, end, LANES):
        store(block, f, exp(load(block, f) - splat(largest)))
    return largest


@kernel
def _sum(block: Any, row: int, F: int, sums: Any) -> Any:
    """The sum of a row: partial sums of every sixteenth number, then these in their order."""
    if F <= _SUMS:
        total = block[row]
        for f in range(1, F):
            total += block[row + f]
        return total
    for lane in range(row, row + _SUMS, LANES):
        some = load(block, lane)
        for f in range(lane + _SUMS, row + _width(F), _SUMS):
            some += load(block, f)
        store(sums, lane - row, some)
    total = sums[0]
    for lane in range(1, _SUMS):
        total += sums[lane]
    return total
