"""Twenty questions from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinycnn.classroom.quiz.convolution import (
    channels_cell,
    convolution_cell,
    im2col_row,
    pointwise,
)
from tinycnn.classroom.quiz.convolution_gradients import input_gradient, weight_gradient
from tinycnn.classroom.quiz.descent import sgd
from tinycnn.classroom.quiz.layers import dropout, lrn, relu
from tinycnn.classroom.quiz.losses import softmax, softmax_gradient
from tinycnn.classroom.quiz.network import draw_network
from tinycnn.classroom.quiz.pooling import average_and_dense, max_pool, pool_gradient
from tinycnn.classroom.quiz.question import Question
from tinycnn.classroom.quiz.sizes import SIZES
from tinycnn.validation import check_int

_FORWARD = (
    convolution_cell,
    channels_cell,
    pointwise,
    im2col_row,
    relu,
    max_pool,
    average_and_dense,
    lrn,
    dropout,
    softmax,
)
_BACKWARD = (softmax_gradient, pool_gradient, weight_gradient, input_gradient, sgd)


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
    first, *own = root.spawn(1 + len(SIZES) + len(_FORWARD) + len(_BACKWARD))
    network = draw_network(first)
    streams = iter(own)
    return Quiz(
        seed,
        (
            QuizPart("Sizes and counts", tuple(ask(next(streams), network) for ask in SIZES)),
            QuizPart("Forward", tuple(ask(next(streams)) for ask in _FORWARD)),
            QuizPart("Backward", tuple(ask(next(streams)) for ask in _BACKWARD)),
        ),
    )
