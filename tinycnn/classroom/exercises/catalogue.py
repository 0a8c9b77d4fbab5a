"""The exercises by name, and their skeletons."""

from __future__ import annotations

from importlib.resources import files

from tinycnn.classroom.exercises import (
    conv_backward,
    conv_forward,
    dense,
    dropout,
    im2col,
    lrn,
    max_pool_backward,
    relu,
    sgd_momentum,
    softmax,
    tiny_net,
)
from tinycnn.classroom.exercises.exercise import Exercise
from tinycnn.errors import UnknownNameError

EXERCISES: dict[str, Exercise] = {  # from easy to hard
    module.EXERCISE.name: module.EXERCISE
    for module in (
        relu,
        dense,
        dropout,
        softmax,
        sgd_momentum,
        conv_forward,
        max_pool_backward,
        lrn,
        conv_backward,
        im2col,
        tiny_net,
    )
}


def named(name: str) -> Exercise:
    """Look up an exercise; raises UnknownNameError for one that does not exist."""
    if name not in EXERCISES:
        raise UnknownNameError(f"there is no exercise {name!r}; there are {', '.join(EXERCISES)}")
    return EXERCISES[name]


def skeleton(name: str, *, formula: bool = True) -> str:
    """Give the exercise's file, with the loops left out; without ``formula``, its formulas as well."""
    file = named(name).name.replace("-", "_") + ".py"
    text = (files("tinycnn.classroom.exercises") / "skeletons" / file).read_text(encoding="utf-8")
    if formula:
        return text
    before, _, rest = text.partition("Formula:\n")
    return before + rest[rest.index("Shapes:\n") :]
