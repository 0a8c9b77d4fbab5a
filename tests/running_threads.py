"""Threads of this process, whoever started them."""

import _thread
import time

SECONDS = 60  # a guard against hanging, never reached


def running():
    """How many there are besides the main one."""
    return _thread._count()


def wait_for_others(before):
    """Wait until there are no more than ``before``."""
    end = time.monotonic() + SECONDS
    while running() > before:
        assert time.monotonic() < end, f"{running()} threads are left of {before}"
        time.sleep(0)  # to let them go on
