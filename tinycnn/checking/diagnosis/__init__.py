"""What a wrong gradient looks like: it is compared with the gradients that usual mistakes give.

A file a family of mistakes. Each yields what fits, the simplest first. All know nothing of the
operation but its arrays and its numerical derivatives, so that a user's own functions are
diagnosed as well as built-in layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.diagnosis.evidence import Evidence, evidence
from tinycnn.checking.diagnosis.factors import factors
from tinycnn.checking.diagnosis.local import local
from tinycnn.checking.diagnosis.normalized import normalized
from tinycnn.checking.diagnosis.places import places
from tinycnn.checking.diagnosis.rearranged import rearranged
from tinycnn.checking.diagnosis.substituted import substituted
from tinycnn.checking.diagnosis.sums import shares
from tinycnn.checking.diagnosis.ties import ties
from tinycnn.checking.report import Diagnosis, Entry
from tinycnn.checking.targets.target import Target

__all__ = ["diagnose"]

_MOST = 3
_MISTAKES: tuple[Callable[[Evidence], Iterator[Diagnosis]], ...] = (
    factors,
    local,
    normalized,
    rearranged,
    shares,
    substituted,
)


def diagnose(
    target: Target, name: str, dy: Array, analytic: Array, entries: Sequence[Entry]
) -> list[Diagnosis]:
    """Say what the wrong gradient ``analytic`` of the array ``name`` looks like, at most three guesses.

    ``dy`` is the upstream gradient it was worked out for, ``entries`` the derivatives that were
    tried. Small targets are measured once more, every output against every cell; of larger ones
    only the entries are known. A guess is named if all known numbers agree with it and it is not
    the right gradient. An empty list: it looks like nothing well known.
    """
    with np.errstate(all="ignore"):  # what is tried may leave the function's domain
        found = evidence(target, name, dy, analytic, entries)
        if found is None:
            return []
        if not found.wrong.any():
            return list(ties(found))
        kinds: dict[str, Diagnosis] = {}
        guesses = (guess for mistake in _MISTAKES for guess in mistake(found))
        for guess in islice(guesses, _MOST):
            kinds.setdefault(guess.kind, guess)
        return list((kinds or {guess.kind: guess for guess in places(found)}).values())
