"""What a file prints, kept in a file and read in part."""

from __future__ import annotations

import os
from pathlib import Path

_KEPT = 2000  # characters: a screen
_MOST = 2**20  # bytes, of all calls so far


class Output:
    """What was printed since the last `begin`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream = path.open("ab+", buffering=0)  # whatever is written is appended
        self._start = 0

    def fileno(self) -> int:
        """The file, as a process's standard error."""
        return self._stream.fileno()

    def begin(self) -> None:
        """Forget what was printed so far."""
        self._start = self._stream.seek(0, os.SEEK_END)
        if self._start > _MOST:
            self._start = self._stream.truncate(0)

    def read(self) -> str:
        """Give it, its end left out where it is long, and a terminal's control characters."""
        self._stream.seek(self._start)
        return shortened(self._stream.read(4 * _KEPT + 1).decode("utf-8", "replace"))

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def shortened(text: str) -> str:
    """Give the beginning of a text that may be long, without a terminal's control characters."""
    lines = text.replace("\r\n", "\n").replace("\t", "    ")
    shown = "".join(sign if sign == "\n" or sign.isprintable() else "�" for sign in lines[:_KEPT])
    return shown if len(lines) <= _KEPT else f"{shown} ..."
