"""How many threads work, and whether this one works already."""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from contextvars import ContextVar
from typing import Any, NamedTuple

from tinycnn.errors import ArgumentError
from tinycnn.runtime.cores import cores
from tinycnn.runtime.locks import new_lock
from tinycnn.validation import check_int


class use_threads:  # noqa: N801 - it reads as a verb where it is used
    """Use ``count`` threads inside the ``with`` block, in this thread (or task) only."""

    def __init__(self, count: int) -> None:
        self._count = check_int(count, "threads")

    def __enter__(self) -> None:
        _choice.set(_Choice(weakref.ref(self), self._count, _choice.get()))

    def __exit__(self, *error: object) -> None:
        choice = _choice.get()
        assert choice is not None
        _choice.set(choice.outer)


class _Choice(NamedTuple):
    """A number of threads that holds while its maker lives: an interrupt may keep it from its exit."""

    maker: weakref.ref[use_threads]
    threads: int
    outer: _Choice | None


_getenv: Any = ctypes.PyDLL(None).getenv if os.name == "posix" else None
if _getenv is not None:
    _getenv.restype = ctypes.c_char_p

_choice: ContextVar[_Choice | None] = ContextVar("tinycnn_threads", default=None)


class _Own(threading.local):
    """What each thread has for itself."""

    def __init__(self) -> None:
        self.busy = new_lock()


_own = _Own()


def busy() -> threading.Lock:
    """This thread's lock, held while it works on blocks."""
    return _own.busy


def _named() -> str | None:
    """TINYCNN_THREADS, where it is set."""
    # os.environ takes a microsecond to find that it is not, as long as a small operation; it tells the C
    # library of each change.
    if _getenv is not None and _getenv(b"TINYCNN_THREADS") is None:
        return None
    return os.environ.get("TINYCNN_THREADS")


def threads() -> int:
    """Threads of `parallel_for`: `use_threads`, else TINYCNN_THREADS, else the cores this process may use."""
    choice = _choice.get()
    while choice is not None and choice.maker() is None:
        choice = choice.outer
    if choice is not None:
        return choice.threads
    text = _named()
    if text is None:
        return cores()
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentError(f"TINYCNN_THREADS must be a whole number from 1 up, got {text!r}")
    return int(text)


def free_threads() -> int:
    """Threads that `parallel_for` would use here.

    A block that itself cuts its work runs it alone: its siblings hold the other cores.
    """
    return 1 if busy().locked() else threads()
