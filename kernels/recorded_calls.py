"""Kernel calls that were recorded, made by several threads without a return to Python in between.

Between two calls from Python a thread waits for the interpreter's lock, which another holds: as long
as a small layer takes. So the calls of a whole network are written down as numbers once, and each
thread reads them here.

A call is a row of whole numbers: the address of what calls the kernel (see `callers`), then the arguments
in their order, tuples spelled out. In place of an array stands the number of its slot, and in place of the
products' ``jobs`` the range of rows in a table that all calls share. So only those kernels are compiled that
were recorded.
"""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.function_pointers import call_at
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.offers import OWN, STOP, offer, withdraw
from tinycnn.kernels.shared_memory import atomic_add, atomic_load, integers_at
from tinycnn.kernels.simd import pause

WIDTH = 36  # numbers of the longest call

# A phase's counters stand a cache line apart: tasks that have been taken, and that are done.
COUNTERS = 16
_DONE = 8
# Which tasks a thread takes: the next one, or from an end on; all threads of a run do the one or the other.
ANY, FIRST, LAST = range(3)
# Looks at what others have still to do, until a helper looks whether it is to stop.
_GLANCES = 200
# What `carry_out` has come to; and `run_shared`, where nobody looks for work: nothing is done.
FINISHED, HAS_MORE, WAITS, ALONE = range(4)


@kernel
def run_alone(x: Any, out: Any, rows: Any, most: int, spins: int) -> int:
    """`begin`, and `carry_on` with the first row: one call from Python takes as long as a small layer."""
    begin(x, out, rows)
    return carry_on(rows[0], most, spins)


@kernel
def run_shared(x: Any, out: Any, rows: Any, tickets: Any, board: Any, most: int, spins: int) -> int:
    """The same, with the other rows offered to helpers, see `offers`; ALONE if none looks for work.

    FINISHED if they have left theirs too.
    """
    begin(x, out, rows)
    others = rows[1:]
    if not offer(others, tickets, board):
        return ALONE
    left = carry_on(rows[0], most, spins)
    if left == FINISHED and not withdraw(board, others, False, spins):
        return WAITS
    return left


@kernel
def begin(x: Any, out: Any, rows: Any) -> None:
    """Make ready for a run: slot 0 of each thread is ``x``, slot 1 ``out``, both flat, and nothing is done.

    ``rows`` has a row for each thread, see `carry_on`; their counters are the same.
    """
    for thread in range(len(rows)):
        slots = _table(rows[thread], 4, 4)
        slots[0, 0], slots[0, 1] = x.ctypes.data, x.size
        slots[1, 0], slots[1, 1] = out.ctypes.data, out.size
    if len(rows):
        counters = _numbers(rows[0], 5)
        counters[:] = 0


@kernel
def hold(array: Any, slot: int, rows: Any) -> None:
    """Let ``slot`` of each thread be ``array``, flat, for a run."""
    for thread in range(len(rows)):
        slots = _table(rows[thread], 4, 4)
        slots[slot, 0], slots[slot, 1] = array.ctypes.data, array.size


@kernel
def hold_parts(parts: Any, rows: Any) -> None:
    """Let slots of each thread be parts of others, for a run.

    A row of ``parts`` (parts, 4) is (slot, that of which it is a part, its first float there, floats).
    """
    for thread in range(len(rows)):
        slots = _table(rows[thread], 4, 4)
        for part in range(len(parts)):
            slot, whole, first, floats = parts[part]
            slots[slot, 0], slots[slot, 1] = slots[whole, 0] + 4 * first, floats


@kernel
def carry_on(row: Any, most: int, spins: int) -> int:
    """`carry_out`, for a thread whose ``row`` has addresses and lengths of the arrays from OWN on.

    They are ``calls``, ``jobs``, ``tasks``, ``phases``, this thread's ``slots`` and ``counters``; after them
    comes ``end``.
    """
    calls, jobs = _table(row, 0, WIDTH), _table(row, 1, 5)
    tasks, slots = _table(row, 2, 3), _table(row, 4, 4)
    phases, counters = _numbers(row, 3), _numbers(row, 5)
    return carry_out(calls, jobs, tasks, phases, slots, counters, most, spins, row[OWN + 12])


@kernel
def carry_out(
    calls: Any, jobs: Any, tasks: Any, phases: Any, slots: Any, counters: Any, most: int, spins: int,
    end: int = ANY,
) -> int:  # fmt: skip
    """Take tasks until there are none left; gives FINISHED, or HAS_MORE to do, or that it WAITS for others.

    ``calls`` (calls, WIDTH) and ``jobs`` (rows, 5) are what was recorded. A row of ``tasks`` is (first
    call, last call, image). Tasks ``phases[p]`` to ``phases[p + 1]`` are phase p: each task is done by
    one thread, in any order, and none begins before the phase before it is done. A row of this
    thread's ``slots`` is (address, floats, floats from image to image, floats of the last axis).
    ``counters`` (phases * COUNTERS,) begin at zero and are shared by all threads. Returns after ``most``
    tasks, or after so many ``spins`` of waiting for others, so that the caller may be interrupted; then it is
    to be called again. Where one thread begins at the FIRST task and the others at the LAST ``end``, each
    finds in its cache what it worked on in the run before.
    """
    for phase in range(len(phases) - 1):
        taken, done = phase * COUNTERS, phase * COUNTERS + _DONE
        count = phases[phase + 1] - phases[phase]
        while atomic_load(counters, taken) < count:
            if most == 0:
                return HAS_MORE
            task = atomic_add(counters, taken)
            if task < count:
                if end == FIRST:
                    task = atomic_add(counters, taken + FIRST)
                elif end == LAST:
                    task = count - 1 - atomic_add(counters, taken + LAST)
                first, last, image = tasks[phases[phase] + task]
                for call in range(first, last):
                    call_at(calls[call, 0], calls[call], jobs, slots, image)
                atomic_add(counters, done)
                most -= 1
        spun = 0
        while atomic_load(counters, done) < count:
            if spun >= spins:
                return WAITS
            spun += 1
            pause()
    return FINISHED


@kernel
def help_carry_out(row: Any, first: Any, second: Any, helper: int) -> None:
    """What a helper does with a row that it is offered, see `offers`."""
    while not atomic_load(row, STOP):
        if carry_on(row, 1, _GLANCES) == FINISHED:
            break


@kernel
def _numbers(row: Any, number: int) -> Any:
    return integers_at(row[OWN + 2 * number], row[OWN + 2 * number + 1])


@kernel
def _table(row: Any, number: int, width: int) -> Any:
    numbers = _numbers(row, number)
    return numbers.reshape(numbers.size // width, width)
