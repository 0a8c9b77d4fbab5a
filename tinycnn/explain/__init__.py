"""The walk: every number of a recorded pass opened, as values that terminals and notebooks draw."""

from __future__ import annotations

from tinycnn.explain.explanation import Explanation
from tinycnn.explain.lesson import Lesson, open_lesson
from tinycnn.explain.targets import explain

__all__ = ["Explanation", "Lesson", "explain", "open_lesson"]
