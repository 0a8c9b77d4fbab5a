"""A watch over a process: ends it where it does not answer in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread

_STEP = 0.05  # seconds between two looks


class Watch:
    """Calls ``stop`` once the time of `within` is over; ``late`` then tells that it has."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self.late = False
        self._stop = stop
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
            if deadline is not None and time.monotonic() > deadline:
                self.late = True
                self._stop()
                return
