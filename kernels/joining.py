"""Helpers that join a caller's work, and a caller that sees them out, without locks.

``state`` (helpers + 1,) says where each helper is: ASKED, JOINED or LEFT; its last number is 1 once nobody
shall begin anything further. Each step is one call of compiled code: a signal in Python finds it done or
not begun.
"""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.shared_memory import atomic_load, compare_exchange
from tinycnn.kernels.simd import pause

ASKED, JOINED, LEFT = 0, 1, 2


@kernel
def join(state: Any, helper: int) -> bool:
    """Let a helper join; False if it comes too late."""
    return compare_exchange(state, helper, ASKED, JOINED)


@kernel
def see_out(state: Any, stop: bool, looks: int) -> bool:
    """Let nobody join any more, and wait until those who did have left; with ``stop`` they leave soon.

    False if some are left after so many ``looks``; below zero, it looks until all have left.
    """
    helpers = len(state) - 1
    if stop:
        state[helpers] = 1
    for helper in range(helpers):
        compare_exchange(state, helper, ASKED, LEFT)
    for helper in range(helpers):
        while atomic_load(state, helper) != LEFT:
            if looks == 0:
                return False
            looks -= 1
            pause()
    return True
