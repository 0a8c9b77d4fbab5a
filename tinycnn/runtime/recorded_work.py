"""Work of an op, recorded once for its sizes, and carried out on arrays as often as it is called.

Made at once, each kernel call of a task waits for the interpreter's lock, which the other threads want as
often: a convolution of small images, some hundred calls of twenty microseconds, gained nothing from a second
core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.kernels.recorded_calls import hold
from tinycnn.runtime import memory
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.feature_maps import round_up
from tinycnn.runtime.program import Program
from tinycnn.runtime.recording import Recorder
from tinycnn.runtime.slots import SlotTable

# Geometries whose work an op keeps recorded: those of a large network, and more.
KEPT = 512

_FLOAT32 = np.dtype(np.float32)
_LINE = 16  # floats of a cache line


class RecordedWork:
    """Phases of kernel calls on so many ``arrays``; one of these serves many threads at once.

    ``phases`` gives them when it is handed a recorder and what stands for each array. ``from_both_ends``:
    helpers begin with a phase's last task, so that the caches of the cores hold what comes to them again.
    """

    def __init__(
        self,
        arrays: int,
        threads: int,
        phases: Callable[..., Iterable[Phase]],
        *,
        from_both_ends: bool = False,
    ) -> None:
        recorder = Recorder(*[0] * arrays)
        recorder.record(phases(recorder, *recorder.given))
        self._program = recorder.program(threads)
        self._from_both_ends = from_both_ends
        self._free: list[_BorrowedMemory] = []

    def run(self, x: Array, result: Array, *others: Array) -> None:
        """Carry it out on arrays of the recorded sizes, float32 and C-contiguous."""
        try:
            table = self._free.pop()
        except IndexError:
            table = _BorrowedMemory(self._program, self._from_both_ends)
        try:
            borrowed = table.borrow()
            for slot, array in enumerate(others, start=2):
                hold(read_only(array.reshape(-1)), slot, table.rows)
            self._program.carry_out(table, read_only(x), result)
            del borrowed  # not before
        finally:
            self._free.append(table)


class _BorrowedMemory(SlotTable):
    """Slots whose memory is taken for a run alone: ops of other sizes, one after the other, use the same."""

    def __init__(self, program: Program, from_both_ends: bool) -> None:
        both = from_both_ends
        super().__init__(program.threads, program.tables, program.slots, from_both_ends=both)
        sizes = {number: slot.size for number, slot in enumerate(program.slots) if slot.size}
        self.slots[:, [*sizes], 1] = [*sizes.values()]
        self._shared = [n for n in sizes if not program.slots[n].of_each_thread]
        self._private = [n for n in sizes if program.slots[n].of_each_thread]
        starts = np.cumsum([0, *(round_up(sizes[number], _LINE) for number in self._private)])
        self._size = int(starts[-1]) * program.threads
        # In bytes, of each thread's slots.
        self._places = 4 * (starts[-1] * np.arange(program.threads)[:, None] + starts[:-1])

    def borrow(self) -> list[Array]:
        """Let the slots be memory that is free; gives what holds it."""
        if not self._size and not self._shared:
            return []
        private = memory.empty((self._size,), _FLOAT32)
        self.slots[:, self._private, 0] = private.ctypes.data + self._places
        shared = [memory.empty((int(self.slots[0, n, 1]),), _FLOAT32) for n in self._shared]
        for number, array in zip(self._shared, shared, strict=True):
            self.slots[:, number, 0] = array.ctypes.data
        return [private, *shared]
