"""The grade of an exercise: what passes, what fails, and the smallest input on which it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tinycnn.classroom.grading.data import function_data
from tinycnn.classroom.grading.html import html_report
from tinycnn.classroom.grading.judging import Failure
from tinycnn.classroom.grading.text import report_lines

PASSES, FAILS, NOT_BEGUN, NOT_TRIED = "passes", "fails", "not begun", "not tried"


@dataclass(frozen=True)
class CaseGrade:
    """A case: whether it passes, fails, is not begun or was not tried any more; the failure in words."""

    name: str
    status: str
    text: str = ""


@dataclass(frozen=True)
class FunctionGrade:
    """A function: its cases, from easy to hard, and the first failure on its smallest input."""

    name: str
    cases: tuple[CaseGrade, ...]
    case: str = ""  # the case that the failure belongs to
    failure: Failure | None = None

    @property
    def ok(self) -> bool:
        """Whether all its cases pass."""
        return all(case.status == PASSES for case in self.cases)


@dataclass(frozen=True)
class Grade:
    """What became of an exercise.

    ``problem`` says why nothing could be graded, "" if it could; ``uses`` what was used beyond NumPy and
    the standard library, which ``strict`` forbids; ``output`` what a file printed that cannot be run.
    """

    exercise: str
    file: str
    functions: tuple[FunctionGrade, ...] = ()
    problem: str = ""
    uses: tuple[str, ...] = ()
    strict: bool = False
    output: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything passes."""
        return (
            self.total > 0 and self.passed == self.total and not self.problem and not self.refused
        )

    @property
    def refused(self) -> bool:
        """Whether it uses what it may not."""
        return self.strict and bool(self.uses)

    @property
    def passed(self) -> int:
        """How many cases pass."""
        return sum(case.status == PASSES for case in self._cases)

    @property
    def total(self) -> int:
        """How many cases there are, 0 where nothing could be graded."""
        return len(self._cases)

    @property
    def _cases(self) -> list[CaseGrade]:
        return [case for function in self.functions for case in function.cases]

    @property
    def verdict(self) -> str:
        """One line: whether it passes, and how many cases do."""
        if not self.total:
            return "NOT YET."
        cases = f"{self.passed} of {self.total} cases pass"
        if self.refused:
            return f"NOT YET: {cases}, but it uses more than NumPy and the standard library."
        return f"{'PASSED' if self.ok else 'NOT YET'}: {cases}."

    @property
    def used(self) -> str:
        """What it uses, as a sentence; "" where that is NumPy and the standard library alone."""
        return (
            f"Beyond NumPy and the standard library it uses {', '.join(self.uses)}."
            if self.uses
            else ""
        )

    def taking(self, seconds: float) -> Grade:
        """Give the same with the time that grading took."""
        return replace(self, seconds=seconds)

    def __str__(self) -> str:
        return "\n".join(report_lines(self))

    def _repr_html_(self) -> str:
        return html_report(self)

    def to_dict(self) -> dict[str, Any]:
        """Give the same as plain data, for JSON."""
        return {
            "exercise": self.exercise,
            "file": self.file,
            "ok": self.ok,
            "passed": self.passed,
            "total": self.total,
            "problem": self.problem,
            "uses": list(self.uses),
            "output": self.output,
            "seconds": round(self.seconds, 3),
            "functions": [function_data(function) for function in self.functions],
        }
