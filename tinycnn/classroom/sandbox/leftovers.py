"""The end of a process and of all that it has started, wherever these have gone.

A process is started in a session of its own, which is ended whole. What has left the session is known
by a mark in its environment, where the system shows that (Linux, in /proc).
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

MARK = "TINYCNN_SANDBOX"  # the environment variable
_PASSES = 100  # of looking for what starts others faster than it is ended
_PAUSE = 0.005  # seconds in which a program that has just been started shows its environment


def end(process: subprocess.Popen[bytes], mark: str, since: float) -> None:
    """End ``process``, its session, and whatever has ``mark`` in its environment.

    ``since`` is a time before its start, as `now` gives it.
    """
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    for _ in range(_PASSES):
        marked, unknown = _others(f"{MARK}={mark}".encode(), since)
        for number in marked:
            with suppress(OSError):
                os.kill(number, signal.SIGKILL)
        if not marked and not unknown:
            break
        time.sleep(_PAUSE)
    process.wait()


def now() -> float:
    """Seconds since the system was started, by which Linux tells when a process was."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else 0.0


def _others(words: bytes, since: float) -> tuple[list[int], bool]:
    """The processes that have ``words`` in their environment; and whether one does not show its own yet."""
    marked, unknown = [], False
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):  # ended by now, or another user's
            environment = (entry / "environ").read_bytes()
            if words in environment:
                marked.append(int(entry.name))
            elif not environment and _begun(entry) >= since:
                unknown = True
    return marked, unknown


def _begun(entry: Path) -> float:
    """When a process was started; -1 for what runs no program: it has ended, or is the kernel's."""
    try:
        (entry / "exe").readlink()
    except OSError:
        return -1.0
    fields = (entry / "stat").read_text().rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")
