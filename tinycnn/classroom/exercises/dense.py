"""The exercise "dense": a fully connected layer."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinycnn.checking.mistakes.dense import DENSE, DENSE_GRADIENTS
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.mistakes.naive import dense, dense_gradients
from tinycnn.classroom.exercises.exercise import Assignment, Case, Chooser, Differentiable, Exercise


def _draw(
    choose: Chooser,
    *,
    inputs: int = 1,
    outputs: int = 1,
    images: int = 1,
    square: bool = False,
    bias: bool = False,
) -> Arguments:
    """Each size up to the one given; ``square``: as many outputs as inputs."""
    N, D = choose.integer(1, images), choose.integer(1, inputs)
    F = D if square else choose.integer(1, outputs)
    x, W = choose.numbers(N, D), choose.numbers(D, F)
    return {"x": x, "W": W, "b": choose.numbers(F) if bias else np.zeros(F)}


def _with_dy(choose: Chooser, **options: Any) -> Arguments:
    a = _draw(choose, **options)
    return {"dy": choose.numbers(len(a["x"]), len(a["b"])), "x": a["x"], "W": a["W"]}


_DRAWN: dict[str, dict[str, Any]] = {
    "one number, one weight": {},
    "several inputs": {"inputs": 4},
    "several outputs": {"outputs": 4},
    "as many outputs as inputs": {"inputs": 3, "square": True},
    "a bias": {"inputs": 3, "outputs": 2, "bias": True},
    "a batch of images": {"inputs": 2, "outputs": 2, "images": 4},
    "all of it at once": {"inputs": 4, "outputs": 5, "images": 3, "bias": True},
}

EXERCISE = Exercise(
    "dense",
    "a fully connected layer and its gradients",
    (
        Assignment(
            "dense",
            ("y",),
            lambda a: (dense(a),),
            tuple(Case(name, partial(_draw, **options)) for name, options in _DRAWN.items()),
            DENSE,
        ),
        Assignment(
            "dense_backward",
            ("dx", "dW", "db"),
            dense_gradients,
            tuple(
                Case(name, partial(_with_dy, **options))
                for name, options in _DRAWN.items()
                if name != "a bias"
            ),
            DENSE_GRADIENTS,
            lambda a: Differentiable(
                {"x": a["x"], "W": a["W"], "b": np.zeros(a["W"].shape[1])},
                lambda x, W, b: dense({"x": x, "W": W, "b": b}),
                lambda dy, x, W, b: {"dy": dy, "x": x, "W": W},
            ),
        ),
    ),
)
