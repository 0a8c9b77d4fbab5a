"""Work in several threads at once, and in two that are made to meet.

Two threads that share a scratch array meet by chance, once in a thousand runs. `interrupted` makes
them meet: one is stopped before an instruction, the other runs from beginning to end, and the first
goes on.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import CodeType, FrameType
from typing import Any

_MOST = 200  # places at which a pass is stopped
_PATIENCE = 0.1  # seconds that the stopped pass waits: the other may want a lock that it holds
_LOCKED = 3  # so often it may wait in vain before the rest is left out

Place = tuple[CodeType, int]


def _in_thread(work: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Start ``work`` in a thread; the list gets its result, or what it raised."""
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(work())
        except Exception as error:  # the caller's to judge
            result.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, result


def at_once(works: Sequence[Callable[[Callable[[], Any]], Any]]) -> list[Any]:
    """Run each in a thread of its own; gives the results, an exception in the place of one.

    Each is handed a function that waits until all have come to it.
    """
    gate = threading.Barrier(len(works))

    def guarded(work: Callable[[Callable[[], Any]], Any]) -> Any:
        try:
            gate.wait()
            return work(gate.wait)
        except threading.BrokenBarrierError:
            return None  # another one raised
        except BaseException:
            gate.abort()
            raise

    threads = [_in_thread(partial(guarded, work)) for work in works]
    for thread, _ in threads:
        thread.join()
    results = [result[0] for _, result in threads]
    raised = [result for result in results if isinstance(result, Exception)]
    return raised or results


@contextmanager
def switching() -> Iterator[None]:
    """Let Python switch threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def interrupted(
    work: Callable[[], Any], other: Callable[[], Any], files: set[str]
) -> list[tuple[str, Any, Any]]:
    """Run ``work`` once for each place of its code in ``files``, stopped there while ``other`` runs.

    Gives (place as "file:line", the result of work, the result of other) for each; an exception
    takes the place of a result.
    """
    results, in_vain = [], 0
    for place in _places(work, files)[:_MOST]:
        if in_vain == _LOCKED:
            break
        stop = _Stop(place, other)
        thread, result = _in_thread(partial(_traced, work, stop.before, files))
        thread.join()
        in_vain += stop.in_vain
        if stop.thread is not None:
            stop.thread.join()
            results.append((stop.line, result[0], stop.result[0]))
    return results


class _Stop:
    """The first time that a pass comes to ``place``, ``other`` runs in a thread of its own."""

    def __init__(self, place: Place, other: Callable[[], Any]) -> None:
        self.place, self.other = place, other
        self.thread: threading.Thread | None = None
        self.result: list[Any] = []
        self.line, self.in_vain = "", False

    def before(self, frame: FrameType) -> None:
        if self.thread is None and (frame.f_code, frame.f_lasti) == self.place:
            self.line = f"{frame.f_code.co_filename}:{frame.f_lineno}"
            self.thread, self.result = _in_thread(self.other)
            self.thread.join(_PATIENCE)
            self.in_vain = self.thread.is_alive()


def _places(work: Callable[[], Any], files: set[str]) -> list[Place]:
    """The instructions in ``files`` that ``work`` comes to, each once, in order."""
    places: dict[Place, None] = {}
    thread, _ = _in_thread(
        lambda: _traced(work, lambda frame: places.setdefault((frame.f_code, frame.f_lasti)), files)
    )
    thread.join()
    return list(places)


def _traced(work: Callable[[], Any], before: Callable[[FrameType], Any], files: set[str]) -> Any:
    """Run ``work``, calling ``before`` ahead of each instruction of code in ``files``."""

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename not in files:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            before(frame)
        return trace

    sys.settrace(trace)
    try:
        return work()
    finally:
        sys.settrace(None)
