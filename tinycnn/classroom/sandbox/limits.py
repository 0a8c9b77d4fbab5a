"""What the process of a file may take: set by the process for itself, before the file is run.

Where the platform has no such limits, as on Windows, there are none.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

_WRITTEN = 64 * 2**20  # bytes of a file
_PROCESSES = (
    200  # and threads, beside those that the user has; the system counts them for him alone
)
_MAPPED = 4  # times the memory: what a library maps from its file is not in memory yet


def limit(memory: int) -> None:
    """Hold this process, and each that it starts, to ``memory`` bytes, small files, few processes."""
    if sys.platform == "win32":
        return
    import resource

    for name, most in (
        ("RLIMIT_DATA", memory),
        ("RLIMIT_AS", _MAPPED * memory),
        ("RLIMIT_FSIZE", _WRITTEN),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NPROC", _running() + _PROCESSES),
    ):
        if hasattr(resource, name):
            kind = getattr(resource, name)
            _, hard = resource.getrlimit(kind)
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            with suppress(OSError, ValueError):  # some systems know a name, and refuse it
                resource.setrlimit(kind, (least, least))


def _running() -> int:
    """How many processes and threads this user has, as Linux counts them; a thousand where none are seen."""
    count = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended by now
            if entry.stat().st_uid == os.getuid():
                count += len(list((entry / "task").iterdir()))
    return count or 1000
