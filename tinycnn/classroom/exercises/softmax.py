"""The exercise "softmax-cross-entropy"."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinycnn.arrays import Array
from tinycnn.classroom.exercises.exercise import (
    Arguments,
    Case,
    Chooser,
    Exercise,
    Mistake,
    Pair,
    Results,
    Task,
)
from tinycnn.ops.activations import softmax, softmax_backward
from tinycnn.ops.losses import cross_entropy

_FAR = 1000.0  # exp(1000) is beyond float64


def _logits(rows: tuple[int, int], far: bool = False) -> Callable[[Chooser], Arguments]:
    def draw(choose: Chooser) -> Arguments:
        N = choose.whole(*rows)
        z = choose.numbers(N, choose.whole(1, 4))
        return {"z": z + choose.one_of([_FAR, -_FAR]) if far else z}

    return draw


def _for_gradient(rows: tuple[int, int]) -> Callable[[Chooser], Arguments]:
    def draw(choose: Chooser) -> Arguments:
        N, F = choose.whole(*rows), choose.whole(1, 4)
        dy = choose.numbers(N, F)
        return {"dy": dy, "p": softmax(choose.numbers(N, F))}

    return draw


def _labelled(rows: tuple[int, int], far: bool = False) -> Callable[[Chooser], Arguments]:
    def draw(choose: Chooser) -> Arguments:
        N, F = choose.whole(*rows), choose.whole(1, 4)
        labels = np.array([choose.whole(0, F - 1) for _ in range(N)])
        z = choose.numbers(N, F)
        if far:  # one logit far above, whose probability rounds the others' to 0
            z[:, choose.whole(0, F - 1)] += _FAR
        return {"z": z, "labels": labels}

    return draw


def _backward_expected(a: Arguments) -> Results:
    return (softmax_backward(a["dy"], a["p"]),)


def _loss_expected(a: Arguments) -> Results:
    loss, dz = cross_entropy(a["z"], a["labels"])
    return np.asarray(loss), dz


def _summed(over: Callable[[Array], Array], *, shifted: bool) -> Callable[[Arguments], Array]:
    """Divided by another sum; ``shifted``: each row's largest logit taken off before."""

    def make(a: Arguments) -> Array:
        z = a["z"] - a["z"].max(axis=1, keepdims=True) if shifted else a["z"]
        p: Array = np.exp(z) / over(np.exp(z))
        return p

    return make


def _onehot(a: Arguments) -> Array:
    onehot = np.zeros(a["z"].shape)
    onehot[np.arange(len(onehot)), a["labels"]] = 1
    return onehot


def _gradient(a: Arguments) -> Array:
    return cross_entropy(a["z"], a["labels"])[1]


def _loss(a: Arguments) -> Array:
    return np.asarray(cross_entropy(a["z"], a["labels"])[0])


def _pair_of_softmax(a: Arguments) -> Pair:
    z = np.log(a["p"])
    return Pair({"z": z}, softmax, lambda dy, z: {"dy": dy, "p": softmax(z)})


_WRONG_SUMS: tuple[tuple[Callable[[Array], Array], str], ...] = (
    (
        np.sum,
        "the sum over the whole batch, because all of p adds up to 1: each row is a distribution of "
        "its own (axis=1)",
    ),
    (
        lambda e: e.sum(axis=0),
        "the sum over the wrong axis, because the columns of p add up to 1: the rows should (axis=1)",
    ),
)

_SOFTMAX = Task(
    "softmax",
    ("p",),
    lambda a: (softmax(a["z"]),),
    (
        Case("one row of logits", _logits((1, 1))),
        Case("several rows", _logits((2, 3))),
        Case("logits of 1000: exp must not overflow", _logits((1, 2), far=True)),
    ),
    (
        *(
            Mistake("p", _summed(over, shifted=shifted), words)
            for over, words in _WRONG_SUMS
            for shifted in (False, True)
        ),
        Mistake("p", lambda a: np.exp(a["z"]), "exp without the division by its sum"),
    ),
)

_SOFTMAX_BACKWARD = Task(
    "softmax_backward",
    ("dz",),
    _backward_expected,
    (
        Case("one row", _for_gradient((1, 1))),
        Case("several rows", _for_gradient((2, 3))),
    ),
    (
        Mistake(
            "dz",
            lambda a: a["dy"] * a["p"] * (1 - a["p"]),
            "softmax's diagonal alone, because dz is dy * p * (1 - p): each p depends on every z of its "
            "row, so dz = p * (dy - sum(dy * p))",
        ),
        Mistake(
            "dz",
            lambda a: a["dy"] * a["p"],
            "the sum left out, because dz is dy * p: p's denominator depends on z too",
        ),
        Mistake(
            "dz",
            lambda a: a["dy"] - (a["dy"] * a["p"]).sum(1, keepdims=True),
            "the factor p left out, because dz is dy - sum(dy * p)",
        ),
        Mistake(
            "dz",
            lambda a: a["p"] * (a["dy"] - (a["dy"] * a["p"]).sum()),
            "the sum over the whole batch, because sum(dy * p) runs over all rows: each row has its own "
            "(axis=1, keepdims=True)",
        ),
        Mistake(
            "dz",
            lambda a: -_backward_expected(a)[0],
            "the sign, because dz is minus what it should be",
        ),
    ),
    _pair_of_softmax,
)


_CROSS_ENTROPY = Task(
    "cross_entropy",
    ("loss", "dz"),
    _loss_expected,
    (
        Case("one image", _labelled((1, 1))),
        Case("a batch of images", _labelled((2, 3))),
        Case("logits of 1000: neither exp nor log may overflow", _labelled((1, 2), far=True)),
    ),
    (
        Mistake(
            "loss",
            lambda a: _loss(a) * len(a["z"]),
            "a factor of N missing: the loss is the sum over the images, because it is N times too "
            "large; the mean is asked for",
        ),
        Mistake(
            "loss", lambda a: -_loss(a), "the sign, because the loss is -log p, and log p came"
        ),
        Mistake(
            "loss",
            lambda a: _loss(a) / np.log(2),
            "a logarithm to the base 2, because the loss is 1/ln 2 times too large",
        ),
        Mistake(
            "loss",
            lambda a: _loss(a) / np.log(10),
            "a logarithm to the base 10, because the loss is ln 10 times too small",
        ),
        Mistake(
            "loss",
            lambda a: _loss(a) / a["z"].shape[1],
            "a mean over the classes too, because the loss is divided by N*F: N images, N terms",
        ),
        Mistake(
            "dz",
            lambda a: _gradient(a) * len(a["z"]),
            "a factor of N missing, because dz is N times too large: the loss is a mean over N images, "
            "so dz = (p - onehot) / N",
        ),
        Mistake(
            "dz",
            lambda a: softmax(a["z"]) / len(a["z"]),
            "the label's 1 not taken off, because dz is p / N: dz = (p - onehot) / N",
        ),
        Mistake("dz", lambda a: softmax(a["z"]), "p itself: dz = (p - onehot) / N"),
        Mistake(
            "dz",
            lambda a: -_gradient(a),
            "the sign, because dz is (onehot - p) / N: it is (p - onehot) / N",
        ),
        Mistake(
            "dz",
            lambda a: -_onehot(a) / np.where(softmax(a["z"]) > 0, softmax(a["z"]), 1) / len(a["z"]),
            "the gradient of p instead of that of z, because dz is -onehot / p / N: it has to go back "
            "through the softmax, which leaves (p - onehot) / N",
        ),
    ),
    lambda a: Pair(
        {"z": a["z"]},
        lambda z: _loss({**a, "z": z}),
        lambda dy, z: {**a, "z": z},
        lambda dy, results: (dy * results[1],),
    ),
)

EXERCISE = Exercise(
    "softmax-cross-entropy",
    "softmax, its gradient, and the cross-entropy with its own",
    (_SOFTMAX, _SOFTMAX_BACKWARD, _CROSS_ENTROPY),
)
