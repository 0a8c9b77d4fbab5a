"""Whether a wrong gradient holds the right numbers in the wrong places."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from tinycnn.checking.diagnosis.evidence import Evidence
from tinycnn.checking.diagnosis.matching import matching
from tinycnn.checking.mistakes.rearranged import rearrangements
from tinycnn.checking.report import Diagnosis


def rearranged(found: Evidence) -> Iterator[Diagnosis]:
    """The first rearrangement of the right gradient that fits."""
    yield from islice(matching(found, rearrangements(found.name, found.numeric)), 1)
