"""Whether helpers pay: what their work saved, against what it cost to call and to wait for them.

A job that takes some tens of microseconds is done before a helper is awake. On a core that others use too,
a helper may be put aside in the middle of an item, and its caller waits for longer than the whole job would
have taken alone. Neither is known beforehand, but both can be measured: so each kind of job keeps an account.
"""

from __future__ import annotations

from functools import lru_cache
from time import perf_counter
from typing import Any

# Seconds that an account holds at most: what was saved long ago does not count for ever.
_MOST = 5e-3
# A debt is paid off by working alone for so many times as long, and twice as many each time again.
_FIRST_PAUSE = 8.0
# Seconds after which helpers are tried again at the latest.
_LONGEST_PAUSE = 1.0


class Balance:
    """The account of one kind of job. Errors of threads that write at once only move the next trial."""

    def __init__(self) -> None:
        self._saved = 0.0
        self._pause = _FIRST_PAUSE
        self._alone_until = 0.0

    @property
    def pays(self) -> bool:
        """Whether the next job is to call helpers."""
        return perf_counter() >= self._alone_until

    def enter(self, saved: float, lost: float) -> None:
        """Enter seconds of work that helpers did, and seconds that the caller lost by them."""
        self._saved = min(self._saved + saved - lost, _MOST)
        if self._saved >= _MOST:
            self._pause = _FIRST_PAUSE
        elif self._saved < 0:
            seconds = min(-self._saved * self._pause, _LONGEST_PAUSE)
            self._alone_until = perf_counter() + seconds
            self._pause *= 2
            self._saved = 0.0


@lru_cache(maxsize=1024)
def balance_of(code: Any, items: int) -> Balance:
    """The account of jobs of so many items, all of which run through the same code."""
    return Balance()
