"""BLAS held to one thread while the engine works, and given back what it had.

The limit holds in the whole process, for it knows no threads. Whether it is wanted follows from which
threads work, and each of these holds a lock of its own: so `settle` can be called at any time, by
anybody, again and again, and an interrupted call is made good by the next. Two overlapping limits of
threadpoolctl restore the wrong number: the second remembers the first's 1.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from threadpoolctl import ThreadpoolController

from tinycnn.runtime.forks import call_in_child
from tinycnn.runtime.locks import new_reentrant_lock


class _Limit:
    """The limit of the process."""

    def __init__(self) -> None:
        # Reentrant: a signal's handler may run a network while this thread is in `settle`.
        self.lock = new_reentrant_lock()
        self.working: set[threading.Lock] = set()  # of threads that came; held while they work
        self.found: list[int] | None = (
            None  # the libraries' numbers of threads before the first came
        )
        self.libraries: list[Any] | None = None  # whose limit holds for the process
        self.libraries_by_thread: list[Any] = []  # whose limit holds for the thread that sets it

    def settle(self) -> None:
        with self.lock:
            libraries = self.libraries if self.libraries is not None else self._find()
            if any(busy.locked() for busy in tuple(self.working)):
                if self.found is None:
                    self.found = [library.get_num_threads() for library in libraries]
                _set(libraries, [1] * len(libraries))
            elif self.found is not None:
                _set(libraries, self.found)
                self.found = None

    def _find(self) -> list[Any]:
        """Ask threadpoolctl which libraries are loaded: gives its controllers of the process's."""
        found = ThreadpoolController().select(user_api="blas").lib_controllers
        self.libraries_by_thread = [library for library in found if _is_by_thread(library)]
        self.libraries = [library for library in found if not _is_by_thread(library)]
        return self.libraries


class _OwnLimit(threading.local):
    """The limit of one thread."""

    found: list[int] | None = None


_limit, _own = _Limit(), _OwnLimit()


def come(busy: threading.Lock) -> None:
    """Limit BLAS until this thread, which holds ``busy``, frees it and calls `go`."""
    _limit.working.add(busy)
    _limit.settle()
    limit_own()


def go(busy: threading.Lock) -> None:
    """Lift the limit, unless others work. ``busy`` is free by now."""
    lift_own()
    _limit.working.discard(busy)
    _limit.settle()


def settle() -> None:
    """Make the limit of the process what it should be now; any thread may do it."""
    _limit.settle()


def limit_own() -> None:
    """Limit the libraries whose limit holds for this thread."""
    if libraries := _limit.libraries_by_thread:
        if _own.found is None:
            _own.found = [library.get_num_threads() for library in libraries]
        _set(libraries, [1] * len(libraries))


def lift_own() -> None:
    """Give those back what they had."""
    if _own.found is not None:
        _set(_limit.libraries_by_thread, _own.found)
        _own.found = None


def _is_by_thread(library: Any) -> bool:
    return library.internal_api == "mkl" or getattr(library, "threading_layer", "") == "openmp"


def _set(libraries: Sequence[Any], counts: Sequence[int]) -> None:
    for library, count in zip(libraries, counts, strict=True):
        # The thread that first limits OpenBLAS by threadpoolctl (from 3.8 on) owns it until it
        # ends, and what another sets is silently ignored. So nobody is left to own it.
        disown = getattr(library, "clear_controlling_thread", lambda force: None)
        disown(force=True)
        library.set_num_threads(count)
        disown(force=True)


def _start_afresh() -> None:
    """Give BLAS back to the child: the parent's threads, which may have been working, are not in it."""
    global _limit, _own
    if _limit.found is not None and _limit.libraries is not None:
        _set(_limit.libraries, _limit.found)
    _limit, _own = _Limit(), _OwnLimit()


call_in_child(_start_afresh)
