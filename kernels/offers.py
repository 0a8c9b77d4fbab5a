"""Work that is offered to helper threads which look for it: begun and ended without a return to Python.

A thread that sleeps, or waits for the interpreter's lock, loses some tens of microseconds, as long as a small
network takes. One that looks for work in compiled code begins within a fraction of one.

A ``board`` has LINE numbers for each helper, a cache line or two: what it is at, or the ticket of an offer,
and the address and size of what it was offered. That is a row of whole numbers: the address of the code
that does it (see `function_pointers`), whether it is to STOP, the TICKET (0: not offered), whose it is,
whether that HELPER has LEFT it; from OWN on they are the code's own. No ticket is given twice.
"""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.function_pointers import call_at
from tinycnn.kernels.helpers import GRACE
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.shared_memory import atomic_add, atomic_load, compare_exchange, integers_at
from tinycnn.kernels.simd import pause

LINE = 16
# What a helper is at.
SLEEPS, LOOKS, RESERVED, WORKS, FIRST_TICKET = range(5)
_ADDRESS, _SIZE = 1, 2
# Places in a row.
CODE, STOP, TICKET, HELPER, LEFT, OWN = range(6)


@kernel
def offer(rows: Any, tickets: Any, board: Any) -> int:
    """Offer a row each to helpers that look for work; gives to how many.

    ``tickets`` (1,) is the last ticket, at least FIRST_TICKET - 1.
    """
    offered = 0
    for helper in range(len(board) // LINE):
        if offered == len(rows):
            break
        at = helper * LINE
        if compare_exchange(board, at, LOOKS, RESERVED):
            row = rows[offered]
            row[STOP], row[LEFT], row[HELPER] = 0, 0, helper
            row[TICKET] = atomic_add(tickets, 0) + 1
            board[at + _ADDRESS], board[at + _SIZE] = row.ctypes.data, row.size
            compare_exchange(board, at, RESERVED, row[TICKET])
            offered += 1
    return offered


@kernel
def withdraw(board: Any, rows: Any, stop: bool, spins: int) -> bool:
    """Take back what nobody has begun, and wait until the helpers have left the rest; with ``stop`` soon.

    False if some still work after so many ``spins``; below zero, it waits until all have left.
    """
    for number in range(len(rows)):
        row = rows[number]
        ticket = row[TICKET]
        if ticket == 0:
            continue
        if not compare_exchange(board, row[HELPER] * LINE, ticket, LOOKS):
            if stop:
                row[STOP] = 1
            while not atomic_load(row, LEFT):
                if spins == 0:
                    return False
                spins -= 1
                pause()
        row[TICKET] = 0
    return True


@kernel
def look_for_work(board: Any, helper: int, calls: Any, seen: int, spins: int) -> bool:
    """Do what is offered, until ``calls`` (1,), which only grows, is above ``seen``: then True.

    False after so many ``spins`` without an offer or a call.
    """
    at, left = helper * LINE, spins
    compare_exchange(board, at, SLEEPS, LOOKS)
    while True:
        state = atomic_load(board, at)
        if state >= FIRST_TICKET and compare_exchange(board, at, state, WORKS):
            row = integers_at(board[at + _ADDRESS], board[at + _SIZE])
            table = row.reshape(1, row.size)
            call_at(row[CODE], row, table, table, helper)
            compare_exchange(row, LEFT, 0, 1)
            compare_exchange(board, at, WORKS, LOOKS)
            left = spins
        called = atomic_load(calls, 0) > seen
        if (called or left == 0) and compare_exchange(board, at, LOOKS, SLEEPS):
            break
        left -= left != 0
        pause()
    if called:  # whoever called leaves Python for compiled code now
        for _ in range(GRACE):
            pause()
    return called
