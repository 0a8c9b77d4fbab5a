"""The exercise "conv-backward"."""

from __future__ import annotations

from functools import partial

import numpy as np

from tinycnn.checking.mistakes.convolution_gradients import CONVOLUTION_GRADIENTS
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.mistakes.naive import convolution, convolution_gradients
from tinycnn.classroom.exercises.convolutions import KINDS, Kind
from tinycnn.classroom.exercises.exercise import Assignment, Case, Chooser, Differentiable, Exercise


def _with_dy(choose: Chooser, kind: Kind) -> Arguments:
    a = kind.draw(choose)
    b = a.pop("b")
    return {"dy": choose.numbers(*convolution({**a, "b": b}).shape), **a}


def _pair(a: Arguments) -> Differentiable:
    return Differentiable(
        {"x": a["x"], "W": a["W"], "b": np.zeros(a["W"].shape[3])},
        lambda x, W, b: convolution({**a, "x": x, "W": W, "b": b}),
        lambda dy, x, W, b: {**a, "dy": dy, "x": x, "W": W},
    )


EXERCISE = Exercise(
    "conv-backward",
    "the gradients of a convolution",
    (
        Assignment(
            "conv2d_backward",
            ("dx", "dW", "db"),
            convolution_gradients,
            tuple(
                Case(kind.name, partial(_with_dy, kind=kind))
                for kind in KINDS
                if kind.name != "a bias"
            ),
            CONVOLUTION_GRADIENTS,
            _pair,
        ),
    ),
)
