"""Mistakes in inverted dropout and its gradient."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.mistake import Arguments, mistakes_in
from tinycnn.checking.mistakes.naive import dropped


def _other_cells(a: Arguments) -> Array:
    """Whatever cells of dx are not 0, scaled right; some of them are 0."""
    kept = a["dx"] != 0
    return np.zeros(0) if kept.all() else dropped(a["dy"], kept, a["rate"])


DROPOUT = mistakes_in(
    "y",
    (
        lambda a: a["x"] * a["mask"],
        "dropout's scale",
        "the scale left out, because y is x * mask: what is kept is divided by 1 - rate, so that "
        "the mean of y is that of x",
    ),
    (
        lambda a: a["x"] * a["mask"] * (1 - a["rate"]),
        "dropout's scale",
        "the scale upside down, because y is x * mask * (1 - rate): it is divided by 1 - rate",
    ),
    (
        lambda a: a["x"] * a["mask"] / (a["rate"] or 1),
        "dropout's scale",
        "the wrong scale, because y is x * mask / rate: it is divided by 1 - rate",
    ),
    (
        lambda a: dropped(a["x"], ~a["mask"].astype(bool), a["rate"]),
        "dropout's mask",
        "the mask the wrong way round, because it is True where x is dropped: True is kept",
    ),
)

DROPOUT_GRADIENT = mistakes_in(
    "dx",
    (
        lambda a: a["dy"] * a["mask"],
        "dropout's scale",
        "the scale left out, because dx is dy * mask: what was kept was divided by 1 - rate",
    ),
    (
        lambda a: a["dy"] * a["mask"] * (1 - a["rate"]),
        "dropout's scale",
        "the scale upside down, because dx is dy * mask * (1 - rate): it is divided by 1 - rate",
    ),
    (
        lambda a: a["dy"] * a["mask"] / (a["rate"] or 1),
        "dropout's scale",
        "the wrong scale, because dx is dy * mask / rate: it is divided by 1 - rate",
    ),
    (
        lambda a: dropped(a["dy"], ~a["mask"], a["rate"]),
        "dropout's mask",
        "the mask the wrong way round, because what was dropped gets dy: True is kept",
    ),
    (
        lambda a: a["dy"] / (1 - a["rate"]),
        "mask",
        "the mask left out, because dx is dy / (1 - rate) everywhere: what was dropped gets 0",
    ),
    (
        _other_cells,
        "dropout's mask",
        "a mask drawn anew, because dx is dy / (1 - rate) where it is not 0, but these are not the "
        "cells of the mask: forward and backward share one mask",
    ),
)
