"""Kernel calls that were recorded, made by several threads without a return to Python in between.

Between two calls from Python a thread waits for the interpreter's lock, which another holds: as long
as a small layer takes. So the calls of a whole network are written down as numbers once, and each
thread reads them here.

A call is a row of whole numbers: the address of what calls the kernel (see `CALLERS`), then the arguments
in their order, tuples spelled out. In place of an array stands the number of its slot, and in place of the
products' ``jobs`` the range of rows in a table that all calls share. So only those kernels are compiled that
were recorded.
"""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.dense import PANEL, dense
from tinycnn.kernels.direct import direct_convolution
from tinycnn.kernels.function_pointers import call_at
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.max_pool_maps import max_pool
from tinycnn.kernels.microkernels import products_2, products_3, products_4
from tinycnn.kernels.offers import OWN, STOP
from tinycnn.kernels.shared_memory import atomic_add, atomic_load, floats_at, integers_at
from tinycnn.kernels.simd import pause, read_only
from tinycnn.kernels.softmax import softmax
from tinycnn.kernels.space_to_depth import space_to_depth
from tinycnn.kernels.window_convolution import window_convolution
from tinycnn.kernels.winograd import input_transform, output_transform

WIDTH = 28  # numbers of the longest call

# A phase's counters stand a cache line apart: tasks that have been taken, and that are done.
COUNTERS = 16
_DONE = 8
# Looks at what others have still to do, until a helper looks whether it is to stop.
_GLANCES = 200
# What `carry_out` has come to.
FINISHED, HAS_MORE, WAITS = 0, 1, 2


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
def carry_on(row: Any, most: int, spins: int) -> int:
    """`carry_out`, for a thread whose ``row`` has addresses and lengths of the arrays from OWN on.

    They are ``calls``, ``jobs``, ``tasks``, ``phases``, this thread's ``slots`` and ``counters``.
    """
    calls, jobs = _table(row, 0, WIDTH), _table(row, 1, 5)
    tasks, slots = _table(row, 2, 3), _table(row, 4, 4)
    phases, counters = _numbers(row, 3), _numbers(row, 5)
    return carry_out(calls, jobs, tasks, phases, slots, counters, most, spins)


@kernel
def carry_out(
    calls: Any, jobs: Any, tasks: Any, phases: Any, slots: Any, counters: Any, most: int, spins: int
) -> int:
    """Take tasks until there are none left; gives FINISHED, or HAS_MORE to do, or that it WAITS for others.

    ``calls`` (calls, WIDTH) and ``jobs`` (rows, 5) are what was recorded. A row of ``tasks`` is (first
    call, last call, image). Tasks ``phases[p]`` to ``phases[p + 1]`` are phase p: each task is done by
    one thread, in any order, and none begins before the phase before it is done. A row of this
    thread's ``slots`` is (address, floats, floats from image to image, floats of the last axis).
    ``counters`` (phases * COUNTERS,) begin at zero and are shared by all threads. Returns after ``most``
    tasks, or after so many ``spins`` of waiting for others, so that the caller may be interrupted; then it is
    to be called again.
    """
    for phase in range(len(phases) - 1):
        taken, done = phase * COUNTERS, phase * COUNTERS + _DONE
        count = phases[phase + 1] - phases[phase]
        while atomic_load(counters, taken) < count:
            if most == 0:
                return HAS_MORE
            task = atomic_add(counters, taken)
            if task < count:
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


@kernel
def _array(slots: Any, slot: int, image: int) -> Any:
    """The numbers of a slot from those of ``image`` on."""
    address, size, step = slots[slot, 0], slots[slot, 1], slots[slot, 2]
    return floats_at(address + 4 * image * step, size - image * step)


@kernel
def _panels(slots: Any, slot: int, image: int, K: int) -> Any:
    """A slot's numbers as panels of packed weights."""
    panels = read_only(_array(slots, slot, image))
    return panels.reshape(panels.size // (K * PANEL), K, PANEL)


@kernel
def _products(c: Any, jobs: Any, slots: Any, image: int) -> Any:
    """The arguments of a call of products."""
    a, b = read_only(_array(slots, c[3], image)), read_only(_array(slots, c[6], image))
    y, add = _array(slots, c[9], image), c[11] != 0
    return jobs[c[1] : c[2]], a, c[4], c[5], b, c[7], c[8], y, c[10], add


@kernel
def _products_2(c: Any, jobs: Any, slots: Any, image: int) -> None:
    products_2(*_products(c, jobs, slots, image))


@kernel
def _products_3(c: Any, jobs: Any, slots: Any, image: int) -> None:
    products_3(*_products(c, jobs, slots, image))


@kernel
def _products_4(c: Any, jobs: Any, slots: Any, image: int) -> None:
    products_4(*_products(c, jobs, slots, image))


@kernel
def _output_transform(c: Any, jobs: Any, slots: Any, image: int) -> None:
    output_transform(
        _array(slots, c[1], image), c[2], (c[3], c[4], c[5], c[6], c[7], c[8], c[9]), c[10], c[11],
        read_only(_array(slots, c[12], image)), c[13] != 0,
        _array(slots, c[14], image), c[15], c[16], c[17], c[18], c[19], c[20],
        _array(slots, c[21], image),
    )  # fmt: skip


@kernel
def _input_transform(c: Any, jobs: Any, slots: Any, image: int) -> None:
    input_transform(
        read_only(_array(slots, c[1], image)), c[2], c[3], c[4], c[5],
        (c[6], c[7], c[8], c[9], c[10], c[11], c[12]), c[13], c[14], c[15], c[16], c[17], c[18],
        _array(slots, c[19], image), c[20], _array(slots, c[21], image), c[22] != 0,
    )  # fmt: skip


@kernel
def _max_pool(c: Any, jobs: Any, slots: Any, image: int) -> None:
    max_pool(
        read_only(_array(slots, c[1], image)), (c[2], c[3], c[4], c[5]), (c[6], c[7]), c[8], c[9],
        (c[10], c[11]), (c[12], c[13]), (c[14], c[15]), (c[16], c[17]), c[18],
        _array(slots, c[19], image), (c[20], c[21], c[22], c[23]), (c[24], c[25]),
    )  # fmt: skip


@kernel
def _space_to_depth(c: Any, jobs: Any, slots: Any, image: int) -> None:
    space_to_depth(
        read_only(_array(slots, c[1], image)), (c[2], c[3], c[4], c[5]), (c[6], c[7]), c[8], c[9],
        c[10], (c[11], c[12]), (c[13], c[14]), _array(slots, c[15], image),
        (c[16], c[17], c[18], c[19]), (c[20], c[21]),
    )  # fmt: skip


@kernel
def _dense(c: Any, jobs: Any, slots: Any, image: int) -> None:
    dense(
        read_only(_array(slots, c[1], image)), c[2], c[3], c[4],
        read_only(_array(slots, c[5], image)), slots[c[6], 3],
        read_only(_array(slots, c[7], image)), c[8] != 0, c[9], c[10], _array(slots, c[11], image), c[12],
    )  # fmt: skip


@kernel
def _softmax(c: Any, jobs: Any, slots: Any, image: int) -> None:
    softmax(read_only(_array(slots, c[1], image)), c[2], c[3], c[4], _array(slots, c[5], image))


@kernel
def _direct_convolution(c: Any, jobs: Any, slots: Any, image: int) -> None:
    panels = _panels(slots, c[15], image, c[9] * c[10] * c[6])
    direct_convolution(
        read_only(_array(slots, c[1], image)), (c[2], c[3], c[4], c[5]), c[6], c[7], c[8],
        (c[9], c[10]), (c[11], c[12]), (c[13], c[14]), panels,
        read_only(_array(slots, c[16], image)), c[17] != 0, c[18], c[19],
        _array(slots, c[20], image), (c[21], c[22], c[23], c[24]), (c[25], c[26]), c[27],
    )  # fmt: skip


@kernel
def _window_convolution(c: Any, jobs: Any, slots: Any, image: int) -> None:
    window_convolution(
        read_only(_array(slots, c[1], image)), (c[2], c[3], c[4]),
        read_only(_array(slots, c[5], image)), read_only(_array(slots, c[6], image)), c[7], c[8] != 0,
        c[9], c[10], (c[11], c[12]), (c[13], c[14]), (c[15], c[16]), (c[17], c[18]),
        _array(slots, c[19], image), (c[20], c[21], c[22], c[23]), (c[24], c[25]),
    )  # fmt: skip


# What calls each kernel with the arguments of a row.
CALLERS = {
    products_2: _products_2, products_3: _products_3, products_4: _products_4,
    output_transform: _output_transform, input_transform: _input_transform, max_pool: _max_pool,
    space_to_depth: _space_to_depth, dense: _dense, softmax: _softmax,
    direct_convolution: _direct_convolution, window_convolution: _window_convolution,
}  # fmt: skip
