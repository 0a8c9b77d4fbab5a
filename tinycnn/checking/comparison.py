"""One array after the other: its gradient compared along directions, at entries, at tied cells."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.derivatives import sampling
from tinycnn.checking.derivatives.differences import Differences
from tinycnn.checking.derivatives.rounding import RoundingStep, precision
from tinycnn.checking.derivatives.sampling import Direction
from tinycnn.checking.derivatives.sizes import scale
from tinycnn.checking.diagnosis import diagnose
from tinycnn.checking.report import Entry, TensorReport
from tinycnn.checking.targets.target import Target
from tinycnn.checking.verdicts import TOO_SMALL, UNDERFLOWS, enough_for_a_verdict, judged

_PIECES = 16  # a direction across kinks is cut into at most so many
_ENOUGH_FAILURES = 4  # of a target whose passes cost much

Tried = list[tuple[Direction, Entry]]


class Comparison:
    """One target with one dy, whose gradients are compared with differences."""

    def __init__(
        self, target: Target, dy: Array, tolerance: float, rng: np.random.Generator
    ) -> None:
        self.target, self.dy, self.tolerance, self.rng = target, dy, tolerance, rng
        self.differences = Differences(target, dy)
        self._known: tuple[Array | None, float, float] = None, 0.0, 0.0

    def tensor(
        self, name: str, gradient: Array, samples: int | None, directions: int
    ) -> TensorReport:
        """Check the gradient of the array called ``name``."""
        array = self.target.arrays[name]
        if not array.size:
            return TensorReport(name, array.shape, [], note="has no cells")
        wanted = self._wanted(array.size, samples)
        tried = self._directions(name, gradient, directions if array.size > 1 else 0)
        tried += self._cells(name, gradient, wanted)
        tried += self._tied(name, gradient, tried)
        tried += self._search(tried, gradient)
        entries = [entry for _, entry in tried]
        wrong = any(entry.verdict == "differs" for entry in entries)
        found = diagnose(self.target, name, self.dy, gradient, entries) if wrong else []
        enough = enough_for_a_verdict(self.target, name, entries, wanted, self._rms(gradient))
        return TensorReport(name, array.shape, entries, *enough, found)

    def entry(self, direction: Direction, gradient: Array) -> Entry:
        """Compare one derivative; where that fails, forward may round more coarsely than float64."""
        entry = self._compared(direction, gradient, self.differences.fine)
        if entry.verdict == "agrees" or entry.own_noise or self.target.transparent:
            return entry
        rounding = self.differences.measure_rounding(direction)
        if rounding.coarse:
            entry = self._compared(direction, gradient, rounding)
        if entry.verdict != "differs":
            return entry
        if self.differences.underflows(direction.name):
            return replace(entry, verdict="unresolved", reason=UNDERFLOWS)
        if not entry.numeric and self.differences.hides(direction, entry.analytic):
            return replace(entry, verdict="unresolved", reason=TOO_SMALL, own_noise=True)
        return entry

    def _compared(self, direction: Direction, gradient: Array, rounding: RoundingStep) -> Entry:
        """Compare one derivative; what seems to differ is measured again by every step."""
        analytic = direction.along(gradient)
        _, rms, exact = self._measured(gradient)
        least = rms * direction.norm
        own = exact if rounding.coarse else 0.0
        size = max(abs(analytic), least)
        found = self.differences.along(direction, size, self.tolerance, rounding)
        entry = judged(
            direction, gradient.shape, analytic, found, least, own, self.tolerance, rounding
        )
        if entry.verdict == "differs" or (found.unclear and entry.verdict == "unresolved"):
            found = self.differences.confirm(direction, size, self.tolerance, analytic, rounding)
            entry = judged(
                direction, gradient.shape, analytic, found, least, own, self.tolerance, rounding
            )
        return entry

    def _rms(self, gradient: Array) -> float:
        """The root mean square of a gradient's cells."""
        return self._measured(gradient)[1]

    def _measured(self, gradient: Array) -> tuple[Array | None, float, float]:
        """A gradient, its size and its precision; worked out once for one after the other."""
        if self._known[0] is not gradient:
            self._known = gradient, scale(gradient, zero=0.0), precision(gradient)
        return self._known

    def _wanted(self, size: int, samples: int | None) -> int:
        if samples is not None:
            return min(samples, size)
        if self.target.expensive:
            return min(size, sampling.OF_EXPENSIVE)
        return size if size <= sampling.EXHAUSTIVE else sampling.OF_LARGE

    def _directions(self, name: str, gradient: Array, count: int) -> Tried:
        array = self.target.arrays[name]
        tried: Tried = []
        for number in range(1, count + 1):
            direction = sampling.signs(name, number, array, self.rng)
            for way in sampling.ways(direction, array):
                entry = self.entry(way, gradient)
                if entry.decided or entry.own_noise:
                    break
            tried.append((way, entry))
            if not (entry.decided or entry.own_noise):
                tried += self._pieces(way, gradient)
        return tried

    def _pieces(self, direction: Direction, gradient: Array) -> Tried:
        """Parts of a direction that crosses kinks, those that cross none."""
        tried: Tried = []
        queue = deque(direction.halves() if direction.count > 1 else ())
        for _ in range(0 if self.target.expensive else _PIECES):
            if not queue:
                break
            part = queue.popleft()
            part = replace(part, label=f"{part.count} cells of {direction.label}")
            entry = self.entry(part, gradient)
            if entry.decided:
                tried.append((part, entry))
            elif part.count > 1:
                queue += [replace(half, label=direction.label) for half in part.halves()]
        return tried

    def _cells(self, name: str, gradient: Array, wanted: int) -> Tried:
        tried: Tried = []
        for cell in sampling.choose(gradient, wanted, self.rng):
            entries = [entry for _, entry in tried]
            failures = sum(entry.verdict == "differs" for entry in entries)
            if (
                sum(entry.decided for entry in entries) >= wanted
                or len(tried) >= 3 * wanted
                or (self.target.expensive and failures >= _ENOUGH_FAILURES)
            ):
                break
            direction = sampling.entry(name, cell, gradient.shape)
            tried.append((direction, self.entry(direction, gradient)))
        return tried

    def _tied(self, name: str, gradient: Array, tried: Tried) -> Tried:
        """Cells at a kink that share their value with others, moved together."""
        array = self.target.arrays[name]
        kinks = [entry.index for _, entry in tried if entry.verdict == "kink"]
        values = dict.fromkeys(float(array[index]) for index in kinks if index is not None)
        groups = (sampling.tied(name, array, value) for value in list(values)[: sampling.GROUPS])
        return [(group, self.entry(group, gradient)) for group in groups if group.count > 1]

    def _search(self, tried: Tried, gradient: Array) -> Tried:
        """Halve a direction that does not agree again and again, down to one wrong cell."""
        if any(entry.verdict == "differs" and entry.index is not None for _, entry in tried):
            return []
        parts = [one for one in tried if one[1].index is None and self._hides(*one, gradient)]
        part = None
        while parts:
            part = max(parts, key=lambda one: abs(one[1].analytic - one[1].numeric))[0]
            halves = part.halves() if part.count > 1 else ()
            compared = [(half, self.entry(half, gradient)) for half in halves]
            parts = [one for one in compared if self._hides(*one, gradient)]
        if part is None or part.count > 1:
            return []
        single = sampling.entry(part.name, int(part.cells[0]), gradient.shape)  # type: ignore[index]
        return [(single, self.entry(single, gradient))]

    def _hides(self, part: Direction, entry: Entry, gradient: Array) -> bool:
        """Whether one of these cells may be wrong: as a whole they may agree, being so many."""
        if not entry.decided or entry.verdict == "differs" or self.target.expensive:
            return entry.verdict == "differs"
        one = self._rms(gradient)
        size = max(abs(entry.analytic), abs(entry.numeric), one * part.norm)
        discrepancy = abs(entry.analytic - entry.numeric)
        return discrepancy > self.tolerance * one + entry.resolution * size
