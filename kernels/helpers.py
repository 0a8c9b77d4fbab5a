"""Helper threads that begin to work for a caller, and a caller that waits for them, without locks.

``state`` (helpers + 1,) says of each helper whether it is ASKED, WORKING or has LEFT; its last number is 1
once nobody shall begin anything further. Each step is one call of compiled code: a signal in Python finds
it done or not begun.
"""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.shared_memory import atomic_load, compare_exchange
from tinycnn.kernels.simd import pause

ASKED, WORKING, LEFT = 0, 1, 2
# Pauses, three microseconds or so, in which another thread gives the interpreter's lock away.
GRACE = 200


@kernel
def begin_helping(state: Any, helper: int) -> bool:
    """Let a helper that is asked begin to work; False if it comes too late."""
    return compare_exchange(state, helper, ASKED, WORKING)


@kernel
def wait_for_helpers(state: Any, stop: bool, spins: int) -> bool:
    """Let no helper begin any more, and wait until those that work have left; with ``stop`` they leave soon.

    False if some still work after so many ``spins``; below zero, it waits until all have left.
    """
    helpers = len(state) - 1
    if stop:
        state[helpers] = 1
    for helper in range(helpers):
        compare_exchange(state, helper, ASKED, LEFT)
    for helper in range(helpers):
        while atomic_load(state, helper) != LEFT:
            if spins == 0:
                return False
            spins -= 1
            pause()
    if helpers:  # whoever was seen to have left is in Python for a moment
        for _ in range(GRACE):
            pause()
    return True
