"""The locks of the engine, all made here: a child of `os.fork` gets each of them free.

Use them in ``with`` statements only. The interpreter looks for signals neither between acquiring such
a lock and entering the statement, nor between leaving and releasing; for what is written in Python
(a condition, a semaphore, a generator as a context manager) that does not hold.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from importlib import import_module
from typing import Any
from weakref import WeakSet

_locks: WeakSet[Any] = WeakSet()

# Held from before a fork until after it, both in the parent and in the child.
_held: list[Any] = []
# Seconds that a fork waits at most for other threads to end their imports: ten times what Numba's takes.
_PATIENCE = 10.0


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


def _before_fork() -> None:
    """Wait for what other threads have begun and the child would find begun for ever.

    Parts of the engine, and Numba with them, are imported when they are first used; and kernels are
    compiled under a lock of Numba's.
    """
    end = time.monotonic() + _PATIENCE
    while _is_importing() and time.monotonic() < end:
        time.sleep(0.001)
    compiler_lock = sys.modules.get("numba.core.compiler_lock")
    if compiler_lock is not None:
        lock = compiler_lock.global_compiler_lock
        lock.acquire()
        _held.append(lock)


def _is_importing() -> bool:
    return any(
        getattr(getattr(module, "__spec__", None), "_initializing", False)
        for name, module in sys.modules.copy().items()
        if name.partition(".")[0] in ("tinycnn", "numba", "llvmlite")
    )


def _after_fork() -> None:
    while _held:
        _held.pop().release()


def _after_fork_in_child() -> None:
    """Free all locks: whoever held one in the parent does not exist here."""
    _after_fork()
    for lock in list(_locks):
        lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    # After logging's, for the last to come is the first to be called: what waits for logging's lock, as
    # Numba's import does, must not be waited for while this thread holds it.
    import_module("logging")
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork,
        after_in_child=_after_fork_in_child,
    )
