"""The source files of this folder, this one included, and one hash for all of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent

# The path of a file, its size, and when it and what is known of it were changed.
_File = tuple[str, int, int, int]


def hash_now() -> str:
    """The hash of the files as they are; they are read again when one of them was changed."""
    return _remembered_hash(tuple(sorted(_files(FOLDER))))


def _files(folder: str | Path) -> Iterator[_File]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            elif entry.name.endswith(".py") and entry.is_file():
                state = entry.stat()
                yield entry.path, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _hash_of(files: tuple[_File, ...]) -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(path) for path, *_ in files):
        source = path.read_bytes()
        digest.update(f"{path.relative_to(FOLDER).as_posix()}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()


_remembered_hash = cache(_hash_of)
