"""How coarsely a forward pass rounds: a function that computes in float32, or rounds to six digits.

The outputs are looked at in points close by, on either side. A smooth function is a cubic there;
what is left is rounding. Both sides count by themselves, for a kink would leave something as well:
the side that leaves less is taken. Where an output hardly moves, because the points lie within one
step of its staircase, they are taken further apart (Moré and Wild, "Estimating computational
noise", 2011, choose their steps likewise). Of one that still does not, the next jump is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinycnn.arrays import Array

# Points of one side, in units of their distance; no fractions, for a staircase may keep step with them.
_POINTS = np.sqrt([0.0, 2.0, 5.0, 11.0, 17.0, 29.0, 41.0, 53.0, 71.0])
_DISTANCES = (3.1e-6, 1.1e-4, 3.3e-3, 0.05)  # in units of what moves; above float32's staircase
_CUBIC, _ = np.linalg.qr(np.vander(_POINTS / _POINTS[-1], 4))
_FREEDOM = len(_POINTS) - 4
_FAR = (8.0, 0.5)  # whether an output hangs on what moves at all is seen here
EPS = float(np.finfo(np.float64).eps)
_CLEAR = 0.2  # of a change: what is off by more is no rounding, but a function that turns
_PLAIN = 1e3  # times float64's own rounding is nothing to speak of
_JUMP = 0.02  # of a change: what is left of it between two points next to each other is no slope
_TREAD = 1e-10  # of what moves: a staircase with steps as short is float64's own
_HALVINGS = 40
_STEP = 12**0.5  # of a staircase, in standard deviations of what it is off by

ROUNDS = "forward seems to round to"

Outputs = Callable[[float], Array]  # the outputs after a step


@dataclass(frozen=True)
class Grain:
    """What forward rounds to, output by output; 0 where that is float64's own rounding."""

    outputs: Array
    total: float  # the same of sum(dy * y)
    reached: Array  # which outputs hang on what moves, as far as is known

    @property
    def coarse(self) -> bool:
        """Whether any output rounds to more than float64 does."""
        return bool(self.outputs.any())

    @property
    def words(self) -> str:
        """What is said of it."""
        power = round(float(np.log10(np.median(self.outputs[self.outputs > 0]))))
        return f"{ROUNDS} 1e{power}"


def precision(array: Array) -> float:
    """The rounding, as a part of a number, of the smallest type that holds an array exactly."""
    with np.errstate(over="ignore"):
        for kind in (np.float16, np.float32):
            if np.array_equal(array.astype(kind), array):
                return float(np.finfo(kind).eps)
    return EPS


def grain_of(y: Array, dy: Array, at: Outputs, units: Sequence[float]) -> Grain:
    """Measure ``at``, the outputs near ``y = at(0)``.

    ``units`` are the sizes of what moves, the smallest first.
    """
    with np.errstate(all="ignore"):  # a large step may leave the function's domain
        reached = np.zeros(y.shape, np.bool_)
        for far in _FAR:
            reached |= (at(far * units[-1]) != y) | (at(-far * units[-1]) != y)
        columns = np.append(reached.reshape(-1), True)  # the last is their sum
        rounded = np.zeros(columns.size)
        for unit, part in ((unit, part) for unit in units for part in _DISTANCES):
            if not columns.any():
                break
            ahead, behind = (_side(y, dy, at, sign * unit, part) for sign in (1, -1))
            off = np.minimum(ahead.off, behind.off)
            if not np.isfinite(off).all():
                break
            clear = off <= _CLEAR * np.where(off == ahead.off, ahead.size, behind.size)
            seen = columns & clear & (ahead.moving + behind.moving >= len(_POINTS) - 1)
            rounded[seen] = _STEP * off[seen]
            columns &= ~seen
        rounded[columns] = _jump(y, at, columns[:-1].reshape(y.shape), units[-1])
    outputs = rounded[:-1].reshape(y.shape)
    # Kinks of several outputs on both sides look like rounding of the sum: it is at most theirs.
    return Grain(outputs, min(float(rounded[-1]), float(np.sum(np.abs(dy) * outputs))), reached)


@dataclass(frozen=True)
class _Side:
    """What each output, and their sum as the last, does in the points on one side."""

    off: Array  # standard deviation from a cubic, 0 if float64's own; NaN outside forward's domain
    size: Array  # of the largest change
    moving: Array  # between how many points it moves


def _side(y: Array, dy: Array, at: Outputs, unit: float, part: float) -> _Side:
    moved = np.stack([y.reshape(-1), *(at(unit * part * p).reshape(-1) for p in _POINTS[1:])])
    weights = dy.reshape(-1)
    change = np.column_stack([moved - moved[0], (moved - moved[0]) @ weights])
    size = np.abs(change).max(axis=0)
    shape = np.divide(change, size, out=np.zeros_like(change), where=size > 0)
    left = shape - _CUBIC @ (_CUBIC.T @ shape)
    off = size * np.sqrt((left * left).sum(axis=0) / _FREEDOM)
    largest = np.abs(moved).max(axis=0)
    # Rounding of what moves is float64's own as well, times the slope.
    own = np.append(largest, (np.abs(weights) * largest).max(initial=0.0))
    own += size / (part * _POINTS[-1])
    off[off <= _PLAIN * EPS * own] = 0.0
    return _Side(off, size, np.count_nonzero(np.diff(change, axis=0), axis=0))


def _jump(y: Array, at: Outputs, still: Array, unit: float) -> float:
    """How far the outputs that were ``still`` jump where the first of them moves; 0 if none jumps."""
    steps = (sign * part * unit for part in (_DISTANCES[-1], *reversed(_FAR)) for sign in (1, -1))
    for far in steps:
        moved = np.flatnonzero(still & (at(far) != y))
        if moved.size:
            break
    else:
        return 0.0

    def change(step: float) -> float:
        return float(abs(at(step).flat[moved[0]] - y.flat[moved[0]]))

    whole, near = change(far), 0.0
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        near, far = (near, middle) if change(middle) else (middle, far)
    tread = abs(far) > _TREAD * unit
    return change(far) if tread and change(far) > _JUMP * whole else 0.0
