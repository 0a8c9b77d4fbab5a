"""Mistakes in the gradient of max-pooling."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.mistake import Arguments, mistakes_in
from tinycnn.checking.mistakes.naive import max_pool_gradient
from tinycnn.checking.mistakes.sums import first_image_only, one_share

Place = tuple[int, slice, slice, int]  # of a window in x
Rule = Callable[[Array, float], Array]  # what the cells of a window get of its dy


def _windows(a: Arguments) -> Iterator[tuple[tuple[int, ...], Place]]:
    """For each (n, oh, ow, c) the place of its window."""
    (KH, KW), (sh, sw) = a["kernel"], a["stride"]
    for n, oh, ow, c in np.ndindex(a["dy"].shape):
        place = n, slice(oh * sh, oh * sh + KH), slice(ow * sw, ow * sw + KW), c
        yield (n, oh, ow, c), place


def _shares(a: Arguments, rule: Rule) -> tuple[Array, Array]:
    """What each window gives to each cell of x, and which cells it reads: (windows, cells) both."""
    shape = a["dy"].size, *a["x"].shape
    shares, reads = np.zeros(shape), np.zeros(shape, bool)
    for step, (cell, place) in enumerate(_windows(a)):
        shares[(step, *place)] = rule(a["x"][place], a["dy"][cell])
        reads[(step, *place)] = True
    return shares.reshape(len(shares), -1), reads.reshape(len(reads), -1)


def _by(rule: Rule) -> Callable[[Arguments], Array]:
    """dx by a rule of one's own."""
    return lambda a: _shares(a, rule)[0].sum(axis=0).reshape(a["x"].shape)


# ----------------------------------------------------------------------------------------- rules


def _only(window: Array, dy: float, position: int) -> Array:
    part = np.zeros(window.size)
    part[position] = dy
    return part.reshape(window.shape)


def _first(window: Array, dy: float) -> Array:
    return _only(window, dy, int(window.argmax()))


def _last(window: Array, dy: float) -> Array:
    return _only(window, dy, window.size - 1 - int(window.ravel()[::-1].argmax()))


def _all_tied(window: Array, dy: float) -> Array:
    return np.where(window == window.max(), dy, 0.0)


def _shared(window: Array, dy: float) -> Array:
    tied = window == window.max()
    return np.where(tied, dy / np.count_nonzero(tied), 0.0)


def _everyone(window: Array, dy: float) -> Array:
    return np.full(window.shape, dy / window.size)


def shared_by_all(a: Arguments) -> Array:
    """dx where each cell of a window has an equal part of its dy, as in an average."""
    return _by(_everyone)(a)


def _nobody_below_zero(window: Array, dy: float) -> Array:
    return _first(window, dy) if window.max() > 0 else np.zeros(window.shape)


def _corner_below_zero(window: Array, dy: float) -> Array:
    return _first(window, dy) if window.max() > 0 else _only(window, dy, 0)


# ------------------------------------------------------------------------------------------ sums


def _last_win(a: Arguments) -> Array:
    """Each cell has the dy of the last window that it wins."""
    shares, _ = _shares(a, _first)
    return one_share(shares, shares != 0, last=True).reshape(a["x"].shape)


def _last_window(a: Arguments) -> Array:
    """Each window's part, its zeros too, written over what was there."""
    return one_share(*_shares(a, _first), last=True).reshape(a["x"].shape)


def _swapped_window(a: Arguments) -> Array:
    """The argmax read with height and width of the window exchanged."""
    KH, dx = a["kernel"][0], np.zeros(a["x"].shape)
    for cell, place in _windows(a):
        n, rows, columns, c = place
        i, j = divmod(int(a["x"][place].argmax()), KH)
        h, w = rows.start + i, columns.start + j
        if h < dx.shape[1] and w < dx.shape[2]:
            dx[n, h, w, c] += a["dy"][cell]
    return dx


def _into_first_image(a: Arguments) -> Array:
    dx = max_pool_gradient(a)
    dx[0] = dx.sum(0)
    dx[1:] = 0
    return dx


_OVERWRITTEN = (
    "overlapping windows overwritten instead of added, because a cell that won several windows has "
    "the dy of the last alone: write dx[...] += ..., not dx[...] = ..."
)


MAX_POOL_GRADIENT = mistakes_in(
    "dx",
    (_last_win, "overwritten", _OVERWRITTEN),
    (_last_window, "overwritten", _OVERWRITTEN),
    (
        _by(_all_tied),
        "ties",
        "every tied maximum paid, because each of several equal maxima has the whole dy: "
        "one window pays its dy once",
    ),
    (
        _by(_shared),
        "ties",
        "dy shared among equal maxima, because each has its part of it: the first gets it all",
    ),
    (
        _by(_last),
        "ties",
        "the last of several equal maxima paid, because dx is right but for ties: the first "
        "in reading order gets it (compare with >, not with >=)",
    ),
    (
        shared_by_all,
        "average",
        "the gradient of the average, because every cell has dy / (KH*KW): only the "
        "maximum gets any",
    ),
    (
        _by(lambda window, dy: np.full(window.shape, dy)),
        "average",
        "every cell of the window paid, because each has the whole dy: only the maximum gets any",
    ),
    (
        _by(_nobody_below_zero),
        "maximum",
        "a maximum that starts at 0, because windows of numbers below zero pay nobody: "
        "start with the window's first cell, or with -inf",
    ),
    (
        _by(_corner_below_zero),
        "maximum",
        "a maximum that starts at 0, because windows of numbers below zero pay their first "
        "cell: start with that cell's number, or with -inf",
    ),
    (
        lambda a: _by(_first)({**a, "stride": a["kernel"]}),
        "stride",
        "the kernel's size taken for the stride, because the windows begin at oh*KH, ow*KW",
    ),
    (
        lambda a: _by(_first)({**a, "stride": a["stride"][::-1]}),
        "height and width swapped",
        "height and width of the stride swapped, because the windows begin at oh*SW, ow*SH",
    ),
    (
        _by(lambda window, dy: _first(np.abs(window), dy)),
        "maximum",
        "the largest without its sign, because the cell that is farthest from 0 gets dy: -3 is "
        "smaller than 1",
    ),
    (
        _by(lambda window, dy: _first(-window, dy)),
        "maximum",
        "the smallest instead of the largest, because each window's minimum gets its dy",
    ),
    (
        _into_first_image,
        "one image",
        "the batch left out, because the dx of all images were added to the first",
    ),
    (
        _swapped_window,
        "height and width swapped",
        "height and width of the window swapped, because the winner's number was read with "
        "divmod(winner, KH): it is i*KW + j",
    ),
    (
        lambda a: first_image_only(max_pool_gradient(a)),
        "one image",
        "the batch left out, because only the first image's dx is filled in",
    ),
    (
        _by(lambda window, dy: _first(window, 1.0)),
        "dy ignored",
        "dy left out, because each winner has 1 instead of its window's dy",
    ),
)
