"""Kernel calls written down as numbers, and carried out as often as wanted by compiled code alone.

`Recorder` takes the place of what calls kernels at once. An array's place is taken by a `Slot`, whose
memory is found when the program runs; see `tinycnn.kernels.recorded_calls`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.kernels.callers import CALLERS
from tinycnn.kernels.function_pointers import address_of
from tinycnn.kernels.range_callers import RANGE_CALLERS
from tinycnn.kernels.recorded_calls import WIDTH
from tinycnn.kernels.training_callers import TRAINING_CALLERS
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.held import NamedArrays
from tinycnn.runtime.memory import too_large
from tinycnn.runtime.program import Program
from tinycnn.runtime.slots import PackedSource, SlotMemory, SlotPart

_CALLERS = CALLERS | RANGE_CALLERS | TRAINING_CALLERS
_FLOAT32 = np.dtype(np.float32)
# Floats that no memory holds, before places in them are too large for whole numbers of 64 bits.
_MOST = 2**60


@dataclass(frozen=True)
class Slot:
    """Stands for an array: flat, of float32, unless it is said what ``shape`` its caller gives it."""

    number: int
    shape: tuple[int, ...] = ()
    dtype: np.dtype[Any] = _FLOAT32

    @property
    def size(self) -> int:
        """Numbers of ``shape``."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of these."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def reshape(self, *shape: int) -> Slot:
        """The same numbers in another shape; -1 alone: flat."""
        return replace(self, shape=() if shape == (-1,) else shape)


class Recorder:
    """Records phases of tasks on the slots that it gives out. Implements `tinycnn.runtime.calls.Calls`.

    The first slots stand for ``given`` arrays, which the program gets with each run: slot 0 for images,
    slot 1 for results, and others for what else there is to read.
    """

    def __init__(self, *steps: int) -> None:
        """Record for given arrays; ``steps`` are the numbers of each from image to image."""
        self._slots: list[SlotMemory] = []
        self._named: dict[tuple[str, bool], Slot] = {}
        self._weights: dict[tuple[Any, str], Slot] = {}
        self._calls: list[list[int]] = []
        self._jobs: list[Array] = []
        self._job_ranges: dict[int, tuple[int, int]] = {}
        self._tasks: list[tuple[int, int, int]] = []
        self._phases = [0]
        self.given = [self._slot(SlotMemory(0, step)) for step in steps]

    def __call__(self, kernel: Callable[..., None], *arguments: Any) -> None:
        """Write down a call; a float by its bits, see `tinycnn.kernels.slots.number_of`."""
        numbers = [address_of(_CALLERS[kernel])]
        for argument in arguments:
            if isinstance(argument, Slot):
                numbers += [argument.number, *argument.shape]
            elif isinstance(argument, tuple):
                numbers += map(int, argument)
            elif isinstance(argument, np.ndarray):
                numbers += self._jobs_range(argument)
            elif isinstance(argument, float):
                numbers.append(int(np.float64(argument).view(np.int64)))
            else:
                numbers.append(int(argument))
        self._calls.append(numbers + [0] * (WIDTH - len(numbers)))

    def read(self, array: Slot) -> Slot:
        """Slots are read-only where the kernel asks for it."""
        return array

    def row(self, array: Slot) -> Slot:
        """A kernel's caller finds it with the slot."""
        return array

    def scratch(self, name: str, size: int, dtype: np.dtype[Any] = _FLOAT32) -> Slot:
        """Floats of each thread, for one task at a time."""
        assert dtype == _FLOAT32
        return self._grown(name, size, of_each_thread=True)

    def shared(self, name: str, size: int, dtype: np.dtype[Any] = _FLOAT32) -> Slot:
        """Numbers of all threads, for phases that follow each other."""
        floats = size * dtype.itemsize // _FLOAT32.itemsize
        return replace(self._grown(name, floats, of_each_thread=False), dtype=dtype)

    def zeros(self, size: int, step: int = 0, *, of_each_thread: bool = False) -> Slot:
        """Give zeros that nobody else writes to, ``step`` from image to image."""
        return self._slot(SlotMemory(size, step, of_each_thread))

    def constant(self, array: Array) -> Slot:
        """Stand for an array (F,) that stays as it is."""
        return self._slot(SlotMemory(0, constant=array)).reshape(len(array))

    def part(
        self, whole: Slot, first: int, shape: tuple[int, ...], dtype: np.dtype[Any] = _FLOAT32
    ) -> Slot:
        """Stand for a part of another slot's memory, which begins at its float number ``first``."""
        floats = -(-math.prod(shape) * dtype.itemsize // _FLOAT32.itemsize)
        slot = self._slot(SlotMemory(0, part=SlotPart(whole.number, first, floats)))
        return replace(slot, shape=shape, dtype=dtype)

    def weights(
        self,
        key: Any,
        make: Callable[[NamedArrays], Any],
        attribute: str,
        at_first: Callable[[NamedArrays], Any] = lambda arrays: None,
    ) -> Slot:
        """Give an array of what ``make`` packs, once a version of the parameters for each ``key``.

        In a version's first run it is what ``at_first`` gives, unless that is None.
        """
        if (key, attribute) not in self._weights:
            source = PackedSource(key, make, attribute, at_first)
            self._weights[key, attribute] = self._slot(SlotMemory(0, packed=source))
        return self._weights[key, attribute]

    def record(self, phases: Iterable[Phase], image: int = 0) -> None:
        """Write down phases whose slots begin at ``image``."""
        for phase in phases:
            self.phase([(self.chain([[task]]), image) for task in phase])

    def chain(self, phases: Iterable[Phase]) -> tuple[int, int]:
        """Write down the calls of all tasks as those of one, and give their range."""
        first = len(self._calls)
        for phase in phases:
            for task in phase:
                task(self)
        return first, len(self._calls)

    def phase(self, tasks: Sequence[tuple[tuple[int, int], int]]) -> None:
        """Write down a phase of chains, each with the image at which its slots begin."""
        self._tasks += [(*calls, image) for calls, image in tasks]
        self._phases.append(len(self._tasks))

    def program(self, threads: int, *, wakes: bool = True) -> Program:
        """All that was recorded, for no more threads than a phase has tasks; ``wakes``: worth waking them."""
        jobs = np.concatenate([np.empty((0, 5), np.int64), *self._jobs])
        calls = np.array(self._calls, np.int64).reshape(-1, WIDTH)
        tasks, phases = np.array(self._tasks, np.int64).reshape(-1, 3), np.array(self._phases)
        threads = max(min(threads, max(np.diff(phases), default=1)), 1)
        return Program(int(threads), (calls, jobs, tasks, phases), self._slots, wakes=wakes)

    def _slot(self, memory: SlotMemory) -> Slot:
        self._slots.append(memory)
        return Slot(len(self._slots) - 1)

    def _grown(self, name: str, size: int, *, of_each_thread: bool) -> Slot:
        key = name, of_each_thread
        if key not in self._named:
            self._named[key] = self._slot(SlotMemory(0, of_each_thread=of_each_thread))
        if size > _MOST:
            raise too_large((size,), _FLOAT32)
        slot = self._named[key]
        self._slots[slot.number].size = max(self._slots[slot.number].size, size)
        return slot

    def _jobs_range(self, jobs: Array) -> tuple[int, int]:
        """The rows of the table in which ``jobs`` stand."""
        if id(jobs) not in self._job_ranges:  # they are kept below, so that none takes its place
            first = sum(map(len, self._jobs))
            self._jobs.append(jobs)
            self._job_ranges[id(jobs)] = first, first + len(jobs)
        return self._job_ranges[id(jobs)]
