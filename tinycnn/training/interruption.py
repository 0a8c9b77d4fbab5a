"""Ctrl-C while a network is trained: the step is finished and saved; a second one ends at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType


class Interruption:
    """While it is entered, the first Ctrl-C calls ``stop`` and no more; ``pressed`` then says so.

    Only in the main thread, and where Ctrl-C does what it does in Python by itself: a handler that somebody
    has put there is left alone. Behind the first one that default is back.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._is_set = False
        self.pressed = False

    def __enter__(self) -> Interruption:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._is_set = True
            signal.signal(signal.SIGINT, self._press)
        return self

    def _press(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.pressed = True
        self._stop()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_set:
            signal.signal(signal.SIGINT, signal.default_int_handler)
