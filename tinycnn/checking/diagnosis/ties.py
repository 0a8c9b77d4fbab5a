"""Right wherever there is a derivative, wrong where several cells tie for a maximum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinycnn.checking.diagnosis.evidence import Evidence
from tinycnn.checking.report import Diagnosis


def ties(found: Evidence) -> Iterator[Diagnosis]:
    """Every tied cell paid, or none: the derivative to one side, taken for each of them."""
    shared = [entry for entry in found.entries if entry.verdict == "differs" and not entry.index]
    numbers = ""
    if shared:
        worst = max(shared, key=lambda entry: ("tied" in entry.where, entry.error))
        numbers = (
            f"; along {worst.where}, where the function is smooth, the cells claim "
            f"{worst.analytic:.6g} together and the difference is {worst.numeric:.6g}"
        )
    if found.slopes is None:
        tied = [entry for entry in shared if "tied" in entry.where]
        if tied and found.known:
            yield Diagnosis(
                "ties",
                f"looks like a wrong rule for ties, because the {found.known} entries without one "
                f"agree{numbers}",
            )
        return
    kinks = ~np.isfinite(found.numeric)
    dy, given = found.dy.reshape(-1), found.analytic[kinks]
    if not kinks.any():
        return
    number = int(kinks.sum())
    sides = (found.slopes.up, found.slopes.down)
    most, least = np.maximum(*sides), np.minimum(*sides)
    for slopes, words in (
        (most, "every tied maximum is paid, where one of them should be (or all share)"),
        (least, "no tied maximum is paid, where one of them should be (or all share)"),
    ):
        claimed = (dy @ slopes).reshape(found.array.shape)[kinks]
        if found.same(given, claimed, found.scale):
            yield Diagnosis(
                "ties",
                f"looks like a wrong rule for ties: {words}, because {number} tied entries agree "
                f"with that and all {found.known} others are right{numbers}",
            )
            return
