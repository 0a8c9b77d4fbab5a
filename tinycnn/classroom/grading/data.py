"""A grade as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinycnn.classroom.exercises.exercise import Seed

if TYPE_CHECKING:
    from tinycnn.classroom.grading.report import FunctionGrade


def function_data(function: FunctionGrade) -> dict[str, Any]:
    """A function: its cases, and its first failure with all its numbers."""
    data: dict[str, Any] = {
        "name": function.name,
        "ok": function.ok,
        "cases": [
            {"name": case.name, "status": case.status, "text": case.text} for case in function.cases
        ],
    }
    if function.failure is not None:
        failure = function.failure
        data["smallest"] = {
            "case": function.case,
            "kind": failure.kind,
            "text": failure.text,
            "arguments": _plain(failure.arguments),
            "expected": {wrong.name: _plain(wrong.expected) for wrong in failure.wrong},
            "came": {wrong.name: _plain(wrong.came) for wrong in failure.wrong},
            "looks_like": list(failure.looks_like),
            "hints": [one._asdict() for one in failure.hints],
            "output": failure.output,
        }
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Seed) else value
