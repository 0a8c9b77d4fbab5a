"""The exercise "softmax-cross-entropy"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.mistakes.softmax import CROSS_ENTROPY, SOFTMAX, SOFTMAX_GRADIENT
from tinycnn.classroom.exercises.exercise import (
    Assignment,
    Case,
    Chooser,
    Differentiable,
    Exercise,
    Results,
)
from tinycnn.ops.activations import softmax, softmax_backward
from tinycnn.ops.losses import cross_entropy

_FAR = 1000.0  # exp(1000) is beyond float64


def _logits(rows: tuple[int, int], *, far: bool = False) -> Callable[[Chooser], Arguments]:
    def draw(choose: Chooser) -> Arguments:
        N = choose.integer(*rows)
        z = choose.numbers(N, choose.integer(1, 4))
        return {"z": z + choose.choice([_FAR, -_FAR]) if far else z}

    return draw


def _for_gradient(rows: tuple[int, int]) -> Callable[[Chooser], Arguments]:
    def draw(choose: Chooser) -> Arguments:
        N, F = choose.integer(*rows), choose.integer(1, 4)
        dy = choose.numbers(N, F)
        return {"dy": dy, "p": softmax(choose.numbers(N, F))}

    return draw


def _labelled(rows: tuple[int, int], *, far: bool = False) -> Callable[[Chooser], Arguments]:
    def draw(choose: Chooser) -> Arguments:
        N, F = choose.integer(*rows), choose.integer(1, 4)
        labels = np.array([choose.integer(0, F - 1) for _ in range(N)])
        z = choose.numbers(N, F)
        if far:  # one logit far above, whose probability rounds the others' to 0
            z[:, choose.integer(0, F - 1)] += _FAR
        return {"z": z, "labels": labels}

    return draw


def _backward_expected(a: Arguments) -> Results:
    return (softmax_backward(a["dy"], a["p"]),)


def _loss_expected(a: Arguments) -> Results:
    loss, dz = cross_entropy(a["z"], a["labels"])
    return np.asarray(loss), dz


def _pair_of_softmax(a: Arguments) -> Differentiable:
    z = np.log(a["p"])
    return Differentiable({"z": z}, softmax, lambda dy, z: {"dy": dy, "p": softmax(z)})


_SOFTMAX = Assignment(
    "softmax",
    ("p",),
    lambda a: (softmax(a["z"]),),
    (
        Case("one row of logits", _logits((1, 1))),
        Case("several rows", _logits((2, 3))),
        Case("logits of 1000: exp must not overflow", _logits((1, 2), far=True)),
    ),
    SOFTMAX,
)

_SOFTMAX_BACKWARD = Assignment(
    "softmax_backward",
    ("dz",),
    _backward_expected,
    (
        Case("one row", _for_gradient((1, 1))),
        Case("several rows", _for_gradient((2, 3))),
    ),
    SOFTMAX_GRADIENT,
    _pair_of_softmax,
)


_CROSS_ENTROPY = Assignment(
    "cross_entropy",
    ("loss", "dz"),
    _loss_expected,
    (
        Case("one image", _labelled((1, 1))),
        Case("a batch of images", _labelled((2, 3))),
        Case("logits of 1000: neither exp nor log may overflow", _labelled((1, 2), far=True)),
    ),
    CROSS_ENTROPY,
    lambda a: Differentiable(
        {"z": a["z"]},
        lambda z: _loss_expected({**a, "z": z})[0],
        lambda dy, z: {**a, "z": z},
        lambda dy, results: (dy * results[1],),
    ),
)

EXERCISE = Exercise(
    "softmax-cross-entropy",
    "softmax, its gradient, and the cross-entropy with its own",
    (_SOFTMAX, _SOFTMAX_BACKWARD, _CROSS_ENTROPY),
)
