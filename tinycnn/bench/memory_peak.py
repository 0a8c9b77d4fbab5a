"""The most memory that this process has held resident, from a moment on. Linux tells it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass
class Peak:
    """Resident bytes before and at their peak, and how these were found."""

    before: int
    peak: int = 0
    by: str = "VmHWM"


def is_told() -> bool:
    """Whether the system says what a process's peak was."""
    return _STATUS.exists()


@contextmanager
def watch() -> Iterator[Peak]:
    """Watch the ``with`` block; its peak stands in what this gives, once it has ended.

    Everything resident counts: arrays, code, what libraries hold.
    """
    seen = Peak(_resident("VmRSS"))
    try:
        _CLEAR.write_text("5")  # the system's high-water mark starts again from what there is now
    except OSError:
        seen.by = "sampling"
    done = threading.Event()
    samples = [seen.before]

    def sample() -> None:
        while not done.is_set():
            samples.append(_resident("VmRSS"))
            time.sleep(0.001)

    thread = threading.Thread(target=sample)
    if seen.by == "sampling":
        thread.start()
    try:
        yield seen
    finally:
        done.set()
        if seen.by == "sampling":
            thread.join()
            seen.peak = max(samples)
        else:
            seen.peak = _resident("VmHWM")


def _resident(field: str) -> int:
    lines = _STATUS.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))
