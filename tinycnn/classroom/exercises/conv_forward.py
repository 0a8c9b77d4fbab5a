"""The exercise "conv-forward"."""

from __future__ import annotations

from tinycnn.checking.mistakes.convolution import CONVOLUTION
from tinycnn.checking.mistakes.naive import convolution
from tinycnn.classroom.exercises.convolutions import KINDS
from tinycnn.classroom.exercises.exercise import Assignment, Case, Exercise

EXERCISE = Exercise(
    "conv-forward",
    "a convolution: filters slide over images",
    (
        Assignment(
            "conv2d",
            ("y",),
            lambda a: (convolution(a),),
            tuple(Case(kind.name, kind.draw) for kind in KINDS),
            CONVOLUTION,
        ),
    ),
)
