"""When it looks like nothing well known: where it is wrong, at least."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinycnn.checking.derivatives.sizes import ratio
from tinycnn.checking.diagnosis.evidence import Evidence
from tinycnn.checking.diagnosis.words import close, shown
from tinycnn.checking.mistakes.axis_names import axis_names
from tinycnn.checking.report import Diagnosis


def places(found: Evidence) -> Iterator[Diagnosis]:
    """One cell, one slice, or the same numbers in another order."""
    known, wrong = int(np.isfinite(found.numeric).sum()), np.argwhere(found.wrong)
    if len(wrong) == known:
        yield from _same_numbers(found)
        return
    if len(wrong) == 1:
        cell = tuple(int(i) for i in wrong[0])
        ratio = _ratio(found)
        yield Diagnosis(
            "part",
            f"looks like one wrong cell, [{','.join(map(str, cell))}]{ratio}, because the other "
            f"{known - 1} entries known agree",
        )
        return
    for axis, name in enumerate(axis_names(found.name, found.array)):
        at = np.unique(wrong[:, axis])
        slice_ = np.take(found.wrong, at[0], axis)
        if len(at) == 1 and found.array.shape[axis] > 1 and slice_.mean() > 0.5:
            yield Diagnosis(
                "part",
                f"looks right but for {name} = {at[0]} (axis {axis}){_ratio(found)}, because "
                f"{len(wrong)} entries there differ and the other {known - len(wrong)} known agree",
            )
            return
    yield from _same_numbers(found)


def _ratio(found: Evidence) -> str:
    right, given = found.numeric[found.wrong], found.analytic[found.wrong]
    factor = ratio(given, right)
    if not factor and not given.any():
        return ", which is 0"
    if factor and all(close(g, factor * r) for g, r in zip(given, right, strict=True)):
        return f", where analytic / numeric = {shown(factor)}"
    return ""


def _same_numbers(found: Evidence) -> Iterator[Diagnosis]:
    if found.known < found.analytic.size or found.analytic.size < 4:
        return
    right, given = (np.sort(values, axis=None) for values in (found.numeric, found.analytic))
    if np.abs(right - given).max() <= 1e-6 * found.scale and len(np.unique(given)) > 3:
        yield Diagnosis(
            "rearranged",
            f"looks like the right numbers in the wrong cells, because both gradients hold the same "
            f"{given.size} numbers in another order",
        )
