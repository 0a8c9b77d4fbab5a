"""How coarsely a forward pass rounds: a function that computes in float32, or rounds to six digits.

The outputs are looked at in points close by, on either side. A smooth function is a cubic there;
what is left is rounding. Both sides count by themselves, for a kink would leave something as well:
the side that leaves less is taken. Where an output hardly moves, because the points lie within one
step of its staircase, they are taken further apart (Moré and Wild, "Estimating computational
noise", 2011, choose their steps likewise). Of one that still does not, the next jump is looked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinycnn.arrays import Array

# Points of one side, in units of their distance; no fractions, for a staircase may keep step with them.
_POINTS = np.sqrt([0.0, 2.0, 5.0, 11.0, 17.0, 29.0, 41.0, 53.0, 71.0])
_DISTANCES = (3.1e-6, 1.1e-4, 3.3e-3, 0.05)  # in units of what moves; above float32's staircase
_CUBIC, _ = np.linalg.qr(np.vander(_POINTS / _POINTS[-1], 4))
_FREEDOM = len(_POINTS) - 4
_FAR = (8.0, 0.5)  # whether an output depends on what moves at all is seen here
EPS = float(np.finfo(np.float64).eps)
_CLEAR = 0.2  # of a change: what is off by more is no rounding, but a function that turns
_PLAIN = 1e3  # times float64's own rounding is nothing to speak of
_JUMP = 0.02  # of a change: what is left of it between two points next to each other is no slope
_TREAD = 1e-10  # of what moves: a staircase with steps as short is float64's own
_HALVINGS = 40
_TRIED = 4  # outputs, the largest first
# Times the step at which an output jumps: a slope goes on from there, a jump stays. So near that
# exp(x), which log(1 + exp(x)) shows from x = -36 on, has not grown.
_BEYOND = 1 + 1e-5
_STEP = 12**0.5  # of a staircase, in standard deviations of what it is off by

ROUNDS = "forward seems to round to"

Outputs = Callable[[float], Array]  # the outputs after a step


@dataclass(frozen=True)
class RoundingStep:
    """What forward rounds to, output by output; 0 where that is float64's own rounding."""

    outputs: Array
    total: float  # the same of sum(dy * y)
    reached: Array  # which outputs depend on what moves, as far as is known

    @cached_property
    def coarse(self) -> bool:
        """Whether any output rounds to more than float64 does."""
        return bool(self.outputs.any())

    @property
    def words(self) -> str:
        """The size in words, for a report: "forward seems to round to 1e-7"."""
        power = round(float(np.log10(np.median(self.outputs[self.outputs > 0]))))
        return f"{ROUNDS} 1e{power}"


def precision(array: Array) -> float:
    """The rounding, as a part of a number, of the smallest type that holds an array exactly."""
    with np.errstate(over="ignore"):
        for kind in (np.float16, np.float32):
            if np.array_equal(array.astype(kind), array):
                return float(np.finfo(kind).eps)
    return EPS


def rounding_of(y: Array, dy: Array, at: Outputs, units: Sequence[float]) -> RoundingStep:
    """Measure ``at``, the outputs near ``y = at(0)``.

    ``units`` are the sizes of what moves, the smallest first.
    """
    with np.errstate(all="ignore"):  # a large step may leave the function's domain
        reached = np.zeros(y.shape, np.bool_)
        for far in _FAR:
            reached |= (at(far * units[-1]) != y) | (at(-far * units[-1]) != y)
        for step in _further(units[-1], _largest(y)):  # beyond its own size every output may move
            reached |= (at(step) != y) & (8 * np.abs(y) > abs(step))
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
            # A side that is flat hides the staircase of the other one: tanh in float32 near 1.
            flat = (ahead.moving == 0) | (behind.moving == 0)
            seen &= ~flat | (ahead.off == behind.off)
            rounded[seen] = _STEP * off[seen]
            columns &= ~seen
        still = columns[:-1].reshape(y.shape)
        rounded[:-1] += np.where(still, _jump(y, at, still, units), 0.0).reshape(-1)
    outputs = rounded[:-1].reshape(y.shape)
    # Kinks of several outputs on both sides look like rounding of the sum: it is at most theirs.
    return RoundingStep(
        outputs, min(float(rounded[-1]), float(np.sum(np.abs(dy) * outputs))), reached
    )


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


def _jump(y: Array, at: Outputs, still: Array, units: Sequence[float]) -> Array:
    """How far each output that was ``still`` jumps, as the largest of them does that jumps at all.

    The others may jump as far, or by the same part of what they are. 0 if none jumps.
    """
    first = np.zeros(y.size)  # the first step at which each moves
    parts = (_DISTANCES[-1], *reversed(_FAR))
    steps = (sign * part * units[0] for part in parts for sign in (1, -1))
    for far in itertools.chain(steps, _further(units[0], max(_FAR[0] * units[-1], _largest(y)))):
        waiting = still.reshape(-1) & (first == 0)
        if not waiting.any():
            break
        there = at(far)
        first[waiting & ((there != y) & np.isfinite(there)).reshape(-1)] = far
    moved = np.flatnonzero(first)
    for cell in moved[np.argsort(-np.abs(y.reshape(-1)[moved]), kind="stable")][:_TRIED]:
        size = abs(float(y.flat[cell]))
        jump = _jump_of(at, int(cell), float(first[cell]), units[0])
        if jump:
            return np.maximum(jump, np.abs(y) * (jump / size if size else 0.0))
    return np.zeros(y.shape)


def _jump_of(at: Outputs, cell: int, far: float, unit: float) -> float:
    """How far one output jumps between here and ``far``, where it first moves; 0 for a slope."""

    def output(step: float) -> float:
        return float(at(step).flat[cell])

    here, near = output(0.0), 0.0
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        near, far = (near, middle) if output(middle) != here else (middle, far)
    jump, on = abs(output(far) - here), abs(output(_BEYOND * far) - here)
    rough = jump > max(_JUMP * on, _PLAIN * EPS * abs(here)) and abs(far) > _TREAD * unit
    return jump if rough else 0.0


def _further(unit: float, end: float) -> Iterator[float]:
    """Steps beyond those of ``_FAR``: x + 1e9 in float32 moves by 64, x * x from 1e-162 on."""
    far = 8 * _FAR[0] * unit
    while far < 8 * end:
        yield from (far, -far)
        far *= 8


def _largest(y: Array) -> float:
    return float(np.abs(y).max(initial=0.0))
