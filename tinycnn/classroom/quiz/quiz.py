"""Twenty questions from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinycnn.classroom.quiz.backward import BACKWARD
from tinycnn.classroom.quiz.forward import FORWARD
from tinycnn.classroom.quiz.question import Question
from tinycnn.classroom.quiz.sizes import SIZES, draw_network
from tinycnn.validation import check_int


@dataclass(frozen=True)
class QuizPart:
    """A part of the sheet: questions under a heading."""

    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Quiz:
    """A sheet: the seed that it comes from, and its parts."""

    seed: int
    parts: tuple[QuizPart, ...]

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions, in order."""
        return tuple(question for part in self.parts for question in part.questions)


def make_quiz(seed: int) -> Quiz:
    """Draw a sheet; the same seed gives the same one. Each question has random numbers of its own.

    Raises ArgumentError for a seed that is no whole number of 64 bits.
    """
    root = np.random.default_rng(check_int(seed, "seed", least=0, most=2**64 - 1))
    first, *own = root.spawn(1 + len(SIZES) + len(FORWARD) + len(BACKWARD))
    network = draw_network(first)
    streams = iter(own)
    return Quiz(
        seed,
        (
            QuizPart("Sizes and counts", tuple(ask(next(streams), network) for ask in SIZES)),
            QuizPart("Forward", tuple(ask(next(streams)) for ask in FORWARD)),
            QuizPart("Backward", tuple(ask(next(streams)) for ask in BACKWARD)),
        ),
    )
