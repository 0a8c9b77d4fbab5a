"""The exercise "dropout"."""

from __future__ import annotations

from functools import partial

import numpy as np

from tinycnn.checking.mistakes.dropout import DROPOUT, DROPOUT_GRADIENT
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.mistakes.naive import dropped
from tinycnn.classroom.exercises.exercise import (
    Assignment,
    Case,
    Chooser,
    Differentiable,
    Exercise,
    Results,
    Seed,
)

# Of a third of so many cells the share that is kept lies within 0.05 of 1 - rate but for one seed in 10**10.
_MANY = 10_000
_CLOSE = 0.05
_CELLS = 16  # of an image: enough that two masks differ
_ROWS = 20  # of as many cells: that three pairs have the same mask by chance happens once in 10**11
_TWINS = 2


def _draw(choose: Chooser, rows: int, rates: tuple[float, ...]) -> Arguments:
    x = choose.numbers(choose.integer(1, rows), choose.integer(1, _CELLS))
    return {"x": x, "rate": choose.choice(rates), "rng": Seed(choose.integer(0, 9))}


def _signs(choose: Chooser, rates: tuple[float, ...]) -> Arguments:
    """As many cells of -1 and 1 as of 0: none of them is dropped more often than the others."""
    x = np.resize([-1.0, 0.0, 1.0], (100, _MANY // 100))
    return {"x": x, "rate": choose.choice(rates), "rng": Seed(0)}


def _ones(choose: Chooser) -> Arguments:
    return {"x": np.ones((_ROWS, _ROWS)), "rate": 0.5, "rng": Seed(0)}


def _for_gradient(choose: Chooser, rows: int, rates: tuple[float, ...]) -> Arguments:
    shape = choose.integer(1, rows), choose.integer(1, _CELLS)
    rate = choose.choice(rates)
    dy, mask = choose.numbers(*shape), choose.few(*shape) > 0
    return {"dy": dy, "mask": mask | (rate == 0), "rate": rate}


# ----------------------------------------------------------------------------------------- rules


def _share(a: Arguments, came: Results) -> str:
    """The share of cells that is kept is 1 - rate, nearly, whatever x is."""
    rate = a["rate"]
    for value in (1, 0, -1):
        mask = came[1][a["x"] == value]
        kept = float(mask.mean())
        if abs(kept - (1 - rate)) >= _CLOSE:
            words = f"of {mask.size:,} cells of x that are {value} {kept:.0%} are kept at rate {rate}, where "
            words += f"{1 - rate:.0%} should be"
            return words + _why(kept, rate, value)
    return ""


def _why(kept: float, rate: float, value: int) -> str:
    if abs(kept - rate) < _CLOSE:
        return ": rate is the share that is dropped"
    return ": the mask does not depend on x" if value < 1 else ""


def _own_masks(a: Arguments, came: Results) -> str:
    """Every image has a mask of its own, and every cell of it."""
    mask = came[1]
    if (mask == mask[:, :1]).all():
        return "all cells of an image are dropped or kept together: draw one number for every cell"
    if (mask == mask[:1]).all():
        return "all images have the same mask: draw one for every cell of x, batch included"
    if len(np.unique(mask, axis=0)) < len(mask) - _TWINS:
        return "some images have the same mask: draw a number for every cell of x, batch included"
    if np.unique(mask, axis=1).shape[1] < mask.shape[1] - _TWINS:
        return (
            "some cells are dropped or kept together in every image: draw one number for every cell"
        )
    return ""


def _everything_kept(a: Arguments, came: Results) -> str:
    return "" if came[1].all() else "at rate 0 nothing is dropped, but the mask holds a False"


def _other_seed(a: Arguments) -> Arguments:
    return {**a, "rng": Seed(a["rng"].number + 1)}


def _expected(a: Arguments) -> Results:
    """Y follows from the mask that came, where one of x's shape did."""
    mask = a["mask"]
    if mask.shape != a["x"].shape or mask.dtype.kind not in "fiub":
        mask = np.ones(a["x"].shape)
    mask = mask.astype(bool)
    return dropped(a["x"], mask, a["rate"]), mask


_FORWARD = Assignment(
    "dropout",
    ("y", "mask"),
    _expected,
    (
        Case(
            "a rate of 0: nothing is dropped",
            partial(_draw, rows=1, rates=(0.0,)),
            _everything_kept,
        ),
        Case("what is kept is scaled up", partial(_draw, rows=1, rates=(0.5, 0.75))),
        Case("a batch of images", partial(_draw, rows=3, rates=(0.5, 0.75, 0.2))),
        Case(
            "the share that is dropped",
            partial(_signs, rates=(0.25, 0.2)),
            _share,
        ),
        Case("a mask for every image", _ones, _own_masks),
        Case(
            "the mask comes from rng",
            _ones,
            unlike=(
                _other_seed,
                "the mask does not depend on rng: another Generator gives the same, where "
                "rng.random(x.shape) would give another",
            ),
        ),
    ),
    DROPOUT,
)

_BACKWARD = Assignment(
    "dropout_backward",
    ("dx",),
    lambda a: (dropped(a["dy"], a["mask"], a["rate"]),),
    (
        Case("a rate of 0", partial(_for_gradient, rows=1, rates=(0.0,))),
        Case("the mask and the scale", partial(_for_gradient, rows=1, rates=(0.5, 0.75))),
        Case("a batch of images", partial(_for_gradient, rows=3, rates=(0.5, 0.75, 0.2))),
    ),
    DROPOUT_GRADIENT,
    lambda a: Differentiable(
        {"x": a["dy"]},
        lambda x: dropped(x, a["mask"], a["rate"]),
        lambda dy, x: {**a, "dy": dy},
    ),
)

EXERCISE = Exercise("dropout", "dropout and its gradient", (_FORWARD, _BACKWARD))
