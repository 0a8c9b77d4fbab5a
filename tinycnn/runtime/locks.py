"""The locks of the engine, all made here: a child of `os.fork` gets each of them free.

Use them in ``with`` statements only. The interpreter looks for signals neither between acquiring such
a lock and entering the statement, nor between leaving and releasing; for what is written in Python
(a condition, a semaphore, a generator as a context manager) that does not hold.
"""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakSet

from tinycnn.runtime.forks import call_in_child

_locks: WeakSet[Any] = WeakSet()


def new_lock() -> threading.Lock:
    """Make a lock that is free in every child process."""
    lock = threading.Lock()
    _locks.add(lock)
    return lock


def new_reentrant_lock() -> threading.RLock:
    """Make a lock that its owner may take again, free in every child process."""
    lock = threading.RLock()
    _locks.add(lock)
    return lock


def _free_all() -> None:
    """Whoever held one in the parent does not exist in the child."""
    for lock in list(_locks):
        lock._at_fork_reinit()


call_in_child(_free_all)
