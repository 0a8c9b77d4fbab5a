"""The exercise "softmax-cross-entropy"."""

from __future__ import annotations

from collections.abc import Callable
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
_MIXED = "rows of very different size: each has a largest logit of its own"


def _logits(choose: Chooser, least: int, most: int) -> Arguments:
    return {"z": choose.numbers(choose.integer(least, most), choose.integer(1, 4))}


def _far(choose: Chooser) -> Arguments:
    """All logits far above or below zero, or one far above the others."""
    a = _logits(choose, 1, 2)
    z, shift = a["z"], choose.choice((_FAR, -_FAR, 0.0))
    z += shift
    if not shift:
        z[:, choose.integer(0, z.shape[1] - 1)] += _FAR
    return a


def _for_gradient(choose: Chooser, least: int, most: int) -> Arguments:
    N, F = choose.integer(least, most), choose.integer(1, 4)
    dy = choose.numbers(N, F)
    return {"dy": dy, "p": softmax(choose.numbers(N, F))}


def _labelled(choose: Chooser, least: int, most: int) -> Arguments:
    N, F = choose.integer(least, most), choose.integer(1, 4)
    labels = np.array([(choose.integer(0, F - 1) + n) % F for n in range(N)])
    return {"z": choose.numbers(N, F), "labels": labels}


def _far_labelled(choose: Chooser) -> Arguments:
    """One logit far above the others, whose probabilities round to 0; the first label is one of these."""
    a = _labelled(choose, 1, 2)
    a["z"][:, (a["labels"][0] + 1) % a["z"].shape[1]] += _FAR
    return a


def _mixed_rows(draw: Callable[[Chooser, int, int], Arguments], choose: Chooser) -> Arguments:
    """The first row far above zero, the second near it, the third far below."""
    a = draw(choose, 2, 3)
    a["z"] += np.array([_FAR, 0.0, -_FAR])[: len(a["z"]), None]
    return a


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
        Case("logits of 1000: exp must not overflow", _far),
        Case(_MIXED, partial(_mixed_rows, _logits)),
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
        Case("logits of 1000: neither exp nor log may overflow", _far_labelled),
        Case(_MIXED, partial(_mixed_rows, _labelled)),
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
