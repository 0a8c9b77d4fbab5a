"""Kernel calls, made at once or recorded to be made later: what works out their arguments need not know.

Work is a sequence of phases. A phase is a list of tasks that threads may carry out in any order; none
begins before the phase before it has ended. A task is handed a `Calls` and calls kernels through it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from tinycnn.arrays import read_only
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.scratch import scratch

_FLOAT32 = np.dtype(np.float32)


class Calls(Protocol):
    """Calls kernels. Where it only records, arrays are stand-ins, of type Any here."""

    def __call__(self, kernel: Callable[..., None], *arguments: Any) -> None:
        """Call a kernel, by position; an argument is an array, a whole number or a tuple of these."""

    def read(self, array: Any) -> Any:
        """The same array as one that cannot be written to."""

    def row(self, array: Any) -> Any:
        """Numbers of the array's last axis; where calls are recorded, as it then lies."""

    def scratch(self, name: str, size: int, dtype: np.dtype[Any] = _FLOAT32) -> Any:
        """Uninitialised numbers of the thread that carries the task out, its own until its next call."""

    def shared(self, name: str, size: int, dtype: np.dtype[Any] = _FLOAT32) -> Any:
        """Uninitialised numbers for all tasks of some phases."""


# Gives so many floats under a name, of each thread or of all of them: `Calls.scratch` or `Calls.shared`.
Room = Callable[[str, int], Any]

Task = Callable[[Calls], None]
Phase = Sequence[Task]


class _AtOnce:
    """Calls kernels at once."""

    def __call__(self, kernel: Callable[..., None], *arguments: Any) -> None:
        kernel(*arguments)

    def read(self, array: Any) -> Any:
        return read_only(array)

    def row(self, array: Any) -> int:
        return int(array.shape[-1])

    def scratch(self, name: str, size: int, dtype: np.dtype[Any] = _FLOAT32) -> Any:
        return scratch(name, (size,), dtype)

    def shared(self, name: str, size: int, dtype: np.dtype[Any] = _FLOAT32) -> Any:
        return scratch(f"shared {name}", (size,), dtype)


AT_ONCE: Calls = _AtOnce()


def run(phases: Iterable[Phase]) -> None:
    """Carry out phases on all threads, each phase made when its turn comes."""
    for phase in phases:
        parallel_for(lambda task: task(AT_ONCE), phase)
