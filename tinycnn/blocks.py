"""Work cut into blocks and run on the cores, with the same bits whoever runs which block.

Kernels and BLAS are serial here: BLAS is held to one thread while the engine works (in the whole
process, for its limit knows no threads), and the cores get blocks instead. The calling thread works
too, so a pool of one thread less than there are cores serves everybody. How work is cut depends on
shapes and dtype alone, and sums that cross blocks are added in a fixed order, so results do not
depend on the number of threads.
"""

from __future__ import annotations

import ctypes
import itertools
import math
import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar, copy_context
from inspect import isgenerator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from tinycnn import memory
from tinycnn.arguments import whole
from tinycnn.errors import ArgumentError

Item = TypeVar("Item")
Range = tuple[int, int]

# Below 16 rows BLAS changes its kernel, and with it the order of its sums.
LEAST_ROWS = 16

# Looks of a thread that waits for another before it goes to sleep: a tenth of a millisecond or two.
_LOOKS = 4000


def cut(total: int, size: int, *, least: int = 1) -> list[Range]:
    """Cut range(total) into near-equal (first, last) ranges of about ``size``, none below ``least``."""
    count = max(min(-(-total // max(size, 1)), total // least), 1 if total else 0)
    edges = [total * i // count for i in range(count + 1)] if count else [0]
    return list(itertools.pairwise(edges))


def run(work: Callable[[Item], Generator[None] | None], items: Iterable[Item]) -> None:
    """Call ``work`` on every item, on all threads; returns when all is done.

    ``work`` may be a generator function: a long chain of steps that belong to one item and must keep
    their order yields between them, where an interrupt may end it. The first exception ends the
    blocks that have not begun and is raised after those that run have ended. So is Ctrl-C, which
    goes before any other.
    """
    blocks = list(items)
    job = _Job(work, blocks)
    helpers = min(free_threads(), len(blocks)) - 1
    if getattr(_local, "working", False):
        job.work()  # the block around it holds BLAS's limit
    else:
        with _one_blas_thread():
            job.share(_pool(helpers) if helpers > 0 else None, helpers)
    error, job.error = job.error, None
    if error is not None:
        try:
            raise error
        finally:
            del error  # its traceback holds these frames: arrays would wait for the collector


class _Job:
    """One call of `run`: the blocks left to do, the helpers at them, and the first error."""

    def __init__(self, work: Callable[[Any], Any], blocks: Sequence[Any]) -> None:
        self.function = work
        self.blocks: Iterator[Any] = iter(blocks)
        self.lock = threading.Lock()
        self.left = threading.Condition(self.lock)  # notified when a helper leaves
        self.helpers = np.zeros(1, np.int64)  # an array, for `wait_while`
        self.closed = False  # no further helper may begin
        self.stopped = False  # no further block may begin
        self.error: BaseException | None = None

    def share(self, pool: ThreadPoolExecutor | None, helpers: int) -> None:
        """Work together with ``helpers`` threads of the pool, and see them out."""
        if pool is None or helpers < 1:
            self.work()
            return
        try:
            # Where there are no more threads to be had (a limit of the system, the interpreter's
            # end), those that there are do it.
            with suppress(RuntimeError):
                for _ in range(helpers):
                    pool.submit(copy_context().run, self.help)  # numpy.errstate holds there too
            self.work()
        except BaseException as error:  # Ctrl-C between two blocks
            self.stop(error)
        while self.helpers[0] or not self.closed:
            try:
                self.drain()
            except BaseException as error:  # Ctrl-C while waiting
                self.stop(error)

    def help(self) -> None:
        """Work in a thread of the pool; one that comes late finds the job closed."""
        with self.lock:
            if self.closed:
                return
            self.helpers[0] += 1
        try:
            with _one_blas_thread():
                self.work()
        finally:
            with self.left:
                self.helpers[0] -= 1
                self.left.notify()

    def drain(self) -> None:
        from tinycnn.kernels.waiting import wait_while  # Numba, which a summary never needs

        # Waiting for the futures of helpers that have not begun would be waiting for other jobs.
        with self.left:
            self.closed = True
            left = int(self.helpers[0])
        if left:
            wait_while(self.helpers, left, _LOOKS)
        with self.left:
            while self.helpers[0]:
                # A signal in the instant before the wait does not end it: look up now and then.
                self.left.wait(0.05)

    def work(self) -> None:
        """Take blocks until none is left; never raises what a block raised, but keeps it."""
        nested, _local.working = getattr(_local, "working", False), True
        try:
            for block in self.take():
                steps = self.function(block)
                if isgenerator(steps):
                    with closing(steps):
                        for _ in steps:
                            if self.stopped:
                                break
        except BaseException as error:
            self.stop(error)
        finally:
            _local.working = nested

    def take(self) -> Iterator[Any]:
        while not self.stopped:
            with self.lock:
                try:
                    block = next(self.blocks)
                except StopIteration:
                    return
            yield block

    def stop(self, error: BaseException) -> None:
        self.stopped = True
        with self.lock:
            if self.error is None or not isinstance(error, Exception):
                self.error = error


# ---------------------------------------------------------------------------------------- threads

# Which core this thread runs on; known on Linux, where threads can be kept apart.
_sched_getcpu: Callable[[], int] | None = (
    getattr(ctypes.CDLL(None), "sched_getcpu", None) if hasattr(os, "sched_setaffinity") else None
)

_chosen_threads: ContextVar[int | None] = ContextVar("tinycnn_threads", default=None)


def threads() -> int:
    """Threads that `run` uses: `use_threads`, else TINYCNN_THREADS, else the cores this process may use."""
    chosen = _chosen_threads.get()
    if chosen is not None:
        return chosen
    text = os.environ.get("TINYCNN_THREADS")
    if text is None:
        return _cores()
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentError(f"TINYCNN_THREADS must be a whole number from 1 up, got {text!r}")
    return int(text)


def free_threads() -> int:
    """Threads that `run` would use here.

    A block that itself cuts its work runs it alone: its siblings hold the other cores.
    """
    return 1 if getattr(_local, "working", False) else threads()


@contextmanager
def use_threads(count: int) -> Iterator[None]:
    """Use ``count`` threads inside the ``with`` block, in this thread (or task) only."""
    token = _chosen_threads.set(whole(count, "threads"))
    try:
        yield
    finally:
        _chosen_threads.reset(token)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _pool(size: int) -> ThreadPoolExecutor:
    """Give the process's pool, made anew where a call wants more threads than it has."""
    pool = _existing_pool(size)
    _keep_apart(pool)
    return pool


def _keep_apart(pool: ThreadPoolExecutor) -> None:
    """Let the pool's threads run on any core but the caller's.

    Linux wakes a thread where the one that woke it runs: after a pause both were seen to stay on
    one core for many calls, at half the speed.
    """
    if _sched_getcpu is None:
        return
    allowed = os.sched_getaffinity(0)
    others = allowed - {_sched_getcpu()} or allowed
    for thread in list(pool._threads):
        if thread.native_id is not None:
            with suppress(OSError):  # it has just ended
                os.sched_setaffinity(thread.native_id, others)


def _existing_pool(size: int) -> ThreadPoolExecutor:
    with _shared.lock:
        if _shared.pool is None or _shared.pool_size < size:
            # The old one is not shut down: another thread may be about to use it. Its threads end
            # when nobody holds it any more.
            _shared.pool = ThreadPoolExecutor(size, thread_name_prefix="tinycnn")
            _shared.pool_size = size
        return _shared.pool


# ------------------------------------------------------------------------------------------- BLAS


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread while at least one caller is inside.

    Two overlapping limits of threadpoolctl restore the wrong number: the second remembers the
    first's 1 as the number to restore. So callers are counted, and the last one restores what the
    first one found; under the lock. Where a limit holds only for the thread that sets it, each
    restores its own.
    """
    with _shared.lock:
        if _shared.blas is None:
            _shared.blas = ThreadpoolController().select(user_api="blas").lib_controllers
        found = [library.get_num_threads() for library in _shared.blas]
        if _shared.inside == 0:
            _shared.found = found
        _set_blas_threads([1] * len(found))
        _shared.inside += 1
    try:
        yield
    finally:
        with _shared.lock:
            _shared.inside -= 1
            last = _shared.inside == 0
            _set_blas_threads(
                [
                    mine if _holds_for_one_thread(library) else firsts if last else 1
                    for library, mine, firsts in zip(
                        _shared.blas, found, _shared.found, strict=True
                    )
                ]
            )


def _set_blas_threads(counts: Sequence[int]) -> None:
    """Set each library's number of threads; the caller holds the lock."""
    for library, count in zip(_shared.blas, counts, strict=True):
        # The thread that first limits OpenBLAS by threadpoolctl (from 3.8 on) owns it until it
        # ends, and what another sets is silently ignored. So nobody is left to own it.
        disown = getattr(library, "clear_controlling_thread", lambda force: None)
        disown(force=True)
        library.set_num_threads(count)
        disown(force=True)


def _holds_for_one_thread(library: Any) -> bool:
    """Whether a limit holds for the thread that sets it, not for the process."""
    return library.internal_api == "mkl" or getattr(library, "threading_layer", "") == "openmp"


class _Shared:
    """What all threads of the process share."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pool: ThreadPoolExecutor | None = None
        self.pool_size = 0
        self.blas: Any = None  # threadpoolctl's controllers of the BLAS libraries
        self.inside = 0
        self.found: list[int] = []  # their numbers of threads before the first caller came


_shared = _Shared()
_local = threading.local()


def _before_fork() -> None:
    """Let no thread be half through a change of the limit."""
    _shared.lock.acquire()


def _after_fork_in_parent() -> None:
    _shared.lock.release()


def _after_fork_in_child() -> None:
    """Start afresh: the parent's threads do not exist here, and one may have been in a block."""
    global _shared, _local
    if _shared.inside:
        _set_blas_threads(_shared.found)
    _shared, _local = _Shared(), threading.local()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )


# ---------------------------------------------------------------------------------------- scratch


def scratch(name: str, shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Give this thread's uninitialised buffer ``name``, kept from call to call and grown as needed.

    It is the caller's until the same thread asks for the same name again.
    """
    buffers: dict[tuple[str, np.dtype[Any]], NDArray[Any]] = _local.__dict__.setdefault(
        "scratch", {}
    )
    size = math.prod(shape)
    buffer = buffers.get((name, dtype))
    if buffer is None or buffer.size < size:
        buffer = buffers[name, dtype] = memory.aligned((size,), dtype)
    return buffer[:size].reshape(tuple(shape))
