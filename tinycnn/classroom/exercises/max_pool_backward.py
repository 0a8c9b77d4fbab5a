"""The exercise "max-pool-backward"."""

from __future__ import annotations

from functools import partial
from typing import Any

from tinycnn.checking.mistakes.max_pooling import MAX_POOL_GRADIENT
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.mistakes.naive import max_pool, max_pool_gradient
from tinycnn.classroom.exercises.exercise import Assignment, Case, Chooser, Differentiable, Exercise
from tinycnn.classroom.exercises.windows import WindowAxis, draw_axes


def _draw(
    choose: Chooser,
    *,
    rows: WindowAxis,
    columns: WindowAxis | None = None,
    channels: int = 1,
    images: int = 1,
    below: bool = False,
    ties: bool = False,
) -> Arguments:
    """``below``: all numbers are below zero; ``ties``: some are equal, of the second image all below zero."""
    (H, W), kernel, stride, _ = draw_axes(choose, rows, columns)
    N, C = choose.integer(1, images), choose.integer(1, channels)
    x = choose.few(N, H, W, C) - 1 if ties else choose.distinct(N, H, W, C)
    if ties:
        x[1:] -= 2
    if below:
        x -= x.size
    a: Arguments = {"x": x, "kernel": kernel, "stride": stride}
    return {"dy": choose.numbers(*max_pool(a)[0].shape), **a}


def _case(name: str, *, by_differences: bool = True, **drawn: Any) -> Case:
    return Case(name, partial(_draw, **drawn), by_differences=by_differences)


_APART = WindowAxis(kernel=(1, 2), windows=(1, 2), gap=(0, 0))

_CASES = (
    _case("one window", rows=WindowAxis(kernel=(2, 2))),
    _case("windows side by side", rows=WindowAxis(kernel=(1, 2), windows=(1, 3), gap=(0, 0))),
    _case("numbers below zero", rows=_APART, below=True),
    _case(
        "height and width differ",
        rows=WindowAxis(kernel=(1, 2), windows=(1, 3), gap=(0, 0)),
        columns=WindowAxis(kernel=(1, 3), windows=(1, 3), gap=(0, 0)),
    ),
    _case("several channels", rows=_APART, channels=3),
    _case("a batch of images", rows=_APART, images=3),
    _case(
        "cells that no window reads",
        rows=WindowAxis(kernel=(1, 2), windows=(1, 2), gap=(1, 2)),
        columns=WindowAxis(kernel=(1, 3), windows=(1, 3), gap=(1, 1)),
    ),
    _case(
        "overlapping windows (stride < kernel)",
        rows=WindowAxis(kernel=(1, 3), windows=(1, 3), stride=(1, 2)),
        columns=WindowAxis(kernel=(1, 4), windows=(1, 3), stride=(1, 2)),
    ),
    _case(
        "equal maxima: the first gets it all",
        rows=_APART,
        columns=WindowAxis(kernel=(2, 3), windows=(1, 2), gap=(0, 0)),
        ties=True,
        by_differences=False,
    ),
    _case(
        "all of it at once",  # rows overlap, columns are left out between windows and at the end
        rows=WindowAxis(kernel=(1, 3), windows=(1, 3), stride=(1, 2)),
        columns=WindowAxis(kernel=(1, 2), windows=(1, 2), stride=(1, 3)),
        channels=3,
        images=2,
        ties=True,
        by_differences=False,
    ),
)


EXERCISE = Exercise(
    "max-pool-backward",
    "the gradient of max-pooling, windows overlapping",
    (
        Assignment(
            "max_pool2d_backward",
            ("dx",),
            lambda a: (max_pool_gradient(a),),
            _CASES,
            MAX_POOL_GRADIENT,
            lambda a: Differentiable(
                {"x": a["x"]},
                lambda x: max_pool({**a, "x": x})[0],
                lambda dy, x: {**a, "dy": dy, "x": x},
            ),
        ),
    ),
)
