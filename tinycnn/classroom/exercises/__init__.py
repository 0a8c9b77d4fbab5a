"""Exercises for a class: files with the loops left out, and their grading."""

from __future__ import annotations

from tinycnn.classroom.exercises.catalogue import EXERCISES, skeleton
from tinycnn.classroom.exercises.grading import grade, is_exercise
from tinycnn.classroom.exercises.report import Grade

__all__ = ["EXERCISES", "Grade", "grade", "is_exercise", "skeleton"]
