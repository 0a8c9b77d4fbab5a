"""The exercise "softmax-cross-entropy"."""

from __future__ import annotations

from functools import partial

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


def _logits(choose: Chooser, least: int, most: int, *, far: bool = False) -> Arguments:
    N = choose.integer(least, most)
    z = choose.numbers(N, choose.integer(1, 4))
    return {"z": z + choose.choice([_FAR, -_FAR]) if far else z}


def _for_gradient(choose: Chooser, least: int, most: int) -> Arguments:
    N, F = choose.integer(least, most), choose.integer(1, 4)
    dy = choose.numbers(N, F)
    return {"dy": dy, "p": softmax(choose.numbers(N, F))}


def _labelled(choose: Chooser, least: int, most: int, *, far: bool = False) -> Arguments:
    N, F = choose.integer(least, most), choose.integer(1, 4)
    labels = np.array([choose.integer(0, F - 1) for _ in range(N)])
    z = choose.numbers(N, F)
    if far:  # one logit far above, whose probability rounds the others' to 0
        z[:, choose.integer(0, F - 1)] += _FAR
    return {"z": z, "labels": labels}


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
        Case("one row of logits", partial(_logits, least=1, most=1)),
        Case("several rows", partial(_logits, least=2, most=3)),
        Case("logits of 1000: exp must not overflow", partial(_logits, least=1, most=2, far=True)),
    ),
    SOFTMAX,
)

_SOFTMAX_BACKWARD = Assignment(
    "softmax_backward",
    ("dz",),
    lambda a: (softmax_backward(a["dy"], a["p"]),),
    (
        Case("one row", partial(_for_gradient, least=1, most=1)),
        Case("several rows", partial(_for_gradient, least=2, most=3)),
    ),
    SOFTMAX_GRADIENT,
    _pair_of_softmax,
)


_CROSS_ENTROPY = Assignment(
    "cross_entropy",
    ("loss", "dz"),
    _loss_expected,
    (
        Case("one image", partial(_labelled, least=1, most=1)),
        Case("a batch of images", partial(_labelled, least=2, most=3)),
        Case(
            "logits of 1000: neither exp nor log may overflow",
            partial(_labelled, least=1, most=2, far=True),
        ),
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
