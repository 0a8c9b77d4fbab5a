"""A sheet of twenty questions for a class, with a key that the engine works out."""

from __future__ import annotations

from tinycnn.classroom.quiz.paper import draw_html
from tinycnn.classroom.quiz.question import Question
from tinycnn.classroom.quiz.quiz import Quiz, make_quiz
from tinycnn.classroom.quiz.sheet import draw_markdown, draw_text

__all__ = ["Question", "Quiz", "draw", "draw_html", "draw_markdown", "draw_text", "make_quiz"]


def draw(quiz: Quiz, kind: str, *, answers: bool = False) -> str:
    """The sheet as "text", "markdown" or "html"."""
    ways = {"text": draw_text, "markdown": draw_markdown, "html": draw_html}
    return ways[kind](quiz, answers=answers)
