"""The exercise "relu"."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.activation import RELU, RELU_GRADIENT
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.mistakes.naive import relu, relu_gradient
from tinycnn.classroom.exercises.exercise import Assignment, Case, Chooser, Differentiable, Exercise

Draw = Callable[[Chooser], Array]


def _row(choose: Chooser, most: int) -> Array:
    return choose.numbers(choose.integer(1, most))


def _with_zeros(choose: Chooser) -> Array:
    return choose.few(choose.integer(1, 8)) - 1


def _images(choose: Chooser) -> Array:
    return choose.numbers(*(choose.integer(1, most) for most in (2, 3, 4, 5)))


_DRAWN: dict[str, Draw] = {
    "one number": partial(_row, most=1),
    "a row of numbers, some below zero": partial(_row, most=8),
    "zeros": _with_zeros,
    "images: any shape will do": _images,
}


def _forward(choose: Chooser, draw: Draw) -> Arguments:
    return {"x": draw(choose)}


def _backward(choose: Chooser, draw: Draw) -> Arguments:
    x = draw(choose)
    return {"dy": choose.numbers(*x.shape), "x": x}


EXERCISE = Exercise(
    "relu",
    "the rectified linear unit and its gradient",
    (
        Assignment(
            "relu",
            ("y",),
            lambda a: (relu(a),),
            tuple(Case(name, partial(_forward, draw=draw)) for name, draw in _DRAWN.items()),
            RELU,
        ),
        Assignment(
            "relu_backward",
            ("dx",),
            lambda a: (relu_gradient(a),),
            tuple(
                Case(name, partial(_backward, draw=draw), by_differences=name != "zeros")
                for name, draw in _DRAWN.items()
            ),
            RELU_GRADIENT,
            lambda a: Differentiable(
                {"x": a["x"]}, lambda x: relu({"x": x}), lambda dy, x: {"dy": dy, "x": x}
            ),
        ),
    ),
)
