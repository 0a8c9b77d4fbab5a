"""The marks of a class: a row a file, as a table and as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinycnn.classroom.grading.grading import is_exercise
from tinycnn.classroom.grading.report import FunctionGrade, Grade
from tinycnn.classroom.grading.submissions import Submission
from tinycnn.classroom.sandbox.witness import beside
from tinycnn.tables import text_table

_HEAD = (
    "student", "file", "exercise", "passed", "cases", "verdict", "first failing", "mistake", "uses",
    "seconds",
)  # fmt: skip
# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"), and what makes it
# take a mark for text. Full-width signs are read as their narrow ones where Japanese is written.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_TEXT = "'"
_NAME, _FAILING = 24, 48  # characters in a terminal's table


@dataclass(frozen=True)
class Mark:
    """A file that was handed in, and its grade."""

    submission: Submission
    grade: Grade

    @property
    def verdict(self) -> str:
        """In a word: "passed", "not yet", "refused" for what ``strict`` forbids, "not graded"."""
        if self.grade.ok:
            return "passed"
        if self.grade.problem:
            return "not graded"
        return "refused" if self.grade.refused else "not yet"

    @property
    def first_failing(self) -> str:
        """The first case that fails, behind its function; what is wrong where nothing was graded."""
        function = self._failing
        if self.grade.problem or function is None:
            return self.grade.problem
        return f"{function.name}: {function.case}"

    @property
    def mistake(self) -> str:
        """What the failure looks like, or, where it looks like no known mistake, its words."""
        function = self._failing
        if function is None or function.failure is None:
            return ""
        return "; ".join(function.failure.looks_like) or function.failure.text

    @property
    def _failing(self) -> FunctionGrade | None:
        return next((one for one in self.grade.functions if not one.ok), None)

    def to_dict(self) -> dict[str, Any]:
        """Give the same as plain data, for JSON."""
        told = self.submission
        row = {"student": told.student, "path": str(told.path), "verdict": self.verdict}
        return {**row, **self.grade.to_dict()}


def handed_in(marks: Sequence[Mark]) -> list[Mark]:
    """Leave out a helper.py: a file that is no exercise, and that another of its folder has imported."""
    imported = {
        mark.submission.path.with_name(name) for mark in marks for name in beside(mark.grade.uses)
    }
    return [
        mark
        for mark in marks
        if mark.submission.path not in imported or is_exercise(mark.submission.path)
    ]


def marks_csv(marks: Sequence[Mark]) -> str:
    """The marks as CSV that spreadsheets open as it is meant, whatever the names are.

    It begins with a byte order mark, by which Excel knows UTF-8; text that a spreadsheet would take
    for a formula begins with an apostrophe.
    """
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(_HEAD)
    for mark in marks:
        writer.writerow(map(_cell, _row(mark)))
    return f"\ufeff{stream.getvalue()}"


def marks_table(marks: Sequence[Mark]) -> str:
    """The marks as text, and how many have passed."""
    head = ("student", "exercise", "verdict", "first failing", "cases", "seconds")
    body = [
        (
            _line(mark.submission.student, _NAME),
            mark.grade.exercise,
            mark.verdict,
            _line(mark.first_failing, _FAILING),
            f"{mark.grade.passed}/{mark.grade.total}",
            f"{mark.grade.seconds:.1f}",
        )
        for mark in marks
    ]
    passed = sum(mark.grade.ok for mark in marks)
    return f"{text_table(head, body, right=2)}\n\n{passed} of {len(marks)} passed."


def _row(mark: Mark) -> tuple[str | int | float, ...]:
    grade = mark.grade
    return (
        mark.submission.student, str(mark.submission.path), grade.exercise, grade.passed, grade.total,
        mark.verdict, mark.first_failing, mark.mistake, "; ".join(grade.uses), round(grade.seconds, 1),
    )  # fmt: skip


def _cell(value: str | int | float) -> str | int | float:
    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode()
        return _TEXT + value if value.startswith(_FORMULA) else value
    return value


def _line(text: str, width: int) -> str:
    """One line without a terminal's control characters, cut where it is longer."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return shown if len(shown) <= width else f"{shown[: width - 4]} ..."
