"""The exercise "im2col"."""

from __future__ import annotations

from functools import partial
from typing import Any

from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.mistakes.naive import convolution, rolled_back, unrolled
from tinycnn.checking.mistakes.unrolling import COL2IM, CONVOLUTION_BY_IM2COL, IM2COL, matrix
from tinycnn.classroom.exercises.exercise import Assignment, Case, Chooser, Differentiable, Exercise
from tinycnn.classroom.exercises.windows import WindowAxis, draw_axes


def _windows(
    choose: Chooser,
    *,
    rows: WindowAxis,
    columns: WindowAxis | None = None,
    channels: int = 1,
    images: int = 1,
) -> Arguments:
    """The arguments of im2col."""
    (H, W), kernel, stride, padding = draw_axes(choose, rows, columns)
    N, C = choose.integer(1, images), choose.integer(1, channels)
    x = choose.numbers(N, H, W, C)
    return {"x": x, "kernel": kernel, "stride": stride, "padding": padding}


def _back(choose: Chooser, **options: Any) -> Arguments:
    """Those of col2im."""
    a = _windows(choose, **options)
    cols = choose.numbers(*matrix(unrolled(a)).shape)
    shape = a.pop("x").shape
    return {"cols": cols, "x_shape": shape, **a}


def _filtered(choose: Chooser, **options: Any) -> Arguments:
    """Those of conv2d."""
    a = _windows(choose, **options)
    F, kernel = choose.integer(1, 4), a.pop("kernel")
    W, b = choose.numbers(*kernel, a["x"].shape[3], F), choose.numbers(F)
    return {"x": a["x"], "W": W, "b": b, "stride": a["stride"], "padding": a["padding"]}


_SMALL = WindowAxis(kernel=(1, 2), windows=(1, 2))
_DRAWN: dict[str, dict[str, Any]] = {
    "one window": {"rows": WindowAxis(kernel=(2, 2))},
    "a square window that slides": {"rows": WindowAxis(kernel=(1, 2), windows=(1, 3))},
    "several channels": {"rows": _SMALL, "channels": 3},
    "a batch of images": {"rows": _SMALL, "images": 3},
    "height and width differ": {
        "rows": WindowAxis(kernel=(1, 2), windows=(1, 3)),
        "columns": WindowAxis(kernel=(1, 3), windows=(1, 4)),
    },
    "a stride for rows and one for columns, with cells left over": {
        "rows": WindowAxis(kernel=(1, 2), windows=(1, 3), stride=(1, 3)),
        "columns": WindowAxis(kernel=(1, 3), windows=(1, 2), stride=(1, 2)),
    },
    "padding for rows and for columns": {
        "rows": WindowAxis(kernel=(1, 3), windows=(1, 3), padding=(0, 1)),
        "columns": WindowAxis(kernel=(1, 2), windows=(1, 4), padding=(0, 2)),
    },
    "all of it at once": {
        "rows": WindowAxis(kernel=(1, 3), windows=(1, 3), stride=(1, 2), padding=(0, 1)),
        "columns": WindowAxis(kernel=(1, 2), windows=(1, 4), stride=(1, 3), padding=(0, 2)),
        "channels": 3,
        "images": 2,
    },
}

EXERCISE = Exercise(
    "im2col",
    "a convolution as a product of matrices, and the way back",
    (
        Assignment(
            "im2col",
            ("cols",),
            lambda a: (matrix(unrolled(a)),),
            tuple(Case(name, partial(_windows, **options)) for name, options in _DRAWN.items()),
            IM2COL,
        ),
        Assignment(
            "col2im",
            ("x",),
            lambda a: (rolled_back(a),),
            tuple(Case(name, partial(_back, **options)) for name, options in _DRAWN.items()),
            COL2IM,
            lambda a: Differentiable(
                {"x": rolled_back(a)},
                lambda x: matrix(unrolled({**a, "x": x})),
                lambda dy, x: {**a, "cols": dy},
            ),
        ),
        Assignment(
            "conv2d",
            ("y",),
            lambda a: (convolution(a),),
            tuple(Case(name, partial(_filtered, **options)) for name, options in _DRAWN.items()),
            CONVOLUTION_BY_IM2COL,
        ),
    ),
)
