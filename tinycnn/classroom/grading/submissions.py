"""The files that a class has handed in: found in folders, each with its student's name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinycnn.errors import FileError
from tinycnn.files import is_folder, is_there, shown


@dataclass(frozen=True)
class Submission:
    """A file, and who handed it in: the folder that it is in, or else its own name."""

    student: str
    path: Path


def submissions(sources: Sequence[str | Path]) -> list[Submission]:
    """Find the Python files among ``sources``: files, and folders with all that is in them.

    Raises FileError for what does not exist. A folder of ``sources`` may hold files, a student each,
    or a folder a student.
    """
    return [one for source in map(Path, sources) for one in _in(source)]


def _in(source: Path) -> Iterator[Submission]:
    if is_folder(source):
        for path in sorted(_python_files(source)):
            inside = path.relative_to(source)
            yield Submission(shown(inside.parts[0] if len(inside.parts) > 1 else path.stem), path)
    elif is_there(source):
        yield Submission(shown(source.stem), source)
    else:
        raise FileError(f"there is no file or folder {str(source)!r}")


def _python_files(folder: Path) -> Iterator[Path]:
    """All of a folder but what systems and editors leave there: .git, __pycache__, __MACOSX, ._x.py."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        yield from (
            Path(place) / name
            for name in files
            if name.lower().endswith(".py") and not name.startswith(".")
        )
