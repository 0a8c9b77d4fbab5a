"""What the process of a file may take: set by the process for itself, before the file is run.

Where the platform has no such limits, as on Windows, there are none.
"""

from __future__ import annotations

import sys
from contextlib import suppress

_WRITTEN = 64 * 2**20  # bytes of a file
_MAPPED = 4  # times the memory: what a library maps from its file is not in memory yet


def limit(memory: int) -> None:
    """Hold this process, and each that it starts, to ``memory`` bytes, small files and no core dump."""
    if sys.platform == "win32":
        return
    import resource

    for name, most in (
        ("RLIMIT_DATA", memory),
        ("RLIMIT_AS", _MAPPED * memory),
        ("RLIMIT_FSIZE", _WRITTEN),
        ("RLIMIT_CORE", 0),
    ):
        if hasattr(resource, name):
            kind = getattr(resource, name)
            _, hard = resource.getrlimit(kind)
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            with suppress(OSError, ValueError):  # some systems know a name, and refuse it
                resource.setrlimit(kind, (least, least))
