"""The walk: every number of a recorded pass opened, as values that terminals and notebooks draw."""

from __future__ import annotations

from tinycnn.stepthrough.explanation import Explanation
from tinycnn.stepthrough.lesson import Lesson, open_lesson
from tinycnn.stepthrough.targets import explain

__all__ = ["Explanation", "Lesson", "explain", "open_lesson"]
