"""Kernel calls written down as numbers, and carried out as often as wanted by compiled code alone.

`Recorder` takes the place of what calls kernels at once. An array's place is taken by a `Slot`, whose
memory is found when the program runs; see `tinycnn.kernels.recorded_calls`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.arrays import Array, row_major
from tinycnn.inference.held import PackedWeights, Workspace
from tinycnn.kernels.recorded_calls import COUNTERS, KERNELS, WIDTH, carry_out
from tinycnn.parameters import FlatArrays
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.feature_maps import aligned_zeros
from tinycnn.runtime.parallel import parallel_for

# Tasks between two looks for an interrupt: of a large batch some tenths of a second.
_TASKS = 32
# A thread that waits longer than is worth spinning leaves its core to others for a moment.
_NAP = 1e-5

_OPCODES = {kernel: number for number, kernel in enumerate(KERNELS)}


@dataclass(frozen=True)
class Slot:
    """Stands for an array of float32."""

    number: int


@dataclass(frozen=True)
class _Weights:
    """Where a slot's numbers come from: an attribute of what is packed."""

    key: Any
    make: Callable[[FlatArrays], Any]
    attribute: str


@dataclass
class _Floats:
    """A slot's memory: how much, how far from image to image, and whose."""

    size: int
    step: int = 0
    of_each_thread: bool = False
    weights: _Weights | None = None


class Recorder:
    """Records phases of tasks on the slots that it gives out. Implements `tinycnn.runtime.calls.Calls`."""

    def __init__(self, source: int, result: int) -> None:
        """Record for images of ``source`` numbers and results of ``result`` each."""
        self._floats: list[_Floats] = []
        self._named: dict[tuple[str, bool], Slot] = {}
        self._weights: dict[tuple[Any, str], Slot] = {}
        self._calls: list[list[int]] = []
        self._jobs: list[Array] = []
        self._job_ranges: dict[int, tuple[int, int]] = {}
        self._tasks: list[tuple[int, int, int]] = []
        self._phases = [0]
        self.source = self._slot(_Floats(0, source))
        self.result = self._slot(_Floats(0, result))

    def __call__(self, kernel: Callable[..., None], *arguments: Any) -> None:
        """Write down a call."""
        numbers = [_OPCODES[kernel]]
        for argument in arguments:
            if isinstance(argument, Slot):
                numbers.append(argument.number)
            elif isinstance(argument, tuple):
                numbers += map(int, argument)
            elif isinstance(argument, np.ndarray):
                numbers += self._jobs_range(argument)
            else:
                numbers.append(int(argument))
        self._calls.append(numbers + [0] * (WIDTH - len(numbers)))

    def read(self, array: Slot) -> Slot:
        """Slots are read-only where the kernel asks for it."""
        return array

    def scratch(self, name: str, size: int) -> Slot:
        """Floats of each thread, for one task at a time."""
        return self._grown(name, size, of_each_thread=True)

    def shared(self, name: str, size: int) -> Slot:
        """Floats of all threads, for phases that follow each other."""
        return self._grown(name, size, of_each_thread=False)

    def zeros(self, size: int, step: int = 0, *, of_each_thread: bool = False) -> Slot:
        """Give zeros that nobody else writes to, ``step`` from image to image."""
        return self._slot(_Floats(size, step, of_each_thread))

    def weights(self, key: Any, make: Callable[[FlatArrays], Any], attribute: str) -> Slot:
        """Give an array of what ``make`` packs, once a version of the parameters for each ``key``."""
        if (key, attribute) not in self._weights:
            floats = _Floats(0, weights=_Weights(key, make, attribute))
            self._weights[key, attribute] = self._slot(floats)
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

    def program(self, threads: int) -> Program:
        """All that was recorded, for so many threads."""
        jobs = np.concatenate([np.empty((0, 5), np.int64), *self._jobs])
        calls = np.array(self._calls, np.int64).reshape(-1, WIDTH)
        tasks, phases = np.array(self._tasks, np.int64).reshape(-1, 3), np.array(self._phases)
        return Program(threads, calls, jobs, tasks, phases, self._floats)

    def _slot(self, floats: _Floats) -> Slot:
        self._floats.append(floats)
        return Slot(len(self._floats) - 1)

    def _grown(self, name: str, size: int, *, of_each_thread: bool) -> Slot:
        key = name, of_each_thread
        if key not in self._named:
            self._named[key] = self._slot(_Floats(0, of_each_thread=of_each_thread))
        slot = self._named[key]
        self._floats[slot.number].size = max(self._floats[slot.number].size, size)
        return slot

    def _jobs_range(self, jobs: Array) -> tuple[int, int]:
        """The rows of the table in which ``jobs`` stand."""
        if id(jobs) not in self._job_ranges:  # they are kept below, so that none takes its place
            first = sum(map(len, self._jobs))
            self._jobs.append(jobs)
            self._job_ranges[id(jobs)] = first, first + len(jobs)
        return self._job_ranges[id(jobs)]


class Program:
    """Recorded calls. Safe to run in many threads at once, in a workspace each."""

    def __init__(
        self,
        threads: int,
        calls: Array,
        jobs: Array,
        tasks: Array,
        phases: Array,
        floats: Sequence[_Floats],
    ) -> None:
        self.threads, self.floats, self.phases = threads, floats, phases
        self.tables = calls, jobs, tasks, phases

    def run(self, x: Array, weights: PackedWeights, workspace: Workspace, out: Array) -> None:
        """Carry all out for the images ``x``; both arrays are float32 and C-contiguous."""
        memory: _Memory = workspace.get(self, lambda: _Memory(self))
        memory.prepare(x, weights, out)

        def work(thread: int) -> Generator[None]:
            slots = memory.slots[thread]
            while not carry_out(*self.tables, slots, memory.counters, _TASKS):
                yield  # to an interrupt
                time.sleep(_NAP)

        parallel_for(work, range(self.threads))


class _Memory:
    """The memory of a program's slots, and its counters."""

    def __init__(self, program: Program) -> None:
        self._floats = program.floats
        self._version: PackedWeights | None = None
        self._kept: list[Array] = []  # that the addresses below point at
        self.slots = np.zeros((program.threads, len(program.floats), 3), np.int64)
        self.counters = np.zeros((len(program.phases) - 1) * COUNTERS, np.int64)
        for number, floats in enumerate(program.floats):
            self.slots[:, number, 2] = floats.step
            if floats.of_each_thread:
                for thread in range(program.threads):
                    self._keep(number, aligned_zeros(floats.size), thread)
            elif floats.size:
                self._keep(number, aligned_zeros(floats.size))

    def prepare(self, x: Array, weights: PackedWeights, out: Array) -> None:
        """Make ready for a run."""
        self.counters[:] = 0
        self._point(0, x)
        self._point(1, out)
        if self._version is not weights:
            for number, floats in enumerate(self._floats):
                if floats.weights is not None:
                    packed = weights.get(floats.weights.key, floats.weights.make)
                    self._point(number, getattr(packed, floats.weights.attribute))
            self._version = weights

    def _keep(self, number: int, array: Array, thread: int | None = None) -> None:
        self._kept.append(array)
        self._point(number, array, thread)

    def _point(self, number: int, array: Array, thread: int | None = None) -> None:
        where = slice(None) if thread is None else thread
        flat, _ = row_major(array)
        self.slots[where, number, :2] = flat.ctypes.data, flat.size
