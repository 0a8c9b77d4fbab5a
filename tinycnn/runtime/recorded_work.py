"""Work of an op, recorded once for its sizes, and carried out on arrays as often as it is called.

Made at once, each kernel call of a task waits for the interpreter's lock, which the other threads want as
often: a convolution of small images, some hundred calls of twenty microseconds, gained nothing from a second
core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.kernels.recorded_calls import hold, hold_parts
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
                hold(_to_be_read(array), slot, table.rows)
            if len(table.parts):
                hold(read_only(x.reshape(-1)), 0, table.rows)
                hold(read_only(result.reshape(-1)), 1, table.rows)
                hold_parts(table.parts, table.rows)
            self._program.carry_out(table, _to_be_read(x), result)
            del borrowed  # not before
        finally:
            self._free.append(table)


def _to_be_read(array: Array) -> Array:
    """The numbers of an array in a row, as kernels read them; many come so."""
    if array.ndim == 1 and not array.flags.writeable:
        return array
    return read_only(array.reshape(-1))


class _BorrowedMemory(SlotTable):
    """Slots whose memory is taken for a run alone: ops of other sizes, one after the other, use the same."""

    def __init__(self, program: Program, from_both_ends: bool) -> None:
        both = from_both_ends
        super().__init__(program.threads, program.tables, program.slots, from_both_ends=both)
        sizes = {number: slot.size for number, slot in enumerate(program.slots) if slot.size}
        self.slots[:, [*sizes], 1] = [*sizes.values()]
        parts = [(n, *slot.part) for n, slot in enumerate(program.slots) if slot.part is not None]
        self.parts = np.array(parts, np.int64).reshape(-1, 4)
        self._numbers = [*sizes]
        # In bytes: memory that all share, then that of each thread.
        starts, self._size = [0] * len(sizes), 0
        places = np.zeros((program.threads, len(sizes)), np.int64)
        for thread in range(program.threads):
            for place, (number, size) in enumerate(sizes.items()):
                if program.slots[number].of_each_thread or thread == 0:
                    starts[place] = self._size
                    self._size += round_up(size, _LINE)
            places[thread] = starts
        self._places = _FLOAT32.itemsize * places

    def borrow(self) -> Array | None:
        """Let the slots be memory that is free; gives what holds it."""
        if not self._size:
            return None
        memory_of_a_run = memory.empty((self._size,), _FLOAT32)
        self.slots[:, self._numbers, 0] = memory_of_a_run.ctypes.data + self._places
        return memory_of_a_run
