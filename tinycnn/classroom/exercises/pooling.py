"""The exercise "max-pool-backward"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

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
from tinycnn.kernels import reference

Size = tuple[int, int]


class _Cell(NamedTuple):
    """An output cell and the window that it is the maximum of."""

    place: tuple[int, int, int, int]
    rows: slice
    columns: slice


def _pooled(a: Arguments) -> tuple[Array, Array]:
    """The naive maxima, and who won."""
    x, kernel, stride = a["x"], a["kernel"], a["stride"]
    N, H, W, C = x.shape
    size = [(n - k) // s + 1 for n, k, s in zip((H, W), kernel, stride, strict=True)]
    y = np.empty((N, *size, C))
    winner = np.empty(y.shape, np.intp)
    reference.max_pool2d(x, 0, N * size[0], kernel, stride, (0, 0), (1, 1), y, winner)
    return y, winner


def _gradient(a: Arguments) -> Array:
    dx = np.empty(a["x"].shape)
    geometry = a["kernel"], a["stride"], (0, 0), (1, 1)
    reference.max_pool2d_backward(a["dy"], _pooled(a)[1], 0, len(dx), *geometry, dx)
    return dx


def _expected(a: Arguments) -> Results:
    return (_gradient(a),)


# ----------------------------------------------------------------------------------------- cases


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
        KH = choose.whole(KH_least, KH_most)
        KW = KH if square else choose.whole(KW_least, KW_most)
        stride = strides(choose, (KH, KW))
        H = KH + choose.whole(0, room)
        W = H if square else KW + choose.whole(0, room + 1 if room else 0)
        N, C = choose.whole(1, images), choose.whole(1, channels)
        x = choose.few(N, H, W, C) if ties else choose.distinct(N, H, W, C)
        if shift:
            x = x - x.size  # all below zero
        a: Arguments = {"x": x, "kernel": (KH, KW), "stride": stride}
        return {"dy": choose.numbers(*_pooled(a)[0].shape), **a}

    return draw


def _apart(choose: Chooser, kernel: Size) -> Size:
    return kernel


def _gaps(choose: Chooser, kernel: Size) -> Size:
    return kernel[0] + choose.whole(1, 2), kernel[1] + 1


def _overlapping(choose: Chooser, kernel: Size) -> Size:
    return choose.whole(1, max(1, kernel[0] - 1)), choose.whole(1, max(1, kernel[1] - 1))


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


# -------------------------------------------------------------------------------------- mistakes


def _cells(a: Arguments) -> Iterator[_Cell]:
    (KH, KW), (sh, sw) = a["kernel"], a["stride"]
    for index in np.ndindex(a["dy"].shape):
        _, oh, ow, _ = index
        yield _Cell(index, slice(oh * sh, oh * sh + KH), slice(ow * sw, ow * sw + KW))


def _by_window(
    share: Callable[[Array, float], Array], *, overwrite: bool = False
) -> Callable[[Arguments], Array]:
    """dx by a rule of one's own: ``share(window, dy)`` is what the window's cells get."""

    def make(a: Arguments) -> Array:
        dx = np.zeros(a["x"].shape)
        for (n, oh, ow, c), rows, columns in _cells(a):
            window = a["x"][n, rows, columns, c]
            part = share(window, a["dy"][n, oh, ow, c])
            place = dx[n, rows, columns, c]
            place[...] = np.where(part != 0, part, place) if overwrite else place + part
        return dx

    return make


def _winner_takes(window: Array, dy: float, position: int) -> Array:
    part = np.zeros(window.size)
    part[position] = dy
    return part.reshape(window.shape)


def _first(window: Array, dy: float) -> Array:
    return _winner_takes(window, dy, int(window.argmax()))


def _last(window: Array, dy: float) -> Array:
    return _winner_takes(window, dy, window.size - 1 - int(window.ravel()[::-1].argmax()))


def _all_tied(window: Array, dy: float) -> Array:
    return np.where(window == window.max(), dy, 0.0)


def _shared(window: Array, dy: float) -> Array:
    tied = window == window.max()
    return np.where(tied, dy / np.count_nonzero(tied), 0.0)


def _everyone(window: Array, dy: float) -> Array:
    return np.full(window.shape, dy / window.size)


def _whole_overwritten(a: Arguments) -> Array:
    """Each window's part, its zeros too, written over what was there."""
    dx = np.zeros(a["x"].shape)
    for (n, oh, ow, c), rows, columns in _cells(a):
        dx[n, rows, columns, c] = _first(a["x"][n, rows, columns, c], a["dy"][n, oh, ow, c])
    return dx


def _first_image_only(a: Arguments) -> Array:
    dx = _gradient(a)
    dx[1:] = 0
    return dx


def _swapped_window(a: Arguments) -> Array:
    """The winner's place read with height and width of the window exchanged."""
    KH, (sh, sw) = a["kernel"][0], a["stride"]
    dx = np.zeros(a["x"].shape)
    for (n, oh, ow, c), rows, columns in _cells(a):
        i, j = divmod(int(a["x"][n, rows, columns, c].argmax()), KH)
        h, w = oh * sh + i, ow * sw + j
        if h < dx.shape[1] and w < dx.shape[2]:
            dx[n, h, w, c] += a["dy"][n, oh, ow, c]
    return dx


def _nobody_below_zero(window: Array, dy: float) -> Array:
    return _first(window, dy) if window.max() > 0 else np.zeros(window.shape)


def _corner_below_zero(window: Array, dy: float) -> Array:
    return _first(window, dy) if window.max() > 0 else _winner_takes(window, dy, 0)


def _into_first_image(a: Arguments) -> Array:
    dx = _gradient(a)
    dx[0] = dx.sum(0)
    dx[1:] = 0
    return dx


_OVERWRITTEN = (
    "overlapping windows overwritten instead of added, because a cell that won several windows has "
    "the dy of the last alone: write dx[...] += ..., not dx[...] = ..."
)

EXERCISE = Exercise(
    "max-pool-backward",
    "the gradient of max-pooling, windows overlapping",
    (
        Task(
            "max_pool2d_backward",
            ("dx",),
            _expected,
            _CASES,
            (
                Mistake("dx", _by_window(_first, overwrite=True), _OVERWRITTEN),
                Mistake("dx", _whole_overwritten, _OVERWRITTEN),
                Mistake(
                    "dx",
                    _by_window(_all_tied),
                    "every tied maximum paid, because each of several equal maxima has the whole dy: "
                    "one window pays its dy once",
                ),
                Mistake(
                    "dx",
                    _by_window(_shared),
                    "dy shared among equal maxima, because each has its part of it: the first gets it all",
                ),
                Mistake(
                    "dx",
                    _by_window(_last),
                    "the last of several equal maxima paid, because dx is right but for ties: the first "
                    "in reading order gets it (compare with >, not with >=)",
                ),
                Mistake(
                    "dx",
                    _by_window(_everyone),
                    "the gradient of the average, because every cell has dy / (KH*KW): only the "
                    "maximum gets any",
                ),
                Mistake(
                    "dx",
                    _by_window(lambda window, dy: np.full(window.shape, dy)),
                    "every cell of the window paid, because each has the whole dy: only the maximum "
                    "gets any",
                ),
                Mistake(
                    "dx",
                    _by_window(_nobody_below_zero),
                    "a maximum that starts at 0, because windows of numbers below zero pay nobody: "
                    "start with the window's first cell, or with -inf",
                ),
                Mistake(
                    "dx",
                    _by_window(_corner_below_zero),
                    "a maximum that starts at 0, because windows of numbers below zero pay their first "
                    "cell: start with that cell's number, or with -inf",
                ),
                Mistake(
                    "dx",
                    lambda a: _by_window(_first)({**a, "stride": a["kernel"]}),
                    "the kernel's size taken for the stride, because the windows begin at oh*KH, ow*KW",
                ),
                Mistake(
                    "dx",
                    _into_first_image,
                    "the batch left out, because the dx of all images were added to the first",
                ),
                Mistake(
                    "dx",
                    _swapped_window,
                    "height and width of the window swapped, because the winner's number was read with "
                    "divmod(winner, KH): it is i*KW + j",
                ),
                Mistake(
                    "dx",
                    _first_image_only,
                    "the batch left out, because only the first image's dx is filled in",
                ),
                Mistake(
                    "dx",
                    _by_window(lambda window, dy: _first(window, 1.0)),
                    "dy left out, because each winner has 1 instead of its window's dy",
                ),
            ),
            lambda a: Pair(
                {"x": a["x"]},
                lambda x: _pooled({**a, "x": x})[0],
                lambda dy, x: {**a, "dy": dy, "x": x},
            ),
        ),
    ),
)
