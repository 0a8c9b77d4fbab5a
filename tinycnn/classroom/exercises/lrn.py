"""The exercise "lrn": local response normalisation across channels."""

from __future__ import annotations

from functools import partial
from typing import Any

from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.mistakes.naive import response_norm, response_norm_gradient
from tinycnn.checking.mistakes.response_norm import RESPONSE_NORM, RESPONSE_NORM_GRADIENT
from tinycnn.classroom.exercises.exercise import (
    Assignment,
    Case,
    Chooser,
    Differentiable,
    Exercise,
)


def _draw(
    choose: Chooser,
    *,
    channels: tuple[int, int] = (1, 1),
    sizes: tuple[int, ...] = (1,),
    grid: int = 1,
    images: int = 1,
    others: bool = False,
) -> Arguments:
    """``others``: coefficients other than alpha = beta = k = 1."""
    N, H = choose.integer(1, images), choose.integer(1, grid)
    shape = N, H, choose.integer(1, grid + 1) if grid > 1 else 1, choose.integer(*channels)
    return {
        "x": choose.numbers(*shape),
        "size": choose.choice(sizes),
        "alpha": choose.choice((1.0, 2.0, 0.5)) if others else 1.0,
        "beta": choose.choice((1.0, 2.0, 0.75)) if others else 1.0,
        "k": choose.choice((1.0, 3.0, 2.0)) if others else 1.0,
    }


def _with_dy(choose: Chooser, **options: Any) -> Arguments:
    a = _draw(choose, **options)
    return {"dy": choose.numbers(*a["x"].shape), **a}


_DRAWN: dict[str, dict[str, Any]] = {
    "one channel": {},
    "one channel, other coefficients": {"others": True},
    "a window of 3 channels": {"channels": (1, 5), "sizes": (3,)},
    "a window larger than the channels": {"channels": (1, 3), "sizes": (5, 7, 9)},
    "rows and columns": {"channels": (1, 3), "sizes": (1, 3), "grid": 2},
    "all of it at once": {
        "channels": (1, 7), "sizes": (1, 3, 5), "grid": 3, "images": 2, "others": True,
    },
}  # fmt: skip


_FORWARD = Assignment(
    "lrn",
    ("y",),
    lambda a: (response_norm(a),),
    tuple(Case(name, partial(_draw, **options)) for name, options in _DRAWN.items()),
    RESPONSE_NORM,
)

_BACKWARD = Assignment(
    "lrn_backward",
    ("dx",),
    lambda a: (response_norm_gradient(a),),
    tuple(Case(name, partial(_with_dy, **options)) for name, options in _DRAWN.items()),
    RESPONSE_NORM_GRADIENT,
    lambda a: Differentiable(
        {"x": a["x"]},
        lambda x: response_norm({**a, "x": x}),
        lambda dy, x: {**a, "dy": dy, "x": x},
    ),
)

EXERCISE = Exercise("lrn", "local response normalisation and its gradient", (_FORWARD, _BACKWARD))
