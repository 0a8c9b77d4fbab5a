"""A program of recorded calls, and the memory that a run of it needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.arrays import Array, row_major
from tinycnn.kernels.recorded_calls import COUNTERS, carry_out, functions_of
from tinycnn.runtime.feature_maps import aligned_zeros
from tinycnn.runtime.held import NamedArrays, PackedWeights, Workspace
from tinycnn.runtime.parallel import parallel_for

# Tasks between two looks for an interrupt: of a large batch some tenths of a second.
_TASKS = 32
# A thread that waits longer than is worth spinning leaves its core to others for a moment.
_NAP = 1e-5


@dataclass(frozen=True)
class PackedSource:
    """Where the numbers of a slot come from: an attribute of what ``make`` packs for ``key``."""

    key: Any
    make: Callable[[NamedArrays], Any]
    attribute: str


@dataclass
class SlotMemory:
    """The floats of a slot: how many, how far from image to image, and whose."""

    size: int
    step: int = 0
    of_each_thread: bool = False
    packed: PackedSource | None = None


class Program:
    """Recorded calls. Safe to run in many threads at once, in a workspace each."""

    def __init__(
        self,
        threads: int,
        calls: Array,
        jobs: Array,
        tasks: Array,
        phases: Array,
        slots: Sequence[SlotMemory],
    ) -> None:
        self.threads, self.slots, self.phases = threads, slots, phases
        self.tables = functions_of(calls), calls, jobs, tasks, phases

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
    """The memory of a program's slots, as addresses, sizes and steps, and its counters."""

    def __init__(self, program: Program) -> None:
        self._packed = [
            (number, slot.packed) for number, slot in enumerate(program.slots) if slot.packed
        ]
        self._version: PackedWeights | None = None
        self._kept: list[Array] = []  # that the addresses below point at
        self.slots = np.zeros((program.threads, len(program.slots), 3), np.int64)
        self.counters = np.zeros((len(program.phases) - 1) * COUNTERS, np.int64)
        for number, slot in enumerate(program.slots):
            self.slots[:, number, 2] = slot.step
            if slot.of_each_thread:
                for thread in range(program.threads):
                    self._keep(number, aligned_zeros(slot.size), thread)
            elif slot.size:
                self._keep(number, aligned_zeros(slot.size))

    def prepare(self, x: Array, weights: PackedWeights, out: Array) -> None:
        """Make ready for a run."""
        self.counters[:] = 0
        self._point(0, x)
        self._point(1, out)
        if self._version is not weights:
            for number, source in self._packed:
                packed = weights.get(source.key, source.make)
                self._point(number, getattr(packed, source.attribute))
            self._version = weights

    def _keep(self, number: int, array: Array, thread: int | None = None) -> None:
        self._kept.append(array)
        self._point(number, array, thread)

    def _point(self, number: int, array: Array, thread: int | None = None) -> None:
        where = slice(None) if thread is None else thread
        flat, _ = row_major(array)
        self.slots[where, number, :2] = flat.ctypes.data, flat.size
