"""The numerical derivative of sum(dy * forward) along a direction, its own error, and kinks.

Central differences at a ladder of steps, extrapolated to step 0. Outputs are subtracted cell by cell
before the product with dy, so that what did not change cancels exactly.

A difference across a kink means nothing. Where the target's kinks are known, the step shrinks until
nothing flips; where it is not, the slopes ahead and behind tell (`extrapolation`).
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.derivatives.dependence import size_elsewhere
from tinycnn.checking.derivatives.extrapolation import (
    SLOWLY,
    Derivative,
    Reading,
    certain,
    clear,
    extrapolate,
    refuted,
    settled,
)
from tinycnn.checking.derivatives.rounding import RoundingStep, rounding_of
from tinycnn.checking.derivatives.sampling import Direction
from tinycnn.checking.derivatives.sizes import norm, scale
from tinycnn.checking.kinks import flipped
from tinycnn.checking.targets.target import Target

EPS = float(np.finfo(np.float64).eps)
_SMALLEST = 64 * float(np.finfo(np.float64).smallest_subnormal)  # a step that can still be halved
_NATURAL = 1e-6  # of an array's scale, or 1: steps by which backward's rounding is measured
FIRST = 2.0**-4  # the largest step, in units of the array's scale
LEAST = 1e-9  # the smallest: below, rounding of the outputs is all there is
_KINK_PROVEN = 1e-7  # a kink that is still there at this step lies at the point itself
# Each step is about half of the one before, later a quarter. Not exactly: where the function rounds
# to a coarse grid inside, steps by powers of two would all be wrong in the same way, and agree.
_HALF, _QUARTER, _FINE = 0.513, 0.261, 5
_FAIR = 1e-3  # a relative error that shows a derivative to be there
_TINY = 1e-3  # arrays below this are also moved by steps near 1
_UNDERFLOW = 1e-50  # an array below this has powers that float64 does not hold
_SUBNORMAL = 1e-290  # an array below this has products whose last digits float64 does not hold
_TOO_TINY = "it is too close to the smallest number that float64 holds to be moved by small steps"
_AFTER_FLIP = 8  # the step is divided by this where it crosses a known kink


class Differences:
    """Differences of one target around its arrays, for one dy."""

    def __init__(self, target: Target, dy: Array) -> None:
        self.target, self.dy = target, dy
        self.y, self.sides = target.look(target.arrays)
        self.passes = 1
        self.fine = RoundingStep(np.zeros(self.y.shape), 0.0, np.ones(self.y.shape, np.bool_))
        self._sizes = np.abs(dy)
        self._scales = {name: scale(target.arrays[name]) for name in target.wrt}
        self._starts: dict[tuple[str, bool], float] = {}  # the largest steps without a flip

    def underflows(self, name: str) -> bool:
        """Whether products inside forward underflow, where the array called ``name`` is that tiny.

        NumPy tells; a loop in Python or a library of somebody's does not. Beside the smallest
        numbers any product underflows a little: there only outputs of exactly 0 show that it matters.
        """
        if self._scales[name] >= _UNDERFLOW:
            return False
        met: list[str] = []
        with np.errstate(under="call", call=lambda kind, _: met.append(kind)):
            y = self.target.forward(self.target.arrays)
        return bool(met) and (self._scales[name] > _SUBNORMAL or not y.any())

    def hides(self, direction: Direction, slope: float) -> bool:
        """Whether float64 may round off all that ``slope`` changes along ``direction``, at any step."""
        change = abs(slope) * FIRST * self._scales[direction.name]
        return change <= EPS * float(self._sizes.sum()) * self._size_elsewhere

    @cached_property
    def _size_elsewhere(self) -> float:
        return size_elsewhere(self.target)

    def measure_rounding(self, direction: Direction) -> RoundingStep:
        """Measure what forward rounds to along ``direction``."""
        units = sorted(self._units(direction))
        return rounding_of(self.y, self.dy, lambda step: self._outputs(direction, step), units)

    def _outputs(self, direction: Direction, step: float) -> Array:
        self.passes += 1
        return self.target.forward(direction.moved(self.target.arrays, step))

    def along(
        self, direction: Direction, size: float, tolerance: float, rounding: RoundingStep
    ) -> Derivative:
        """Differentiate along ``direction``, as far as an error of ``tolerance * size`` needs it."""
        best, *others = self._units(direction)
        found = self._descend(direction, best, size, tolerance, rounding)
        for unit in others:
            good = found.error <= tolerance * max(size, abs(found.value))
            if good and not found.kink:
                break
            other = self._descend(direction, unit, size, tolerance, rounding)
            if not other.kink and (found.kink or other.error < found.error):
                found = other
        return found

    def confirm(
        self,
        direction: Direction,
        size: float,
        tolerance: float,
        claim: float,
        rounding: RoundingStep,
    ) -> Derivative:
        """The same by every step of the ladder, to prove that ``claim`` is wrong."""
        units = self._units(direction)
        found = [self._descend(direction, unit, size, tolerance, rounding, claim) for unit in units]
        for one in found:
            if not one.kink and abs(one.value - claim) <= tolerance * max(size, abs(one.value)):
                return one
        return min(found, key=lambda one: (bool(one.kink), bool(one.unclear), one.step))

    def _units(self, direction: Direction) -> list[float]:
        """What steps are measured in: the array's scale; then what else may do where that does not.

        Beside large cells a small one may need steps of its own size: log(x), sqrt(x). And where all
        cells are tiny, larger steps may rise above the outputs' rounding: exp(x) at 1e-12.
        """
        unit, own = self._scales[direction.name], self._own_size(direction)
        return [unit, *([own] if own < unit else []), *([1.0] if unit < _TINY else [])]

    def _own_size(self, direction: Direction) -> float:
        """The size of what moves, if that is one cell or cells of one size, and not zero."""
        if direction.cells is None:
            return np.inf
        sizes = np.abs(self.target.arrays[direction.name].reshape(-1)[direction.cells])
        return float(sizes[0]) if 0 < sizes.min() == sizes.max() else np.inf

    def _descend(
        self,
        direction: Direction,
        unit: float,
        size: float,
        tolerance: float,
        rounding: RoundingStep,
        claim: float | None = None,
    ) -> Derivative:
        """Go down the ladder until further steps gain nothing; with a ``claim``, to its end."""
        known = self.target.transparent
        key = direction.name, direction.count == 1
        step = min(FIRST * unit, self._starts.get(key, np.inf))
        readings: list[Reading] = []
        found: list[Derivative] = []
        reason = ""
        # Outputs that moved at some step. Those that coarse rounding holds still count as well.
        touched = rounding.reached & rounding.coarse
        while step >= max(LEAST * unit, _SMALLEST):
            reading = self._read(direction, step, touched, rounding)
            if isinstance(reading, str):
                reason, readings, step = reading, [], step / _AFTER_FLIP
                continue
            if reason and not readings:
                self._starts[key] = 4 * step
            if reading.still and any(one.error < _FAIR * abs(one.value) for one in clear(found)):
                break  # rounding inside the function swallows this step and all below
            readings.append(reading)
            if len(readings) > 1:
                slope = readings[-1].slope
                allowed = tolerance * max(size, abs(slope))
                if claim is not None:
                    allowed = max(allowed, abs(claim - slope) / 4)
                found.append(extrapolate(readings, allowed, smooth=known, coarse=rounding.coarse))
                if claim is None and self._done(found[-1], readings, size, tolerance, unit):
                    break
            step *= _HALF if len(readings) < _FINE else _QUARTER
        if not found:
            return Derivative(np.nan, np.inf, step, 0.0, 0.0, kink=reason or _TOO_TINY)
        if claim is None:
            return certain(found)
        best = settled(found)
        if known or best.unclear or refuted(claim, readings):
            return best
        return replace(best, unclear=SLOWLY)

    def _done(
        self,
        found: Derivative,
        readings: list[Reading],
        size: float,
        tolerance: float,
        unit: float,
    ) -> bool:
        if found.kink:
            return found.step < _KINK_PROVEN * unit
        if found.unclear or (not self.target.transparent and len(readings) < 3):
            return False
        if found.error <= 1e-3 * tolerance * max(size, abs(found.value)):
            return True
        return len(readings) > 2 and 4 * readings[-1].noise > found.error

    def _read(
        self, direction: Direction, step: float, touched: Array, rounding: RoundingStep
    ) -> Reading | str:
        """Slopes at one step, or why there are none; adds the outputs that move to ``touched``."""
        ahead = direction.moved(self.target.arrays, step)
        behind = direction.moved(self.target.arrays, -step)
        self.passes += 2
        with np.errstate(all="ignore"):  # a large step may leave the function's domain
            (y1, ahead_sides), (y0, behind_sides) = (
                self.target.look(ahead),
                self.target.look(behind),
            )
            if not (np.isfinite(y1).all() and np.isfinite(y0).all()):
                return "forward gives NaN or infinity beside this point"
            for sides in (ahead_sides, behind_sides):
                where = flipped(self.sides, sides, self.target.places)
                if where:
                    return f"a kink: {where} flips within any step"
            length = direction.length(ahead, behind, step)
            change = y1 - y0
            # Sums by NumPy, not by BLAS, whose threads cost more than they bring here.
            total = float((self.dy * change).sum())
            bend = self.dy * ((y1 - self.y) - (self.y - y0))
            own = self._rounding(y1) + self._rounding(y0)
            slopes = total / length, float(bend.sum()) / (length / 2)
            if not all(map(math.isfinite, slopes)):
                return "differences leave the range of float64 here"
            touched |= change != 0
            hidden = np.maximum(own, self._sizes * rounding.outputs)
            noise = norm(hidden[touched] if touched.any() else hidden)
            # Backward rounds as forward does; it knows nothing of steps, so longer ones do not help.
            natural = max(1.0, _NATURAL * self._scales[direction.name])
            return Reading(
                step,
                *slopes,
                spread=norm(bend) / (length / 2),
                noise=max(noise, rounding.total) / length,
                blind=norm(hidden) / min(length, natural),
                still=bool(touched.any() and not change.any()),
            )

    def _rounding(self, y: Array) -> Array:
        """What float64 rounds off dy * y: of what underflows, more than a part of it."""
        return EPS * self._sizes * np.maximum(np.abs(y), _SMALLEST / EPS)
