"""The exercise "max-pool-backward"."""

from __future__ import annotations

from collections.abc import Callable

from tinycnn.checking.mistakes.max_pooling import MAX_POOL_GRADIENT
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.mistakes.naive import max_pool, max_pool_gradient
from tinycnn.classroom.exercises.exercise import Assignment, Case, Chooser, Differentiable, Exercise

Size = tuple[int, int]


def _draw(
    kernels: tuple[Size, Size],
    strides: Callable[[Chooser, Size], Size],
    *,
    room: int = 0,
    square: bool = False,
    channels: int = 1,
    images: int = 1,
    shift: bool = False,
    ties: bool = False,
) -> Callable[[Chooser], Arguments]:
    """Kernels from ``kernels``' least to its most, ``room`` cells beyond the first window."""

    def draw(choose: Chooser) -> Arguments:
        (KH_least, KW_least), (KH_most, KW_most) = kernels
        KH = choose.integer(KH_least, KH_most)
        KW = KH if square else choose.integer(KW_least, KW_most)
        stride = strides(choose, (KH, KW))
        H = KH + choose.integer(0, room)
        W = H if square else KW + choose.integer(0, room + 1 if room else 0)
        N, C = choose.integer(1, images), choose.integer(1, channels)
        x = choose.few(N, H, W, C) if ties else choose.distinct(N, H, W, C)
        if shift:
            x = x - x.size  # all below zero
        a: Arguments = {"x": x, "kernel": (KH, KW), "stride": stride}
        return {"dy": choose.numbers(*max_pool(a)[0].shape), **a}

    return draw


def _apart(choose: Chooser, kernel: Size) -> Size:
    return kernel


def _gaps(choose: Chooser, kernel: Size) -> Size:
    return kernel[0] + choose.integer(1, 2), kernel[1] + 1


def _overlapping(choose: Chooser, kernel: Size) -> Size:
    return choose.integer(1, max(1, kernel[0] - 1)), choose.integer(1, max(1, kernel[1] - 1))


_CASES = (
    Case("one window", _draw(((2, 2), (2, 3)), _apart, square=True)),
    Case("windows side by side", _draw(((1, 1), (2, 2)), _apart, room=4, square=True)),
    Case("numbers below zero", _draw(((1, 1), (2, 2)), _apart, room=2, square=True, shift=True)),
    Case("height and width differ", _draw(((1, 1), (2, 3)), _apart, room=4)),
    Case("several channels", _draw(((1, 1), (2, 2)), _apart, room=2, channels=3)),
    Case("a batch of images", _draw(((1, 1), (2, 2)), _apart, room=2, images=3)),
    Case("cells that no window reads", _draw(((1, 1), (2, 2)), _gaps, room=4)),
    Case(
        "overlapping windows (stride < kernel)",
        _draw(((1, 2), (3, 3)), _overlapping, room=3),
    ),
    Case(
        "equal maxima: the first gets it all",
        _draw(((1, 2), (2, 3)), _apart, ties=True),
        by_differences=False,
    ),
    Case(
        "all of it at once",
        _draw(((1, 1), (3, 3)), _overlapping, room=4, channels=2, images=2, ties=True),
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
