"""The process's helpers: threads that wait for work, one less than there are cores.

Handing work over is one call of compiled code, `SimpleQueue.put`, which no signal can cut in two.
"""

from __future__ import annotations

import _thread
import ctypes
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from itertools import count as count_up
from queue import SimpleQueue
from time import perf_counter
from typing import Any

import numpy as np

from tinycnn.runtime.forks import call_in_child

# Which core this thread runs on; known on Linux, where threads can be kept apart. Asked with the GIL held:
# a helper that is about to end its work would take it, and the caller wait.
_sched_getcpu: Callable[[], int] | None = (
    getattr(ctypes.PyDLL(None), "sched_getcpu", None) if hasattr(os, "sched_setaffinity") else None
)


# Looks for the next call before a helper goes to sleep: a tenth of a millisecond or two,
_SPINS = 10_000
# where the call before came within so many seconds. Else its core may be wanted by others.
_SOON = 2e-4
# Helpers that look for work; no machine is so large.
_MOST = 256
# As kernels/offers.py has them, which cannot be imported here without Numba.
LINE, LAST_TICKET = 16, 3


class ThreadPool:
    """Threads that are started when they are first wanted, and stay."""

    def __init__(self) -> None:
        self.size = 0
        self._numbers = (
            count_up()
        )  # of threads: two that are started at once have a line each on the board
        self._asked: SimpleQueue[tuple[Context, Callable[[int], Any], int] | None] = SimpleQueue()
        self._calls = np.zeros(1, np.int64)
        # What helpers are offered while they look for the next call: see kernels/offers.py.
        self.board, self.tickets = np.zeros(_MOST * LINE, np.int64), np.full(1, LAST_TICKET)
        self._native_ids: list[int] = []
        self._kept: Any = None  # the caller's core and those allowed, and so many helpers

    def ask(self, help: Callable[[int], Any], count: int) -> bool:
        """Have ``help(i)`` called for each i below ``count``, in other threads, when these are free.

        False if some of these had to be started first.
        """
        were_there = self._start(count)
        self._keep_apart()
        for number in range(count):
            self._asked.put((copy_context(), help, number))  # numpy.errstate holds there too
        self._calls[0] += count
        return were_there

    def wake(self, count: int) -> None:
        """Have so many helpers look for work, if none has been asked for already."""
        self._start(count)
        if self._asked.empty():
            for _ in range(count):
                self._asked.put(None)

    def stay_apart(self) -> None:
        """Keep helpers off the caller's core, where it has moved to another."""
        if _sched_getcpu is not None and self._kept and _sched_getcpu() != self._kept[0]:
            self._keep_apart()

    def _start(self, count: int) -> bool:
        were_there = self.size >= count
        # Where there are no more threads to be had (a limit of the system, the interpreter's end),
        # those that there are do it.
        with suppress(RuntimeError):
            while self.size < count:
                # First the thread, then the size: an interrupt between them costs an idle thread.
                _thread.start_new_thread(self._serve, (next(self._numbers),))
                self.size += 1
        return were_there

    def _serve(self, helper: int) -> None:
        from tinycnn.kernels.jit import NEVER_RAISE  # Numba, which a summary never needs
        from tinycnn.kernels.offers import look_for_work

        self._native_ids.append(threading.get_native_id())
        # In vain where work that is offered may raise: nobody would tell its caller.
        may_look = helper < _MOST and NEVER_RAISE
        soon = False  # whether the last call came so soon that it was worth looking for
        while True:
            since, seen = perf_counter(), int(self._calls[0])
            called = False
            if soon and may_look and self._asked.empty():
                called = look_for_work(self.board, helper, self._calls, seen, _SPINS)
            asked = self._asked.get()
            soon = asked is None or called or perf_counter() - since < _SOON
            if asked is not None:
                context, help, number = asked
                context.run(help, number)
                del context, help  # what they hold is not kept until the next comes
            del asked

    def _keep_apart(self) -> None:
        """Let the helpers run on any core but the caller's.

        Linux wakes a thread where the one that woke it runs: after a pause both were seen to stay on
        one core for many calls, at half the speed.
        """
        if _sched_getcpu is None:
            return
        here, allowed = _sched_getcpu(), os.sched_getaffinity(0)
        if (here, allowed, len(self._native_ids)) == self._kept:
            return
        self._kept = here, allowed, len(self._native_ids)
        others = allowed - {here} or allowed
        for native_id in self._native_ids:
            with suppress(OSError):  # the system forbids it
                os.sched_setaffinity(native_id, others)


_pool = ThreadPool()


def thread_pool() -> ThreadPool:
    """The helpers of this process."""
    return _pool


def _start_afresh() -> None:
    """The parent's threads do not exist in a child."""
    global _pool
    _pool = ThreadPool()


call_in_child(_start_afresh)
