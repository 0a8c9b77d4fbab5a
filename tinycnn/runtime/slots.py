"""The slots of recorded calls: what stands in place of arrays, and where their numbers are in a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tinycnn.arrays import Array, row_major
from tinycnn.kernels.function_pointers import address_of
from tinycnn.kernels.offers import CODE, OWN, withdraw
from tinycnn.kernels.recorded_calls import ANY, COUNTERS, FIRST, LAST, help_carry_out
from tinycnn.runtime.held import NamedArrays

Tables = tuple[Array, Array, Array, Array]  # calls, jobs, tasks and phases, see `carry_out`


@dataclass(frozen=True)
class PackedSource:
    """Where the numbers of a slot come from: an attribute of what ``make`` packs for ``key``.

    In a version's first run that is, unless it is None, what ``at_first`` gives.
    """

    key: Any
    make: Callable[[NamedArrays], Any]
    attribute: str
    at_first: Callable[[NamedArrays], Any]


class SlotPart(NamedTuple):
    """The ``floats`` of another slot, number ``whole``, from the ``first`` on."""

    whole: int
    first: int
    floats: int


@dataclass
class SlotMemory:
    """The floats of a slot: how many, how far from image to image, and whose; or ``constant`` ones."""

    size: int
    step: int = 0
    of_each_thread: bool = False
    packed: PackedSource | None = None
    part: SlotPart | None = None
    constant: Array | None = None


class SlotTable:
    """Of each slot, for each of the ``threads``: address, size and step, and counters of what is done."""

    def __init__(
        self,
        threads: int,
        tables: Tables,
        slots: Sequence[SlotMemory],
        *,
        from_both_ends: bool = False,
    ) -> None:
        # (threads, slots, 4), as `recorded_calls.carry_out` reads it.
        self._is_ready = False
        self.slots = np.zeros((threads, len(slots), 4), np.int64)
        self.slots[:, :, 2] = [slot.step for slot in slots]
        self._tables, self._from_both_ends = tables, from_both_ends
        self._constants = [slot.constant for slot in slots]  # that stay while slots point at them
        for number, array in enumerate(self._constants):
            if array is not None:
                self.point(number, array)
        self._counters = np.zeros((len(tables[3]) - 1) * COUNTERS, np.int64)
        self.rows = np.array([self._row(thread) for thread in range(threads)], np.int64)
        self.offered = self.rows[1:]  # to helpers

    def point(self, number: int, array: Array, thread: int | None = None) -> None:
        """Let a slot be ``array``, for one thread or for all."""
        where = slice(None) if thread is None else thread
        flat, _ = row_major(array)
        self.slots[where, number, :2] = flat.ctypes.data, flat.size
        self.slots[where, number, 3] = array.shape[-1]

    def make_offers(self, board: Array) -> None:
        """Make ready what helpers are offered: what that takes is compiled when it is first wanted."""
        if not self._is_ready:
            withdraw(board, self.offered, False, 0)  # before anybody depends on it
            self.offered[:, CODE] = address_of(help_carry_out)
            self._is_ready = True

    def _row(self, thread: int) -> list[int]:
        """What a thread works from, see `carry_on`; a helper is offered it."""
        arrays = *self._tables, self.slots[thread], self._counters
        row = [0] * OWN
        row += [number for array in arrays for number in (array.ctypes.data, array.size)]
        return [*row, (FIRST if thread == 0 else LAST) if self._from_both_ends else ANY]
