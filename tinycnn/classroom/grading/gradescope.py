"""Grades as Gradescope reads them: results.json, as its autograder specification has it.

https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tinycnn.classroom.grading.report import PASSES, CaseGrade, FunctionGrade, Grade
from tinycnn.classroom.grading.text import explanation


def gradescope_results(grades: Sequence[Grade]) -> dict[str, Any]:
    """The results of one student's files: a point for each case that passes, none for what is refused."""
    words = [
        line for grade in grades for line in (grade.problem, grade.used, grade.verdict) if line
    ]
    return {
        "score": sum(0 if grade.refused else grade.passed for grade in grades),
        "execution_time": round(sum(grade.seconds for grade in grades)),
        "output": "\n".join(words) or "No Python file was handed in.",
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "tests": [test for grade in grades for test in _tests(grade)],
    }


def _tests(grade: Grade) -> Iterator[dict[str, Any]]:
    for function in grade.functions:
        for case in function.cases:
            passes = case.status == PASSES
            yield {
                "name": f"{function.name}: {case.name}",
                "score": int(passes and not grade.refused),
                "max_score": 1,
                "status": "passed" if passes else "failed",
                "output": _output(function, case),
            }


def _output(function: FunctionGrade, case: CaseGrade) -> str:
    if case.name == function.case:
        return "\n".join(explanation(function))
    return case.text or case.status
