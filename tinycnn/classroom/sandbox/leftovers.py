"""The end of a process and of all that it has started, wherever these have gone.

A process is started in a session of its own, which is ended whole. What has left the session is known
by a mark in its environment, where the system shows that (Linux).
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = "TINYCNN_SANDBOX"  # the environment variable
_PASSES = 100  # of looking for what starts others faster than it is ended


def end(process: subprocess.Popen[bytes], mark: str) -> None:
    """End ``process``, its session, and whatever has ``mark`` in its environment."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    for _ in range(_PASSES):
        marked = list(_marked(f"{MARK}={mark}".encode()))
        for number in marked:
            with suppress(OSError):
                os.kill(number, signal.SIGKILL)
        if not marked:
            break
    process.wait()


def _marked(words: bytes) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended by now, or another user's
            if words in (entry / "environ").read_bytes():
                yield int(entry.name)
