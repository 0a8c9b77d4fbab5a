"""The size of an array's cells, at any scale that float64 holds: no square over- or underflows."""

from __future__ import annotations

import math

import numpy as np

from tinycnn.arrays import Array


def scale(array: Array, zero: float = 1.0) -> float:
    """The root mean square of an array's cells; ``zero`` if all are zero."""
    largest = float(np.abs(array).max(initial=0.0))
    if not largest:
        return zero
    unit = array / largest
    # What np.mean does, without what it asks first: that takes longer than the sum of a few cells.
    return largest * math.sqrt(float(np.add.reduce(unit * unit, axis=None)) / array.size)


def norm(array: Array) -> float:
    """The root of the sum of squares of an array's cells."""
    return scale(array, zero=0.0) * math.sqrt(array.size)


def ratio(a: Array, b: Array) -> float:
    """The factor f that brings f * b closest to a, a.b / b.b; 0 if b is all zeros."""
    size = scale(b, zero=0.0)
    if not size:
        return 0.0
    unit = b / size
    return float(np.sum(unit * (a / size)) / np.sum(unit * unit))
