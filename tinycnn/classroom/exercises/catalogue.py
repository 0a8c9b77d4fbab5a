"""The exercises by name, and their skeletons."""

from __future__ import annotations

from importlib.resources import files

from tinycnn.classroom.exercises import (
    conv_backward,
    conv_forward,
    dropout,
    lrn,
    max_pool_backward,
    softmax,
)
from tinycnn.classroom.exercises.exercise import Exercise
from tinycnn.errors import UnknownNameError

EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for exercise in (
        conv_forward.EXERCISE,
        conv_backward.EXERCISE,
        max_pool_backward.EXERCISE,
        softmax.EXERCISE,
        dropout.EXERCISE,
        lrn.EXERCISE,
    )
}


def named(name: str) -> Exercise:
    """Look up an exercise; raises UnknownNameError for one that does not exist."""
    if name not in EXERCISES:
        raise UnknownNameError(f"there is no exercise {name!r}; there are {', '.join(EXERCISES)}")
    return EXERCISES[name]


def skeleton(name: str) -> str:
    """Give the exercise's file, with the loops left out."""
    file = named(name).name.replace("-", "_") + ".py"
    return (files("tinycnn.classroom.exercises") / "skeletons" / file).read_text(encoding="utf-8")
