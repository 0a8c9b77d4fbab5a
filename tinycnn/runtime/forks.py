"""`os.fork`: what a child starts anew, and what a fork waits for.

Parts of the engine, and Numba with them, are imported when they are first used, and kernels are compiled
under a lock of Numba's. What another thread has begun of that, a child would find begun for ever: so a
fork waits until it has ended.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

# Seconds that a fork waits at most for other threads to end their imports: ten times what Numba's takes.
_PATIENCE = 10.0
# Held from before a fork until after it, both in the parent and in the child.
_held: list[Any] = []


def call_in_child(function: Callable[[], None]) -> None:
    """Have ``function`` called in every child, before anything else runs there."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)


def _wait_for_others() -> None:
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


def _release() -> None:
    while _held:
        _held.pop().release()


if hasattr(os, "register_at_fork"):
    # After logging's, for the last to come is the first to be called: what waits for logging's lock, as
    # Numba's import does, must not be waited for while this thread holds it.
    import_module("logging")
    os.register_at_fork(before=_wait_for_others, after_in_parent=_release, after_in_child=_release)
