"""A program of recorded calls, and the memory that a run of it needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

from tinycnn.arrays import Array
from tinycnn.kernels.offers import withdraw
from tinycnn.kernels.recorded_calls import (
    ALONE,
    FINISHED,
    WAITS,
    begin,
    carry_on,
    run_alone,
    run_shared,
)
from tinycnn.runtime.balance import Balance
from tinycnn.runtime.feature_maps import aligned_zeros
from tinycnn.runtime.held import PackedWeights, Workspace
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.slots import SlotMemory, SlotTable, Tables
from tinycnn.runtime.thread_pool import thread_pool

# Looks at what others have still to do: until it is worth noting how long that takes, a few microseconds, and
# from then on until a thread gives way, a tenth of a millisecond or two.
_GLANCES = 200
_SPINS = 4000
# Tasks between two looks for an interrupt: of a large batch some tenths of a second.
_TASKS = 32
# A thread that waits longer than is worth spinning leaves its core to others for a moment.
_NAP = 1e-5
# Helpers that sleep are woken for the next run where runs follow each other within so many seconds.
_SOON = 2e-4


class Program:
    """Recorded calls. Safe to run in many threads at once, in a workspace each."""

    def __init__(
        self,
        threads: int,
        tables: Tables,
        slots: Sequence[SlotMemory],
        *,
        wakes: bool = True,
    ) -> None:
        """For so many ``threads``; ``wakes``: the work is worth waking a thread that sleeps."""
        self.threads, self.tables, self.slots = threads, tables, slots
        self._wakes = wakes
        # Of helpers that look for work, of having them look, and of those that are woken.
        self._looking, self._waking, self._woken = Balance(), Balance(), Balance()
        self._ended = 0.0

    def run(self, x: Array, weights: PackedWeights, workspace: Workspace, out: Array) -> None:
        """Carry all out for the images ``x``, read-only; both arrays are float32 and C-contiguous."""
        memory: _Memory = workspace.get(self, self._memory)
        memory.follow(weights)
        self.carry_out(memory, x, out)

    def _memory(self) -> _Memory:
        return _Memory(self)

    def carry_out(self, memory: SlotTable, x: Array, out: Array) -> None:
        """Carry all out on the slots of ``memory``, the first two of which are to be ``x`` and ``out``."""
        x, out = x.reshape(-1), out.reshape(-1)
        if self.threads == 1:
            self._alone(memory, x, out)
            return
        begun = time.perf_counter()
        if not (self._looking.pays and self._with_those_who_look(memory, x, out)):
            if self._wakes:
                begin(x, out, memory.rows)
                parallel_for(self._work(memory), range(self.threads), balance=self._woken)
            else:
                self._alone(memory, x, out)
            if self._waking.pays and begun - self._ended < _SOON:
                now = time.perf_counter()
                thread_pool().wake(self.threads - 1)
                self._waking.enter(0.0, time.perf_counter() - now)
        self._ended = time.perf_counter()

    def _with_those_who_look(self, memory: SlotTable, x: Array, out: Array) -> bool:
        """Share the work with helpers that look for some; False if there are none."""
        if not self._ended:  # it is the first run: nobody looks
            return False
        pool = thread_pool()
        board = pool.board
        memory.make_offers(board)
        pool.stay_apart()
        lost, begun = 0.0, time.perf_counter()
        try:
            left = run_shared(x, out, memory.rows, pool.tickets, board, _TASKS, _GLANCES)
            if left == ALONE:
                return False
            if left != FINISHED:
                lost = self._go_on(memory)
                done = time.perf_counter()
                while not withdraw(board, memory.offered, False, _SPINS):
                    time.sleep(_NAP)
                lost += time.perf_counter() - done
        except BaseException:
            # No signal comes before the end of this call: what helpers work on stays until they have left.
            withdraw(board, memory.offered, True, -1)
            raise
        # What a helper did is not known, but how long it may have taken; a few glances are no loss.
        worked = time.perf_counter() - begun - lost
        self._looking.enter(worked, lost)
        self._waking.enter(worked, lost)
        return True

    def _alone(self, memory: SlotTable, x: Array, out: Array) -> None:
        """Do all of it in this thread."""
        if run_alone(x, out, memory.rows, _TASKS, _GLANCES) != FINISHED:
            self._go_on(memory)

    def _go_on(self, memory: SlotTable) -> float:
        """Do the rest of the first thread's part; gives the seconds that it waited."""
        return sum(self._work(memory)(0))

    def _work(self, memory: SlotTable) -> Callable[[int], Generator[float]]:
        """What a thread does: it yields, to an interrupt, the seconds that it waited."""
        finished: list[int] = []  # threads that found all done

        def work(thread: int) -> Generator[float]:
            row, spins = memory.rows[thread], _SPINS
            while not finished and (left := carry_on(row, _TASKS, _GLANCES)):
                began = time.perf_counter()
                if left == WAITS:
                    spins = _SPINS if carry_on(row, 0, spins) != WAITS else 0
                    if spins == 0:
                        time.sleep(_NAP)
                yield time.perf_counter() - began
            finished.append(thread)

        return work


class _Memory(SlotTable):
    """The memory of a program's slots, kept from run to run."""

    def __init__(self, program: Program) -> None:
        super().__init__(program.threads, program.tables, program.slots, from_both_ends=True)
        self._packed = [
            (number, slot.packed) for number, slot in enumerate(program.slots) if slot.packed
        ]
        self._program = program
        self._version: PackedWeights | None = None
        self._kept: list[Array] = []  # that the slots point at
        self._unpacked: list[Any] = []  # and these, of a version's first run
        for number, slot in enumerate(program.slots):
            if slot.of_each_thread:
                for thread in range(program.threads):
                    self._keep(number, aligned_zeros(slot.size), thread)
            elif slot.size:
                self._keep(number, aligned_zeros(slot.size))

    def follow(self, weights: PackedWeights) -> None:
        """Let the slots of weights be those of ``weights``."""
        if self._version is not weights:
            is_first = weights.begin_run(self._program)
            self._unpacked = []
            for number, source in self._packed:
                packed = source.at_first(weights.arrays) if is_first else None
                self._unpacked.append(packed)
                if packed is None:
                    packed = weights.get(source.key, source.make)
                self.point(number, getattr(packed, source.attribute))
            self._version = None if is_first else weights

    def _keep(self, number: int, array: Array, thread: int | None = None) -> None:
        self._kept.append(array)
        self.point(number, array, thread)
