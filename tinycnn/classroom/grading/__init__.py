"""Exercises that are filled in, graded: one, or those of a whole class."""

from __future__ import annotations

from tinycnn.classroom.grading.grading import grade, is_exercise
from tinycnn.classroom.grading.report import Grade

__all__ = ["Grade", "grade", "is_exercise"]
