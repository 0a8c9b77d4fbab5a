"""Sheets of twenty questions for a class, with keys that the engine works out."""

from __future__ import annotations

from collections.abc import Sequence

from tinycnn.classroom.quiz.markdown import draw_markdown, draw_markdown_key
from tinycnn.classroom.quiz.paper import draw_html, draw_html_key
from tinycnn.classroom.quiz.question import Question
from tinycnn.classroom.quiz.quiz import Quiz, make_quiz
from tinycnn.classroom.quiz.text import draw_text, draw_text_key

__all__ = [
    "Question",
    "Quiz",
    "draw",
    "draw_html",
    "draw_html_key",
    "draw_key",
    "draw_markdown",
    "draw_markdown_key",
    "draw_text",
    "draw_text_key",
    "make_quiz",
]


def draw(quiz: Quiz, kind: str, *, answers: bool = False) -> str:
    """The sheet as "text", "markdown" or "html"."""
    ways = {"text": draw_text, "markdown": draw_markdown, "html": draw_html}
    return ways[kind](quiz, answers=answers)


def draw_key(quizzes: Sequence[Quiz], kind: str) -> str:
    """The keys of several sheets, without the sheets, as "text", "markdown" or "html"."""
    ways = {"text": draw_text_key, "markdown": draw_markdown_key, "html": draw_html_key}
    return ways[kind](quizzes)
