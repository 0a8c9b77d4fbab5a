"""The exercise "tiny-net": the operations chained, and trained on written digits."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.mistakes.tiny_network import (
    LOGITS,
    LOSS_AND_GRADIENTS,
    PARAMETERS,
    accuracy,
    gradients,
    logits,
    loss,
)
from tinycnn.classroom.exercises.digits import digits, held_out
from tinycnn.classroom.exercises.exercise import (
    Assignment,
    Case,
    Chooser,
    Differentiable,
    Exercise,
    Results,
    Seed,
)

_ASKED = 0.9  # of the digits that are held out
_FILTERS, _CLASSES = 8, 10
_NEW = tuple(f"new_{name}" for name in PARAMETERS)


def _draw(
    choose: Chooser,
    *,
    images: int = 1,
    filters: int = 1,
    channels: int = 1,
    rows: int = 2,
    columns: int = 2,
    classes: int = 2,
) -> Arguments:
    """``rows`` and ``columns``: of the convolution's y, at most."""
    KH, KW = choose.integer(1, 2), choose.integer(1, 3)
    H, W = choose.integer(2, rows) + KH - 1, choose.integer(2, columns) + KW - 1
    N, C, F = choose.integer(1, images), choose.integer(1, channels), choose.integer(1, filters)
    K, D = choose.integer(2, classes), ((H - KH + 1) // 2) * ((W - KW + 1) // 2) * F
    shapes = {"x": (N, H, W, C), "W1": (KH, KW, C, F), "b1": (F,), "W2": (D, K), "b2": (K,)}
    return {name: choose.numbers(*shape) for name, shape in shapes.items()}


def _labelled(choose: Chooser, **options: Any) -> Arguments:
    a = _draw(choose, **options)
    x, K = a.pop("x"), len(a["b2"])
    labels = np.array([(choose.integer(0, K - 1) + n) % K for n in range(len(x))])
    return {"x": x, "labels": labels, **a}


_DRAWN: dict[str, dict[str, Any]] = {
    "one image, one filter": {},
    "several filters": {"filters": 3},
    "a batch of images": {"images": 3, "filters": 2},
    "several windows of the pool, with cells left over": {"rows": 3, "columns": 5},
    "all of it at once": {
        "images": 3, "filters": 4, "channels": 2, "rows": 3, "columns": 5, "classes": 5,
    },
}  # fmt: skip


# --------------------------------------------------------------------------------------- training


def _training(choose: Chooser, count: int) -> Arguments:
    """The first ``count`` digits, and weights from which training gets well above what is asked."""
    x, labels = digits(count)
    rng = np.random.default_rng(0)
    pooled = ((x.shape[1] - 2) // 2) * ((x.shape[2] - 2) // 2) * _FILTERS
    weights = {
        "W1": 0.3 * rng.standard_normal((3, 3, 1, _FILTERS)),
        "b1": np.zeros(_FILTERS),
        "W2": 0.1 * rng.standard_normal((pooled, _CLASSES)),
        "b2": np.zeros(_CLASSES),
    }
    return {"x": x, "labels": labels, **weights, "rng": Seed(0)}


def _as_it_came(a: Arguments) -> Results:
    """Any finite parameters of the right shapes are accepted: what counts is what they know."""
    return tuple(
        a[new] if a[new].shape == a[old].shape and np.isfinite(a[new]).all() else a[old]
        for new, old in zip(_NEW, PARAMETERS, strict=True)
    )


def _trained(a: Arguments, came: Results) -> Arguments:
    return {**a, **dict(zip(PARAMETERS, came, strict=True))}


def _loss_falls(a: Arguments, came: Results) -> str:
    before, after = float(loss(a)), float(loss(_trained(a, came)))
    if after < before:
        return ""
    words = f"after training the loss on the images it has learnt from is {after:.4g}, and it was "
    words += f"{before:.4g} before"
    if all(np.array_equal(a[name], new) for name, new in zip(PARAMETERS, came, strict=True)):
        return f"{words}: the weights came back as they went in"
    return f"{words}: does each step go downhill, and is the rate small enough?"


def _learns(a: Arguments, came: Results) -> str:
    """Whether it knows digits that it has not seen."""
    x, labels = held_out()
    unseen = accuracy({**_trained(a, came), "x": x, "labels": labels})
    if unseen >= _ASKED:
        return ""
    seen = accuracy(_trained(a, came))
    return (
        f"of {len(labels)} digits that it has not seen it names {unseen:.0%} rightly, where {_ASKED:.0%} "
        f"are asked for, and of the {len(a['labels'])} that it has learnt from {seen:.0%}: "
        + (
            "more steps, or larger ones?"
            if seen < _ASKED
            else "are the batches drawn from all images?"
        )
    )


_LOSS = Assignment(
    "loss_and_gradients",
    ("loss", "dW1", "db1", "dW2", "db2"),
    lambda a: (loss(a), *gradients(a).values()),
    tuple(Case(name, partial(_labelled, **options)) for name, options in _DRAWN.items()),
    LOSS_AND_GRADIENTS,
    lambda a: Differentiable(
        {name: a[name] for name in PARAMETERS},
        lambda W1, b1, W2, b2: loss({**a, "W1": W1, "b1": b1, "W2": W2, "b2": b2}),
        lambda dy, W1, b1, W2, b2: {**a, "W1": W1, "b1": b1, "W2": W2, "b2": b2},
        lambda dy, results: tuple(dy * result for result in results[1:]),
    ),
)

EXERCISE = Exercise(
    "tiny-net",
    "a network of your own, which learns to read digits",
    (
        Assignment(
            "logits",
            ("z",),
            lambda a: (logits(a),),
            tuple(Case(name, partial(_draw, **options)) for name, options in _DRAWN.items()),
            LOGITS,
        ),
        _LOSS,
        Assignment(
            "train",
            _NEW,
            _as_it_came,
            (
                Case("the loss falls", partial(_training, count=100), _loss_falls, once=True),
                Case(
                    "90 % of digits that it has not seen",
                    partial(_training, count=700),
                    _learns,
                    once=True,
                ),
            ),
        ),
    ),
)
