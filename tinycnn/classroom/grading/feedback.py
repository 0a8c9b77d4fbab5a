"""A report for each student, in a file of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tinycnn.classroom.grading.marks import Mark
from tinycnn.errors import FileError
from tinycnn.files import reason, write_text


def write_feedback(folder: str | Path, marks: Sequence[Mark]) -> None:
    """Write a text a file to ``folder``, named after the student; what it holds of that name is replaced."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{str(folder)!r} cannot be written: {reason(error)}") from error
    for mark, name in zip(marks, _names(marks), strict=True):
        write_text(Path(folder) / name, f"{mark.submission.student}\n\n{mark.grade}\n")


def _names(marks: Sequence[Mark]) -> Iterator[str]:
    """A name for each: the student's; where that is taken, the file's behind it, and then a number.

    Compared as a disk does that knows no capitals.
    """
    taken: set[str] = set()
    for mark in marks:
        student, stem = mark.submission.student, mark.submission.path.stem
        numbered = (f"{student}-{stem}-{number}" for number in range(2, len(marks) + 2))
        name = next(
            one for one in (student, f"{student}-{stem}", *numbered) if one.lower() not in taken
        )
        taken.add(name.lower())
        yield f"{name}.txt"
