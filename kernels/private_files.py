"""Files of code: read only where nobody but the user can have written them, and written so.

A SHA-256 finds damage, not malice: whoever can write to a cache of code can run code as the user. So
directories and files must belong to the user or to root, and nobody else may write to them; what is
made here is private. Where a system tells no owners, none are asked for.
"""

from __future__ import annotations

import hashlib
import os
import stat
import uuid
from pathlib import Path

_LARGEST = 1 << 26  # bytes; a compiled kernel has half a million at most
# Opening a pipe would wait for somebody to write to it, a device may never end, and a link leads elsewhere.
_SAFELY = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def read(path: Path) -> bytes | None:
    """What `write` wrote; None if there is nothing, or if it is damaged or may be somebody else's.

    Raises PermissionError if somebody else may write to one of the two directories above it.
    """
    _expect_private(path.parent.parent)
    _expect_private(path.parent)
    try:
        file = os.open(path, os.O_RDONLY | _SAFELY)
    except OSError:
        return None
    with os.fdopen(file, "rb") as opened:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST or _is_foreign(found):
            return None
        data = opened.read(_LARGEST)
    checksum, payload = data[:32], data[32:]
    return payload if checksum == _checksum(path, payload) else None


def write(path: Path, payload: bytes) -> None:
    """Write beside, then replace: another process sees the old file or the new one, whole."""
    for directory in (path.parent.parent, path.parent):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _expect_private(directory)
    beside = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFELY, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(_checksum(path, payload) + payload)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _checksum(path: Path, payload: bytes) -> bytes:
    """Of the name too, so that a file serves under no other name."""
    return hashlib.sha256(f"{path.parent.name}/{path.name}\0".encode() + payload).digest()


def _expect_private(directory: Path) -> None:
    """Raise PermissionError if somebody else may write to ``directory``; one that is not there is fine.

    Directories above are not asked about: whoever may write there can put another one in its place, but
    none that belongs to the user.
    """
    try:
        found = directory.lstat()
    except OSError:
        return
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{directory} is no directory")
    if _is_foreign(found):
        mode = stat.filemode(found.st_mode)
        raise PermissionError(
            f"others may write to {directory} ({mode}, owner {found.st_uid}), and would run their code "
            f"as you; take it over, with chmod go-w"
        )


def _is_foreign(found: os.stat_result) -> bool:
    """Whether somebody else owns it, or may write to it."""
    if not hasattr(os, "geteuid"):
        return False
    others = stat.S_IWGRP | stat.S_IWOTH
    return found.st_uid not in (os.geteuid(), 0) or bool(found.st_mode & others)
