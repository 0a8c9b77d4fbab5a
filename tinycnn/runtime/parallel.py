"""Work on many items, by all threads, with the same bits whoever works on which item.

Kernels and BLAS are serial here; the cores get items instead, and the calling thread works too. How
work is cut depends on shapes and dtype alone, and sums that cross items are added in a fixed order, so
results do not depend on the number of threads.
"""

from __future__ import annotations

import _thread
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from queue import Empty, SimpleQueue
from time import perf_counter, thread_time
from types import GeneratorType
from typing import Any, TypeVar

import numpy as np

from tinycnn.runtime import blas
from tinycnn.runtime.balance import Balance, balance_of
from tinycnn.runtime.thread_pool import thread_pool
from tinycnn.runtime.threads import busy, free_threads

Item = TypeVar("Item")

# How often a caller looks for a helper's end before it goes to sleep: a tenth of a millisecond or two.
_SPINS = 4000
# A signal in the instant before a sleep does not end it: look up now and then.
_SLEEP = 0.05


def parallel_for(
    work: Callable[[Item], Generator[float] | Generator[None] | None],
    items: Iterable[Item],
    *,
    uses_blas: bool = False,
    balance: Balance | None = None,
) -> None:
    """Call ``work`` on every item, on all threads; returns when all is done.

    ``work`` may be a generator function: a long chain of steps that belong to one item and must keep
    their order yields between them, where an interrupt may end it; it yields the seconds that it waited
    for other items, where it does. The first exception ends the items that have not begun and is raised
    after those that run have ended. So is Ctrl-C, which goes before any other. Work that multiplies with
    BLAS, or whose items ask for such work, says so by ``uses_blas``: BLAS is then held to one thread, even
    where one does it all.

    Where helpers did not pay lately, the calling thread does all of it. ``balance`` keeps the account of
    that; where none is given, jobs of the same code and number of items have one.
    """
    items = list(items)
    if len(items) <= 1 and not uses_blas:
        for item in items:
            _run(work, item)
        return
    job = _Job(work, items, balance, uses_blas=uses_blas)
    helpers = job.worthwhile(free_threads() - 1)
    mine = busy()
    if mine.locked() or (helpers < 1 and not uses_blas):
        job.work()  # where an item around it uses BLAS, the limit holds
    elif not uses_blas:
        with mine:
            job.share(helpers)
    else:
        _share_limited(job, helpers, mine)


def _share_limited(job: _Job, helpers: int, mine: threading.Lock) -> None:
    """Share a job while BLAS is held to one thread."""
    settled = threading.Lock()
    settled.acquire()
    try:
        with mine:
            blas.come(mine)
            job.share(helpers)
        blas.go(mine)
    except BaseException:
        # An interrupt may have cut `come` or `go` short. Of what follows, no signal comes before the
        # end of the first call; and none ever reaches the thread that it starts.
        try:
            _thread.start_new_thread(_settle, (settled,))
        except RuntimeError:  # there are no more threads to be had
            blas.settle()
        else:
            settled.acquire(timeout=1)
        blas.lift_own()
        raise


def _settle(settled: threading.Lock) -> None:
    blas.settle()
    settled.release()


def _run(work: Callable[[Any], Any], item: Any, state: Any = (0,)) -> float:
    """Call ``work`` on an item, unless ``state`` stops it between two steps; gives the seconds it waited."""
    waited, steps = 0.0, work(item)
    if isinstance(steps, GeneratorType):
        with closing(steps):
            for seconds in steps:
                waited += seconds or 0.0
                if state[-1]:
                    break
    return waited


class _Job:
    """One call of `parallel_for`: the items left to do, who is at them, and what they raised."""

    def __init__(
        self,
        work: Callable[[Any], Any],
        items: Iterable[Any],
        balance: Balance | None = None,
        *,
        uses_blas: bool = False,
    ) -> None:
        self.begun = perf_counter()
        self.function = work
        self.items = deque(items)
        self.balance = balance
        self.uses_blas = uses_blas
        self.state: Any = [0]  # see kernels/helpers.py
        self.errors: list[BaseException] = []  # of helpers
        self.helped: list[float] = []  # seconds that each of them worked

    def worthwhile(self, helpers: int) -> int:
        """So many of ``helpers`` as are worth calling."""
        most = min(helpers, len(self.items) - 1)
        if most >= 1 and self.balance is None:
            # Items are cut to about the same size: so many of them tell large work from small.
            code: Any = getattr(self.function, "__code__", type(self.function))
            self.balance = balance_of(code, len(self.items))
        return most if self.balance is None or self.balance.pays else 0

    def share(self, helpers: int) -> None:
        """Work together with so many helpers, and wait until they have left."""
        if helpers < 1:
            self.work()
            return
        from tinycnn.kernels.helpers import wait_for_helpers  # Numba, which a summary never needs

        wait_for_helpers(np.zeros(1, np.int64), False, 0)  # compiled before anybody depends on it
        self.state = np.zeros(helpers + 1, np.int64)
        self.left: SimpleQueue[None] = SimpleQueue()  # something for each helper that has left
        try:
            were_there = thread_pool().ask(self.help, helpers)
            asked = perf_counter()
            waited = self.work()
            waiting = perf_counter()
            while not wait_for_helpers(self.state, False, _SPINS):
                with suppress(Empty):
                    self.left.get(timeout=_SLEEP)
            lost = asked - self.begun + waited + perf_counter() - waiting
            if self.balance is not None and were_there:  # else it tells nothing of the next job
                self.balance.enter(sum(self.helped), lost)
        except BaseException as error:
            # No signal comes before the end of `wait_for_helpers`: whatever they share with us stays until
            # the helpers have left.
            stopped = self.state[-1]
            wait_for_helpers(self.state, True, -1)
            self.raise_first(error, last=bool(stopped))
        self.raise_first()

    def help(self, helper: int) -> None:
        """Work in a helper's thread."""
        from tinycnn.kernels.helpers import LEFT, begin_helping

        if not begin_helping(self.state, helper):
            return
        begun, waited = thread_time(), 0.0
        try:
            with busy():
                if self.uses_blas:
                    blas.limit_own()
                waited = self.work()
        except BaseException as error:
            self.errors.append(error)
            self.state[-1] = 1
        finally:
            self.helped.append(max(thread_time() - begun - waited, 0.0))
            self.left.put(None)
            self.state[helper] = LEFT

    def work(self) -> float:
        """Take items until none is left; gives the seconds that they waited for others."""
        waited = 0.0
        while not self.state[-1]:
            try:
                item = self.items.popleft()
            except IndexError:
                break
            waited += _run(self.function, item, self.state)
        return waited

    def raise_first(self, error: BaseException | None = None, *, last: bool = False) -> None:
        """Raise the first of the helpers' errors and the caller's own; an interrupt before any other."""
        errors, self.errors = self.errors, []
        if error is not None:
            errors.insert(len(errors) if last else 0, error)
        interrupts = [error for error in errors if not isinstance(error, Exception)]
        try:
            for first in interrupts or errors:
                raise first
        finally:
            # Tracebacks hold these frames: arrays would wait for the collector.
            del error, errors, interrupts
