"""A watch over a process that is asked: ends the wait where it answers too late, or not any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread

_STEP = 0.05  # seconds between two looks


class Watch:
    """Calls ``stop`` once the time of `within` is over, ``late`` then tells; or nobody is there any more.

    The end of a process alone does not end the wait: what it has left running may hold its pipes.
    """

    def __init__(self, stop: Callable[[], None], alive: Callable[[], bool]) -> None:
        self.late = False
        self._stop = stop
        self._alive = alive
        self._deadline: float | None = None
        self._closed = Event()
        Thread(target=self._look, daemon=True).start()

    def within(self, seconds: float) -> None:
        """Begin to count."""
        self._deadline = time.monotonic() + seconds

    def done(self) -> None:
        """It is in time."""
        self._deadline = None

    def close(self) -> None:
        """Watch no longer."""
        self._closed.set()

    def _look(self) -> None:
        while not self._closed.wait(_STEP):
            deadline = self._deadline
            if deadline is None:
                continue
            self.late = time.monotonic() > deadline
            if self.late or not self._alive():
                self._stop()
                return
