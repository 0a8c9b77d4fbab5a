"""Values to check at: well apart, so that no step crosses a kink, and with ties, where kinks are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from tinycnn.arrays import Array

_SPAN = 4.0  # separated values lie in -2 .. 2, a standard deviation of 1.15


def separated(
    rng: np.random.Generator, shape: Sequence[int], dtype: DTypeLike = np.float64
) -> Array:
    """Values in -2 .. 2, all of them different and none zero, in random order.

    n cells get n of the m places (i + 1/2) * 4/m - 2, where m is n or, for it must be even, n + 1;
    shuffled, and moved by less than a quarter of their distance. So two cells lie at least 2/m
    apart, and each at least 1/m from zero.
    """
    n = math.prod(shape)
    m = max(n + n % 2, 2)
    places = rng.permutation(m)[:n] + 0.5 + rng.uniform(-0.24, 0.24, n)
    return (places * (_SPAN / m) - _SPAN / 2).reshape(tuple(shape)).astype(dtype)


def tied(
    rng: np.random.Generator, shape: Sequence[int], dtype: DTypeLike = np.float64, top: int = 2
) -> Array:
    """Whole numbers from -``top`` to ``top``: many cells are equal, and many are zero."""
    return rng.integers(-top, top + 1, tuple(shape)).astype(dtype)
