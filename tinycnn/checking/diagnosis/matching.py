"""What a mistake would give, compared with what came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tinycnn.checking.diagnosis.evidence import Evidence
from tinycnn.checking.diagnosis.words import count
from tinycnn.checking.mistakes.mistake import MistakenArray
from tinycnn.checking.report import Diagnosis


def matching(found: Evidence, candidates: Iterable[MistakenArray]) -> Iterator[Diagnosis]:
    """Those of the candidates that the wrong gradient agrees with, in words."""
    for candidate in candidates:
        if cells := found.agrees(candidate.array):
            because = f"because {count(cells)} {candidate.agreement}"
            yield Diagnosis(candidate.kind, f"looks like {candidate.words}, {because}")
