"""Softmax in float32 vectors, and the loss and gradient that follow it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import (
    LANES,
    at_least,
    exp,
    fma,
    from_lane,
    largest_of,
    load,
    load_first,
    select_first,
    splat,
    store,
    store_first,
    sum_of,
)

# Partial sums of a row: as many as the most lanes there are, so that bits do not depend on lanes.
_SUMS = 16
_BELOW_1 = 1 - 2**-24  # the largest number of float32 below 1


@kernel
def softmax(x: Any, first: int, last: int, F: int, y: Any) -> None:
    """Write y = exp(x) / sum(exp(x)) along rows ``first`` to ``last`` (not included) of ``F`` numbers.

    ``x`` and ``y`` are flat, float32. The largest of a row is subtracted first; where it is NaN or infinite,
    the row becomes NaN.
    """
    classes, sums = np.empty(_SUMS * LANES, np.float32), np.empty(2 * _SUMS, np.float32)
    if F > _SUMS:
        for at in range(first * F, last * F, F):
            # To multiply takes a fifth of the time of a division, and rounds once more.
            share = np.float32(1) / (np.float32(1) + _exponentials_of_row(x, at, F, y, sums)[1])
            for f in range(at, at + F):
                y[np.uintp(f)] *= share
        return
    for start in range(first, last, LANES):
        rows = min(LANES, last - start)
        total = splat(1) + _exponentials_of_classes(x, start * F, rows, F, classes)[1]
        share = splat(1) / total
        for f in range(F):
            store(classes, f * LANES, load(classes, f * LANES) * share)
        _to_rows(classes, start * F, rows, F, y)


@kernel
def softmax_backward(dy: Any, y: Any, first: int, last: int, F: int, dx: Any) -> None:
    """Write dx = y * (dy - sum(dy * y)) along rows ``first`` to ``last`` (not included) of ``F`` numbers.

    ``dy y dx`` are flat, float32.
    """
    sums, whole, part = np.empty(_SUMS, np.float32), F // LANES * LANES, F % LANES
    for at in range(first * F, last * F, F):
        mean = splat(_product_of_rows(dy, y, at, F, sums))
        for f in range(at, at + whole, LANES):
            store(dx, f, load(y, f) * (load(dy, f) - mean))
        if part:
            end = at + whole
            rest = load_first(y, end, part) * (load_first(dy, end, part) - mean)
            store_first(dx, end, part, rest)


@kernel
def _product_of_rows(x: Any, y: Any, at: int, F: int, sums: Any) -> Any:
    """The sum of x * y over ``F`` numbers from ``at`` on: of every sixteenth, then these by halves.

    ``sums`` (16,) is overwritten.
    """
    whole = F // _SUMS * _SUMS
    for lane in range(0, _SUMS, LANES):
        total = splat(0)
        for f in range(at + lane, at + whole, _SUMS):
            total = fma(load(x, f), load(y, f), total)
        rest, end = min(max(F - whole - lane, 0), LANES), at + whole + lane
        if rest > 0:
            total = fma(load_first(x, end, rest), load_first(y, end, rest), total)
        store(sums, lane, total)
    return _sum(sums, 0)


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
    classes, sums = np.empty(_SUMS * LANES, np.float32), np.empty(2 * _SUMS, np.float32)
    largest, others = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    all_weights, part = class_weights.sum(), smoothing / F
    for start in range(first, last, LANES):
        rows = min(LANES, last - start)
        if F <= _SUMS:
            most, sum_of_others = _exponentials_of_classes(source, start * F, rows, F, classes)
            store(largest, 0, most)
            store(others, 0, sum_of_others)
            _to_rows(classes, start * F, rows, F, target)
        for i in range(rows):
            n = start + i
            at, label = n * F, n * F + labels[n]
            if F > _SUMS:
                largest[i], others[i] = _exponentials_of_row(source, at, F, target, sums)
            own, others_than_label = class_weights[labels[n]], others[i]
            if target[label] < 1:
                others_than_label += 1 - target[label]
            # log1p keeps a small loss; log would round it to 0.
            logarithm = math.log1p(np.float64(others[i]))
            gap = np.float64(largest[i]) - np.float64(source[label])
            losses[n] = (1 - smoothing) * own * (logarithm + gap)
            # p - 1 at the label is minus the sum of the other classes, likewise.
            target[label] = -others_than_label
            mass = (1 - smoothing) * own + part * all_weights
            share = np.float32(mass / ((1 + np.float64(others[i])) * total))
            for f in range(at, at + F):
                target[np.uintp(f)] *= share
            if smoothing > 0:
                losses[n] += part * all_weights * logarithm
                for f in range(F):
                    losses[n] += part * class_weights[f] * (largest[i] - source[at + f])
                    target[at + f] -= part * class_weights[f] / total
                target[label] += part * all_weights / total


@kernel
def _exponentials_of_row(x: Any, at: int, F: int, y: Any, sums: Any) -> Any:
    """Write exp(x - largest) of the ``F`` numbers from ``at`` on to ``y``; more than a vector.

    Gives the largest, and the sum of the others' exponentials: without the 1 of the largest, beside which a
    small one would be lost. It runs over partial sums of every sixteenth number, then these by halves.
    ``sums`` (2 * 16,) is overwritten.
    """
    whole = F // _SUMS * _SUMS
    most = load(x, at + F - LANES)
    for f in range(at, at + F - LANES, LANES):
        most = at_least(load(x, f), most)
    largest = largest_of(most)
    shift = splat(largest)
    for lane in range(0, _SUMS, LANES):
        total, ones = splat(0), splat(0)
        for f in range(at + lane, at + whole, _SUMS):
            e = exp(load(x, f) - shift)
            store(y, f, e)
            below = _below_1(e)
            total, ones = total + below, ones + (e - below)
        rest = min(max(F - whole - lane, 0), LANES)
        if rest > 0:
            some = from_lane(load_first(x, at + whole + lane, rest), rest, splat(-np.inf))
            e = exp(some - shift)
            store_first(y, at + whole + lane, rest, e)
            below = _below_1(e)
            total, ones = total + below, ones + (e - below)
        store(sums, lane, total)
        store(sums, _SUMS + lane, ones)
    return largest, _sum(sums, 0) + (_sum(sums, _SUMS) - np.float32(1))


@kernel
def _exponentials_of_classes(x: Any, at: int, rows: int, F: int, classes: Any) -> Any:
    """The same of up to LANES rows of few numbers, a row a lane: a vector for each class to ``classes``.

    Gives a vector of the rows' largest, and one of their sums.
    """
    _from_rows(x, at, rows, F, classes)
    most = load(classes, 0)
    for f in range(1, F):
        most = at_least(load(classes, f * LANES), most)
    total, ones = splat(0), splat(-1)
    for f in range(F):
        e = exp(load(classes, f * LANES) - most)
        store(classes, f * LANES, e)
        below = _below_1(e)
        total, ones = total + below, ones + (e - below)
    return most, total + ones


@kernel
def _below_1(e: Any) -> Any:
    """``e`` where it is below 1; 0 elsewhere, also for NaN, so that e less this is NaN."""
    return select_first(splat(_BELOW_1), e, e, splat(0))


@kernel
def _sum(sums: Any, at: int) -> Any:
    """The sum of sixteen numbers, by halves whatever LANES is."""
    half = _SUMS // 2
    while half >= LANES:
        for lane in range(at, at + half, LANES):
            store(sums, lane, load(sums, lane) + load(sums, lane + half))
        half //= 2
    return sum_of(load(sums, at))


@kernel
def _from_rows(x: Any, at: int, rows: int, F: int, classes: Any) -> None:
    """Copy ``rows`` rows from ``at`` on to ``classes``, where they stand side by side; missing ones are 0."""
    for f in range(F):
        for row in range(LANES):
            classes[np.uintp(f * LANES + row)] = x[np.uintp(at + row * F + f)] if row < rows else 0


@kernel
def _to_rows(classes: Any, at: int, rows: int, F: int, y: Any) -> None:
    """Copy ``classes`` to ``rows`` rows from ``at`` on."""
    for row in range(rows):
        for f in range(F):
            y[np.uintp(at + row * F + f)] = classes[np.uintp(f * LANES + row)]
