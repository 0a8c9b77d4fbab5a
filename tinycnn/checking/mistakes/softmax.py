"""Mistakes in softmax, its gradient, and the cross-entropy with its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.jacobians import (
    diagonal_alone,
    softmax_summed_over,
    sum_as_constant,
)
from tinycnn.checking.mistakes.mistake import Arguments, mistakes_in
from tinycnn.ops.activations import softmax, softmax_backward
from tinycnn.ops.losses import cross_entropy


def _summed(over: Callable[[Array], Array], *, shifted: bool) -> Callable[[Arguments], Array]:
    """Divided by another sum; ``shifted``: each row's largest logit taken off before."""

    def make(a: Arguments) -> Array:
        z = a["z"] - a["z"].max(axis=1, keepdims=True) if shifted else a["z"]
        p: Array = np.exp(z) / over(np.exp(z))
        return p

    return make


def _one_largest(a: Arguments) -> Array:
    """The largest logit of all rows taken off each."""
    p: Array = np.exp(a["z"] - a["z"].max())
    p /= p.sum(axis=1, keepdims=True)
    return p


def _onehot(a: Arguments) -> Array:
    onehot = np.zeros(a["z"].shape)
    onehot[np.arange(len(onehot)), a["labels"]] = 1
    return onehot


def _gradient(a: Arguments) -> Array:
    return cross_entropy(a["z"], a["labels"])[1]


def _loss(a: Arguments) -> Array:
    return np.asarray(cross_entropy(a["z"], a["labels"])[0])


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

SOFTMAX = mistakes_in(
    "p",
    *(
        (_summed(over, shifted=s), "softmax axis", words)
        for over, words in _WRONG_SUMS
        for s in (False, True)
    ),
    (
        _one_largest,
        "softmax axis",
        "one largest logit for all rows, because p is what z - z.max() gives: of a row far below it each "
        "exp is 0, and 0/0 is nan (axis=1, keepdims=True)",
    ),
    (
        lambda a: softmax(a["z"] - a["z"].max(axis=0)),
        "softmax axis",
        "the largest of each column taken off, because p is what z - z.max(axis=0) gives: one number "
        "for the whole row cancels (axis=1, keepdims=True)",
    ),
    (lambda a: np.exp(a["z"]), "softmax", "exp without the division by its sum"),
)

SOFTMAX_GRADIENT = mistakes_in(
    "dz",
    (
        lambda a: diagonal_alone(a["dy"], a["p"] * (1 - a["p"])).array,
        "diagonal alone",
        "softmax's diagonal alone, because dz is dy * p * (1 - p): each p depends on every z of its "
        "row, so dz = p * (dy - sum(dy * p))",
    ),
    (
        lambda a: sum_as_constant(a["dy"], a["p"]).array,
        "taken for a constant",
        "the sum left out, because dz is dy * p: p's denominator depends on z too",
    ),
    (
        lambda a: a["dy"] - (a["dy"] * a["p"]).sum(1, keepdims=True),
        "softmax",
        "the factor p left out, because dz is dy - sum(dy * p)",
    ),
    (
        lambda a: softmax_summed_over(a["dy"], a["p"], None),
        "softmax axis",
        "the sum over the whole batch, because sum(dy * p) runs over all rows: each row has its own "
        "(axis=1, keepdims=True)",
    ),
    (
        lambda a: -softmax_backward(a["dy"], a["p"]),
        "sign",
        "the sign, because dz is minus what it should be",
    ),
)

_LOSS = mistakes_in(
    "loss",
    (
        lambda a: _loss(a) * len(a["z"]),
        "mean",
        "a factor of N missing: the loss is the sum over the images, because it is N times too "
        "large; the mean is asked for",
    ),
    (lambda a: -_loss(a), "sign", "the sign, because the loss is -log p, and log p came"),
    (
        lambda a: _loss(a) / np.log(2),
        "logarithm",
        "a logarithm to the base 2, because the loss is 1/ln 2 times too large",
    ),
    (
        lambda a: _loss(a) / np.log(10),
        "logarithm",
        "a logarithm to the base 10, because the loss is ln 10 times too small",
    ),
    (
        lambda a: _loss(a) / a["z"].shape[1],
        "mean",
        "a mean over the classes too, because the loss is divided by N*F: N images, N terms",
    ),
)
_DZ = mistakes_in(
    "dz",
    (
        lambda a: _gradient(a) * len(a["z"]),
        "mean",
        "a factor of N missing, because dz is N times too large: the loss is a mean over N images, "
        "so dz = (p - onehot) / N",
    ),
    (
        lambda a: softmax(a["z"]) / len(a["z"]),
        "labels",
        "the label's 1 not taken off, because dz is p / N: dz = (p - onehot) / N",
    ),
    (lambda a: softmax(a["z"]), "labels", "p itself: dz = (p - onehot) / N"),
    (
        lambda a: -_gradient(a),
        "sign",
        "the sign, because dz is (onehot - p) / N: it is (p - onehot) / N",
    ),
    (
        lambda a: -_onehot(a) / np.where(softmax(a["z"]) > 0, softmax(a["z"]), 1) / len(a["z"]),
        "no derivative",
        "the gradient of p instead of that of z, because dz is -onehot / p / N: it has to go back "
        "through the softmax, which leaves (p - onehot) / N",
    ),
)
CROSS_ENTROPY = _LOSS + _DZ
