"""How sums go wrong: likely wrong answers to a sum of parts, and to the steps that follow it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tinycnn.explain.values.sums import Part
from tinycnn.explain.values.task import Slip, Task


def slips(parts: Sequence[Part], total: float, tasks: Sequence[Task] = ()) -> Iterator[Slip]:
    """Likely wrong answers to what ``tasks`` make of the ``total`` of ``parts``, the likeliest first."""
    value = through(total, tasks)
    shorter = [through(total, [*tasks[:k], *tasks[k + 1 :]]) for k in range(len(tasks))]
    for without, task in zip(shorter, tasks, strict=True):
        yield Slip(without, f"{task.missing}: {task.words}")
    if total not in shorter and tasks:
        yield Slip(total, f"that is the sum alone: {then(tasks)}")
    yield Slip(-value, "the sign is the other one")
    for wrong, words in _wrong_sums(parts, total):
        yield Slip(through(wrong, tasks), words)


def through(total: float, tasks: Sequence[Task]) -> float:
    """What the steps make of a sum, one after the other; NaN where a wrong sum has no logarithm or power."""
    try:
        with np.errstate(all="ignore"):
            for task in tasks:
                total = task.apply(total)
    except ArithmeticError:
        return math.nan
    return total


def then(tasks: Sequence[Task]) -> str:
    """What is to be done, in words."""
    return ", then ".join(task.words for task in tasks)


def _wrong_sums(parts: Sequence[Part], total: float) -> Iterator[tuple[float, str]]:
    counted = [part for part in parts if part.value]
    if len(counted) > 1:
        for part in (counted[-1], counted[0]):
            words = "alone: all parts are added up, not written over each other"
            yield part.value, f"that is one part ({part.place}) {words}"
        yield math.fsum(abs(part.value) for part in counted), "the signs of the parts are left out"
        yield total / len(parts), f"that is the mean of the {len(parts)} parts: add them up"
    for part in reversed(counted) if len(counted) > 1 else ():  # a bias is the last
        yield total - part.value, f"{part.place} is left out"
        yield total - 2 * part.value, f"{part.place} has the wrong sign"
        yield total + part.value, f"{part.place} is added twice"
    if all(part.factors for part in parts):
        for side in (0, 1):
            one = math.fsum(part.factors[side] for part in parts)
            yield one, "the products are missing: one factor alone is added up"
