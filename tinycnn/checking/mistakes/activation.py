"""Mistakes in ReLU and its gradient."""

from __future__ import annotations

import numpy as np

from tinycnn.checking.mistakes.mistake import mistakes_in
from tinycnn.checking.mistakes.naive import relu, relu_gradient

RELU = mistakes_in(
    "y",
    (lambda a: np.abs(a["x"]), "ReLU", "the absolute value, because what is below zero comes out as -x"),
    (lambda a: np.minimum(a["x"], 0.0), "ReLU", "the part below zero, because y is min(0, x)"),
    (lambda a: a["x"], "ReLU", "no ReLU at all, because y is x"),
    (lambda a: 1.0 * (a["x"] > 0), "ReLU", "the mask alone, because y is 1 where x > 0: it is x there"),
    (lambda a: np.maximum(a["x"], 0.01 * a["x"]), "ReLU", "a leaky ReLU, because y is 0.01*x below zero"),
    (lambda a: -relu(a), "sign", "the sign, because y is minus what it should be"),
)  # fmt: skip

RELU_GRADIENT = mistakes_in(
    "dx",
    (
        lambda a: a["dy"],
        "mask",
        "no mask, because dx is dy: what ReLU made 0 gets nothing",
    ),
    (
        lambda a: np.where(a["dy"] > 0, a["dy"], 0.0),
        "mask",
        "a mask made of dy, because dx is dy where dy > 0: it is x that was above zero or not",
    ),
    (
        lambda a: np.where((a["dy"] > 0) & (a["x"] > 0), a["dy"], 0.0),
        "mask",
        "two masks, because dx is dy where x > 0 and dy > 0: a dy below zero passes as well",
    ),
    (
        lambda a: np.where(a["x"] > 0, 0.0, a["dy"]),
        "mask",
        "the mask turned round, because dy passes where x is not above zero, and nowhere else",
    ),
    (
        lambda a: np.where(a["x"] >= 0, a["dy"], 0.0),
        "mask",
        "zeros that pass, because dx is dy at x = 0 too: ask x > 0, not x >= 0",
    ),
    (
        lambda a: 1.0 * (a["x"] > 0),
        "dy ignored",
        "dy left out, because dx is 1 wherever x > 0",
    ),
    (
        lambda a: a["dy"] * np.maximum(a["x"], 0.0),
        "no derivative",
        "the output instead of its slope, because dx is dy * y: above zero y grows as x does, by 1",
    ),
    (lambda a: -relu_gradient(a), "sign", "the sign, because dx is minus what it should be"),
)
