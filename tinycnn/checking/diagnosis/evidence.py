"""What is known of a wrong gradient: its numbers, the right ones where known, the Jacobian if small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.derivatives.sizes import scale
from tinycnn.checking.report import Entry
from tinycnn.checking.targets.target import Target

_MOST_DERIVATIVES = (
    20_000  # outputs times inputs; above, only the entries that were tried are known
)
_MOST_CELLS = 1_000_000  # inputs times all cells that a pass reads: what measuring them all costs
_STEP = 1e-5  # of an array's scale: truncation and rounding both end near 1e-10
AGREES = 1e-6  # of the largest number; the differences are better by some hundred times
_KINKED = 1e-4  # slopes to both sides that are further apart than this part of the largest
_FEW = 8  # so many numbers that agree are no accident


@dataclass(frozen=True)
class Slopes:
    """The Jacobian of y, flattened, to the cells of one array: (outputs, cells)."""

    up: Array  # one-sided, towards larger values
    down: Array
    middle: Array  # NaN where the two sides differ


@dataclass(frozen=True)
class Evidence:
    """A wrong gradient, and all that is known about the right one."""

    target: Target
    name: str
    dy: Array
    analytic: Array
    numeric: Array  # NaN where it is not known, or where there is a kink
    slopes: Slopes | None  # None: too many
    entries: Sequence[Entry]  # what was tried
    within: float = AGREES  # of the largest number: what numbers that agree differ by at most

    @property
    def array(self) -> Array:
        """The array with respect to which the gradient is taken."""
        return self.target.arrays[self.name]

    @cached_property
    def y(self) -> Array:
        """The output of forward at the target's own arrays."""
        return output(self.target, self.target.arrays)

    @property
    def scale(self) -> float:
        """The largest number of the two gradients."""
        known = np.abs(self.numeric[np.isfinite(self.numeric)])
        return float(max(known.max(initial=0.0), np.abs(self.analytic).max(initial=0.0)))

    @cached_property
    def wrong(self) -> Array:
        """Where the gradient is known to be wrong."""
        known = np.isfinite(self.numeric)
        error = np.abs(self.analytic - np.nan_to_num(self.numeric))
        wrong: Array = known & (error > self.within * self.scale)
        return wrong

    @cached_property
    def known(self) -> int:
        """How many numbers of the right gradient are known."""
        return int(np.isfinite(self.numeric).sum())

    def agrees(self, candidate: Array) -> int:
        """How many numbers agree with a candidate, NaN where it has none; 0 if any does not.

        0 as well if they are too few, or if the right gradient might agree with them as well.
        """
        candidate = candidate.reshape(self.analytic.shape)
        has = np.isfinite(candidate)
        size = float(np.abs(candidate[has]).max(initial=0.0))
        if size == 0 or not self.same(self.analytic[has], candidate[has], size):
            return 0
        telling = int((np.abs(candidate[has]) > self.within * size).sum())
        enough = telling >= min(_FEW, max(2, self.analytic.size // 2))
        # Of a large array the candidate is known at other cells than the right gradient.
        tells = (has & self.wrong).any() or 2 * self.wrong.sum() >= self.known
        return int(has.sum()) if enough and tells else 0

    def same(self, a: Array, b: Array, size: float) -> bool:
        """Whether no two numbers differ by more than a part of ``size``, a millionth if not coarse."""
        return bool(np.all(np.abs(a - b) <= self.within * size))

    def of_outputs(self, upstream: Array) -> Array:
        """The gradient for another dy: sum of dy_o J_oi, NaN at kinks."""
        assert self.slopes is not None
        gradient: Array = (upstream.reshape(-1) @ self.slopes.middle).reshape(self.array.shape)
        return gradient


def evidence(
    target: Target, name: str, dy: Array, analytic: Array, entries: Sequence[Entry]
) -> Evidence | None:
    """Measure what can be afforded; None if nothing is known about the right gradient."""
    array, dy = target.arrays[name], np.asarray(dy, np.float64)
    if np.shape(analytic) != array.shape or not np.isfinite(analytic).all():
        return None
    # Of a forward that rounds coarsely differences at one step say nothing: the entries' do.
    within = max([AGREES, *(entry.resolution for entry in entries if entry.decided)])
    slopes = None
    if within == AGREES and affordable(target, name, dy):
        slopes = measured(target, name)
    if slopes is not None:
        numeric = (dy.reshape(-1) @ slopes.middle).reshape(array.shape)
    else:
        numeric = np.full(array.shape, np.nan)
        for entry in entries:
            if entry.index is not None and entry.decided:
                numeric[entry.index] = entry.numeric
    given = np.asarray(analytic, np.float64)
    found = Evidence(target, name, dy, given, numeric, slopes, entries, within)
    return found if found.known or entries else None


def affordable(target: Target, name: str, dy: Array) -> bool:
    """Whether all derivatives of all outputs by this array may be measured."""
    if target.expensive:
        return False
    cells = target.arrays[name].size
    total = dy.size + sum(array.size for array in target.arrays.values())
    return cells * dy.size <= _MOST_DERIVATIVES and cells * total <= _MOST_CELLS


def output(target: Target, arrays: Mapping[str, Array]) -> Array:
    """The output of forward on copies of ``arrays``, in float64."""
    return np.array(target.forward({k: v.copy() for k, v in arrays.items()}), np.float64)


def step(array: Array) -> float:
    """A step that suits the array's size."""
    return _STEP * scale(array)


def measured(target: Target, name: str, arrays: Mapping[str, Array] | None = None) -> Slopes | None:
    """All derivatives by one array, at ``arrays`` or at the target's own values.

    To each side by three points, (4 f(h) - f(2h) - 3 f(0)) / 2h, which like their mean, the central
    difference, are off by the order of h^2. None where forward cannot be worked out.
    """
    arrays = dict(target.arrays if arrays is None else arrays)
    array, y = arrays[name], output(target, arrays).reshape(-1)
    h = step(array)
    up, down = np.empty((2, y.size, array.size))
    for cell in range(array.size):
        moved = array.copy()

        def at(distance: float, cell: int = cell, moved: Array = moved) -> Array:
            moved.flat[cell] = array.flat[cell] + distance
            return output(target, {**arrays, name: moved}).reshape(-1)

        up[:, cell] = (4 * (at(h) - y) - (at(2 * h) - y)) / (2 * h)
        down[:, cell] = -(4 * (at(-h) - y) - (at(-2 * h) - y)) / (2 * h)
    if not (np.isfinite(up).all() and np.isfinite(down).all()):
        return None
    largest = max(np.abs(up).max(initial=0.0), np.abs(down).max(initial=0.0))
    middle = np.where(np.abs(up - down) <= _KINKED * largest, (up + down) / 2, np.nan)
    return Slopes(up, down, middle)
