"""Results made ahead of need, by threads, and handed out in order.

A task is asked for by its number. So many are asked for at the start, and one more for each result that is
taken: never are more results waiting. A number's result does not depend on the thread that makes it.
"""

from __future__ import annotations

import _thread
import os
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

Result = TypeVar("Result")

# A signal in the instant before a sleep does not end it: look up now and then.
_SLEEP = 0.05


class _Made(NamedTuple):
    """What became of a task."""

    number: int
    result: Any
    error: BaseException | None


class Prefetch(Generic[Result]):
    """An iterator of ``work(number)`` for each of ``numbers``, with at most ``ahead`` of them made ahead.

    An error of ``work`` is raised in its turn, and ends it, as do `close` and an interrupt. Its threads end
    then, and when nobody holds it any more. In a child of `os.fork`, which has none of them, and where there
    are no more threads to be had, the caller makes what it asks for.
    """

    def __init__(
        self, work: Callable[[int], Result], numbers: Iterable[int], threads: int, ahead: int
    ) -> None:
        self._work = work
        self._left, self._awaited = iter(numbers), deque[int]()
        self._tasks: SimpleQueue[Any] = SimpleQueue()
        self._results: SimpleQueue[_Made] = SimpleQueue()
        self._made: dict[int, _Made] = {}
        self._closed, self._process = False, os.getpid()
        self._started, self._ended = 0, deque[bool]()  # threads
        # Anything but a number ends the threads. The reference puts itself there when this object goes: one
        # call of compiled code, where an interrupt in a `__del__` would be lost.
        end = weakref.ref(self, self._tasks.put)
        for _ in range(max(ahead, 1)):
            self._ask()
        with suppress(RuntimeError):  # there are no more threads to be had
            for _ in range(min(threads, ahead)):
                given = work, self._tasks, self._results, self._ended, end
                # Not by `threading`, for which a thread whose start is interrupted is there for ever.
                _thread.start_new_thread(_serve, given)
                self._started += 1

    def __iter__(self) -> Prefetch[Result]:
        return self

    def __next__(self) -> Result:
        try:
            if self._closed or not self._awaited:
                raise StopIteration
            made = self._take(self._awaited.popleft())
            if made.error is not None:
                raise made.error
            self._ask()
            result: Result = made.result
        except BaseException:  # of these an interrupt may have lost a result
            self.close()
            raise
        return result

    def close(self) -> None:
        """End the threads, once they have done what they are at, and let go of what they made."""
        self._closed = True
        self._tasks.put(None)
        self._made.clear()
        while len(self._ended) < self._threads():
            with suppress(Empty):
                self._results.get(timeout=_SLEEP)

    def _ask(self) -> None:
        """Ask for the next task, if there is one."""
        for number in self._left:
            self._awaited.append(number)
            self._tasks.put(number)
            break

    def _threads(self) -> int:
        """Threads that were started: in this process, for a child has none of its parent's."""
        return self._started if os.getpid() == self._process else 0

    def _take(self, number: int) -> _Made:
        """Wait for the result of a task."""
        while number not in self._made:
            if not self._threads():
                return _make(self._work, number)
            with suppress(Empty):
                made = self._results.get(timeout=_SLEEP)
                self._made[made.number] = made
        return self._made.pop(number)


def _serve(
    work: Callable[[int], Any],
    tasks: SimpleQueue[Any],
    results: SimpleQueue[_Made],
    ended: deque[bool],
    _end: Any,
) -> None:
    """Do tasks until something comes that is none, which the other threads find there as well.

    ``_end`` is held only so that it lives as long as a thread does.
    """
    while isinstance(task := tasks.get(), int):
        results.put(_make(work, task))
    tasks.put(task)
    ended.append(True)
    results.put(_Made(-1, None, None))  # wakes whoever waits for that


def _make(work: Callable[[int], Any], number: int) -> _Made:
    try:
        return _Made(number, work(number), None)
    except StopIteration as error:  # would pass for the end of all
        words = f"{work} raised StopIteration"
        return _Made(number, None, RuntimeError(words).with_traceback(error.__traceback__))
    except BaseException as error:
        return _Made(number, None, error)
