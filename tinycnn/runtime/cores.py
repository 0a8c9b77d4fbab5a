"""How many cores this process may use: by its affinity, and by the quotas of its control groups.

A container with a quota sees every core of its machine, but may use them only a part of the time. What is
used beyond that, by more threads, is taken away at once from all of them: they stand still together.

Source: the kernel's documentation, "Control Group v2" (cpu.max), "CFS Bandwidth Control" (version 1), and
proc(5) for the files of a process.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple


def cores() -> int:
    """Cores that this process may use, at least 1; a quota of one core and a half counts as two."""
    known = hasattr(os, "sched_getaffinity")
    found = len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1
    quota = own_quota()
    return found if quota is None else min(found, quota)


@cache
def own_quota(process: Path = Path("/proc/self")) -> int | None:
    """Cores that the control groups of a process allow it, rounded up; None without a limit.

    Each group is bounded by those around it too. Read once: to open files for each operation would cost
    more than a small one. What can't be read, or read as a limit, is none.
    """
    return min((-(-spent // period) for spent, period in _limits(process)), default=None)


def _limits(process: Path) -> Iterator[tuple[int, int]]:
    """All limits that hold for a process, as microseconds of one core in a period of microseconds."""
    mounts = [mount for line in _lines(process / "mountinfo") if (mount := _Mount.of(line))]
    for line in _lines(process / "cgroup"):
        controllers, _, path = line.partition(":")[2].partition(":")
        for mount in mounts:
            if mount.controllers is None if controllers == "" else mount.has_cpu(controllers):
                for folder in mount.folders(path):
                    limit = _limit(folder)
                    if limit is not None:
                        yield limit


class _Mount(NamedTuple):
    """Where a hierarchy of control groups is seen, from the group ``root`` down."""

    root: PurePosixPath
    point: Path
    controllers: set[str] | None  # None: version 2, which has all in one

    @classmethod
    def of(cls, line: str) -> _Mount | None:
        """Read a line of mountinfo."""
        mount, _, kind = line.partition(" - ")
        places, kinds = mount.split(" "), kind.split(" ")
        if len(places) < 5 or len(kinds) < 3 or kinds[0] not in ("cgroup", "cgroup2"):
            return None
        root, point = map(_unescaped, places[3:5])
        controllers = None if kinds[0] == "cgroup2" else set(kinds[2].split(","))
        return cls(PurePosixPath(root), Path(point), controllers)

    def has_cpu(self, controllers: str) -> bool:
        """Whether this is the hierarchy of version 1 of a process's ``controllers``, cpu among them."""
        return "cpu" in controllers.split(",") and "cpu" in (self.controllers or ())

    def folders(self, path: str) -> Iterator[Path]:
        """The folders of group ``path`` and all around it, as far as they are seen here."""
        try:
            inside = PurePosixPath(path).relative_to(self.root)
        except ValueError:  # the group's name outside the container; seen here is what contains it
            inside = PurePosixPath()
        yield self.point / inside
        for outer in inside.parents:
            yield self.point / outer


def _limit(folder: Path) -> tuple[int, int] | None:
    """The limit that a group's files state, of either version."""
    words = " ".join(_lines(folder / "cpu.max")).split()
    if not words:
        words = [
            word for name in ("quota", "period") for word in _lines(folder / f"cpu.cfs_{name}_us")
        ]
    if len(words) != 2 or not all(re.fullmatch("0*[1-9][0-9]{0,17}", word) for word in words):
        return None  # "max" in version 2, -1 in version 1
    return int(words[0]), int(words[1])


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").split("\n")[:-1]
    except OSError:
        return []


def _unescaped(word: str) -> str:
    """A word of mountinfo, where blanks and the like are written as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), word)
