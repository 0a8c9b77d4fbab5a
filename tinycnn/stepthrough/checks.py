"""Agreements: the engine's sums against float64, its gradients against differences of the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.layers import Dropout, MaxPool2D
from tinycnn.stepthrough.explanation import Check
from tinycnn.stepthrough.sums import Sum, leaves, number, total
from tinycnn.trace import Record, Trace


def half_epsilon(dtype: np.dtype[Any]) -> float:
    """The largest relative error of one rounding: 2^-24 for float32, 2^-53 for float64."""
    return float(np.finfo(dtype).eps) / 2


def check_sum(tree: Sum, engine: float, dtype: np.dtype[Any], *, bias: float = 0.0) -> Check:
    """The engine's sum against the same terms added up in float64.

    Each of n additions rounds by at most u = 2^-24 (float32) of a partial sum, which is never
    larger than the sum of the terms' sizes. Where all terms are multiples of one power of two and
    their sizes add up to less than 1/u of it, every partial sum is a float: nothing is rounded.
    """
    values = [leaf.value for leaf in leaves(tree.parts)] + [bias]
    reference = total(values)
    if not math.isfinite(reference):
        return Check("float64", engine, reference, 0.0, "not a finite number")
    u, size = half_epsilon(dtype), math.fsum(map(abs, values))
    unit = min((_lowest_bit(value) for value in values if value), default=1.0)
    if size < unit / u:
        return Check("float64", engine, reference, 0.0, "every partial sum is a float32: exact")
    rounding = f"2^{math.log2(u):.0f}"
    why = f"{len(values):,} terms * {rounding} * the sum of their sizes {number(size)}"
    return Check("float64", engine, reference, len(values) * u * size, why)


def _lowest_bit(value: float) -> float:
    """The largest power of two that divides ``value``."""
    mantissa, exponent = math.frexp(value)
    whole = int(mantissa * 2**53)
    return math.ldexp(whole & -whole, exponent - 53)


# ---------------------------------------------------------------------------- differences of the loss


@dataclass(frozen=True)
class Difference:
    """A central difference (loss(+h) - loss(-h)) / 2h in float64, and what it crossed."""

    value: float
    h: float
    flips: int  # ReLUs and pool windows that change between -h and +h
    moved: float  # loss(after the step) - loss


@dataclass(frozen=True)
class Change:
    """What is moved: an element of a layer's parameter, or of one image's input."""

    position: int
    parameter: str | None  # None: the input
    index: tuple[int, ...]


def difference(trace: Trace, change: Change, step: float) -> Difference:
    """Move one number by +-h, and by ``step``, and replay the pass in float64 from there on.

    h begins at 1e-6 and shrinks while a ReLU or a pool window changes sides within it.
    """
    for h in (1e-6, 1e-7, 1e-8):
        losses, flips = _replay(trace, change, (0.0, h, -h, step))
        if not flips:
            break
    return Difference((losses[1] - losses[2]) / (2 * h), h, flips, losses[3] - losses[0])


def _replay(trace: Trace, change: Change, moves: Sequence[float]) -> tuple[list[float], int]:
    """The loss after each move, in float64; and how many kinks lie between the second and third."""
    first, *later = trace.records[change.position :]
    runs = [_forward(first, *_moved(first, change, move)) for move in moves]
    y = np.concatenate([run.y for run in runs])
    logits = [run.logits for run in runs if run.logits is not None]
    outputs = np.concatenate(logits or [y])
    flips = _flips([run.sides for run in runs])
    for record in later:
        run = _forward(record, record.params, y)
        y, outputs = run.y, run.y if run.logits is None else run.logits
        if run.sides is not None:
            flips += _flips(np.split(run.sides, len(moves)))
    return [_objective(trace, part) for part in np.split(outputs, len(moves))], flips


@dataclass(frozen=True)
class _Run:
    """One layer's forward in float64: output, logits of a softmax, each cell's side of its kinks."""

    y: Array
    logits: Array | None = None
    sides: Array | None = None


def _moved(record: Record, change: Change, move: float) -> tuple[dict[str, Array], Array]:
    """The parameters and the input of a layer, in float64, with one number moved."""
    x, params = record.x.astype(np.float64), dict(record.params)
    if change.parameter is None:
        x[change.index] += move
    else:
        params[change.parameter] = params[change.parameter].astype(np.float64)
        params[change.parameter][change.index] += move
    return params, x


def _forward(record: Record, params: Mapping[str, Array], x: Array) -> _Run:
    layer = record.layer
    if isinstance(layer, Dropout) and record.saved is not None:
        mask = np.tile(record.saved, (len(x) // len(record.saved), *[1] * (x.ndim - 1)))
        return _Run(ops.dropout_backward(x, mask, layer.rate))  # forward is the same map
    context = replace(record.context, algorithm="im2col")
    y, saved = layer.forward(params, x, context)
    if layer.activation == "softmax":
        return _Run(y, layer.logits(params, x, saved, context))
    if isinstance(layer, MaxPool2D):
        return _Run(y, sides=saved[0])
    return _Run(y, sides=y > 0 if layer.activation == "relu" else None)


def _flips(sides: Sequence[Array | None]) -> int:
    """Cells that are on different sides of a kink after the second and the third move."""
    plus, minus = sides[1], sides[2]
    return 0 if plus is None or minus is None else int(np.count_nonzero(plus != minus))


def _objective(trace: Trace, outputs: Array) -> float:
    """What the trace's gradients are gradients of: the loss, or <dy, y>."""
    if trace.labels is not None:
        return ops.cross_entropy(outputs, trace.labels)[0]
    assert trace.dy is not None
    y = ops.softmax(outputs) if trace.records[-1].layer.activation == "softmax" else outputs
    return math.fsum((trace.dy * y).ravel().tolist())
