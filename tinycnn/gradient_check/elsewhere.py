"""Whether forward hangs on an array anywhere else, where at the values given it does not.

A gradient of 0 is right for a bias ahead of a normalisation, whatever the values are. For units that
are dead at these values alone it says nothing: seven times 0 is 0 as well.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinycnn.arrays import Array
from tinycnn.gradient_check.behaviour import copies
from tinycnn.gradient_check.sizes import scale
from tinycnn.gradient_check.target import Arrays, Target

_FACTORS = (1.0, 30.0, 1e-2, 1e3, 1e6, 1e-4)  # times the values given
_SEEN = 1e-6  # of the largest output: what rounding of large arrays does not reach


def hangs_on(target: Target, name: str) -> str:
    """Where outputs move with the array called ``name``: "... times as large"; "" if nowhere seen."""
    rng = np.random.default_rng(0)
    for factor in _FACTORS:
        for arrays in _others(target.arrays, factor, rng):
            moved = {**arrays, name: _moved(arrays[name], rng)}
            if _differ(target, arrays, moved):
                return f"about {factor:g} times as large" if factor != 1 else "of the same size"
    return ""


def _others(arrays: Arrays, factor: float, rng: np.random.Generator) -> Iterator[dict[str, Array]]:
    """Other values of the same shapes: normal ones, then the same signs, for log and sqrt."""
    floats = {name: array for name, array in arrays.items() if array.dtype.kind == "f"}
    for _ in range(2):
        yield {**arrays, **{name: _normal(array, factor, rng) for name, array in floats.items()}}
        yield {
            **arrays,
            **{name: factor * _moved(array, rng) for name, array in floats.items()},
        }


def _normal(array: Array, factor: float, rng: np.random.Generator) -> Array:
    return np.asarray(factor * scale(array) * rng.standard_normal(array.shape))


def _moved(array: Array, rng: np.random.Generator) -> Array:
    return np.asarray(array * rng.uniform(0.5, 1.5, array.shape))


def _differ(target: Target, arrays: Arrays, others: Arrays) -> bool:
    """Whether the outputs do; where forward does not take these values, that is not seen."""
    with np.errstate(all="ignore"):
        try:
            one, other = (np.array(target.forward(copies(given))) for given in (arrays, others))
        except Exception:  # a function of somebody's, beyond what it was written for
            return False
        if one.shape != other.shape or not one.size:
            return False
        difference, size = np.abs(one - other).max(), max(np.abs(one).max(), np.abs(other).max())
        return bool(np.isfinite(size) and difference > _SEEN * size)
