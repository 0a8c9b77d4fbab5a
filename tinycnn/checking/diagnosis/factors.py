"""A constant factor, a sign, nothing at all, something added."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinycnn.checking.derivatives.sizes import ratio
from tinycnn.checking.diagnosis.evidence import Evidence
from tinycnn.checking.diagnosis.words import close, count, shown, size_of
from tinycnn.checking.report import Diagnosis

_FEW = 3  # numbers with one factor that has no other meaning


def factors(found: Evidence) -> Iterator[Diagnosis]:
    """Zero, dy of a loss ignored, sign, factor, labels not subtracted, the array itself added."""
    if not found.analytic.any():
        yield Diagnosis("zero", f"looks like no gradient: all {found.analytic.size} entries are 0")
        return
    for mistake in (_dy_ignored, _factor, _labels, _added):
        guesses = list(mistake(found))
        yield from guesses
        if guesses:
            return


def _dy_ignored(found: Evidence) -> Iterator[Diagnosis]:
    if found.slopes is None:
        return
    cells = found.agrees(found.of_outputs(np.ones(found.dy.shape)))
    if cells:
        yield Diagnosis(
            "dy ignored",
            f"looks like the gradient for a dy of ones: dy is ignored, because {count(cells)} "
            f"agree with the derivative of sum(y) instead of sum(dy*y)",
        )


def _factor(found: Evidence) -> Iterator[Diagnosis]:
    known = np.isfinite(found.numeric)
    right, given = found.numeric[known], found.analytic[known]
    factor = ratio(given, right)
    if not factor:
        return
    size = float(np.abs(given).max())
    if not found.same(given, factor * right, size):
        return
    telling = int((np.abs(right) > 1e-6 * np.abs(right).max()).sum())
    because = f"because analytic / numeric = {shown(factor)} in {count(telling)}"
    if close(factor, -1, found.within):
        yield Diagnosis("sign", f"looks like the wrong sign, {because}")
        return
    meaning = _meaning(factor, found)
    if telling < _FEW and not meaning:
        return  # one number is any number times a factor, and two may go together for a reason
    yield Diagnosis(
        "factor", f"looks like the right gradient times {shown(factor)}, {because}{meaning}"
    )


def _meaning(factor: float, found: Evidence) -> str:
    """Say where a factor may come from."""
    size, own = size_of(factor, found), _own_factor(found)
    if own and close(abs(factor * own), 1):
        return (
            f"; every derivative of an output is 0 or {shown(own)}, so forward multiplies by "
            f"{shown(own)} and backward does not"
        )
    meaning = f", and {size}" if size else ""
    return meaning + ("; is it added twice?" if close(factor, 2, found.within) else "")


def _own_factor(found: Evidence) -> float:
    """Give the one number, not 1, that all derivatives of all outputs are where not 0; or 0."""
    if found.slopes is None:
        return 0.0
    slopes = found.slopes.middle[np.isfinite(found.slopes.middle)]
    size = float(np.abs(slopes).max(initial=0.0))
    slopes = slopes[np.abs(slopes) > 1e-6 * size]
    if slopes.size < _FEW or close(size, 1) or not found.same(slopes, slopes[0], size):
        return 0.0
    return float(slopes[0])


def _labels(found: Evidence) -> Iterator[Diagnosis]:
    """Softmax with cross-entropy: p instead of p - onehot."""
    if found.dy.size != 1 or found.array.ndim != 2 or found.known < found.analytic.size:
        return
    excess = found.analytic - found.numeric
    rows = found.wrong.sum(axis=1)
    one = excess[found.wrong]
    if (rows == 1).all() and found.same(one, one[0], abs(one[0])):
        yield Diagnosis(
            "labels",
            f"looks like p where p - onehot is due: the label is not subtracted, because each of the "
            f"{len(rows)} rows is too large in one entry, by {shown(one[0])} = dy/N in every row"
            if close(one[0], float(found.dy.reshape(())) / len(rows))
            else f"looks like a wrong number for the label, because each of the {len(rows)} rows is "
            f"wrong in one entry, by {shown(one[0])} in every row",
        )


def _added(found: Evidence) -> Iterator[Diagnosis]:
    """A part of the array itself is added, as weight decay is."""
    known = np.isfinite(found.numeric)
    array, excess = found.array[known], (found.analytic - found.numeric)[known]
    if len(array) < 3 or not array.any():
        return
    part = ratio(excess, array)
    if found.same(excess, part * array, float(np.abs(excess).max())) or (
        part
        and found.same(excess, part * array, found.scale)
        and abs(part) * np.abs(array).max() > 1e-3 * found.scale
    ):
        yield Diagnosis(
            "added",
            f"looks like the right gradient plus {shown(part)} times {found.name} itself (weight "
            f"decay?), because analytic - numeric is that in {count(len(array))}",
        )
