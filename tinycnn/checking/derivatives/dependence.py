"""What forward does at other values: whether it depends on an array there, how large outputs are.

A gradient of 0 is right for a bias ahead of a normalisation, whatever the values are. For units that
are dead at these values alone it says nothing: seven times 0 is 0 as well. Nor does it where rounding
hides the array: exp(x) at 1e-13, x + 1e13. So values near 1 are asked as well, and those that outputs
of this size could not hide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.behaviour import copies
from tinycnn.checking.derivatives.sizes import scale
from tinycnn.checking.targets.target import Arrays, Target

_FACTORS = (1.0, 30.0, 1e-2, 1e3, 1e6, 1e-4)  # times the values given
_BESIDE = (1.0, 1e3)  # times the largest output
_SEEN = 1e-6  # of the largest output: what rounding of large arrays does not reach


def depends_on(target: Target, name: str) -> str:
    """Where outputs move with the array called ``name``: "... times as large"; "" if nowhere seen."""
    rng = np.random.default_rng(0)
    floats = {n: array for n, array in target.arrays.items() if array.dtype.kind == "f"}
    for words, sizes in _sizes(target, floats):
        for drawn in _others(floats, sizes, rng):
            arrays = {**target.arrays, **drawn}
            moved = {**arrays, name: _moved(arrays[name], rng)}
            if _differ(target, arrays, moved):
                return words
    return ""


def size_elsewhere(target: Target) -> float:
    """The largest output at other values, of the same size and near 1.

    An output that is exactly 0 may be the difference of numbers as large: log(1 + exp(-100)).
    """
    rng = np.random.default_rng(0)
    floats = {n: array for n, array in target.arrays.items() if array.dtype.kind == "f"}
    given = {name: scale(array) for name, array in floats.items()}
    largest = 0.0
    for sizes in (given, dict.fromkeys(given, 1.0)):
        for drawn in _others(floats, sizes, rng):
            y = np.abs(_output(target, {**target.arrays, **drawn}))
            largest = max(largest, float(y.max(initial=0.0, where=np.isfinite(y))))
    return largest


def _sizes(target: Target, floats: Arrays) -> Iterator[tuple[str, dict[str, float]]]:
    """Sizes for each array, in words as well: times those given, then the same for all."""
    given = {name: scale(array) for name, array in floats.items()}
    for factor in _FACTORS:
        words = f"about {factor:g} times as large" if factor != 1 else "of the same size"
        yield words, {name: factor * size for name, size in given.items()}
    y = float(np.abs(target.forward(copies(target.arrays))).max(initial=0.0))
    for size in (1.0, *(part * y for part in _BESIDE)):
        yield f"of about {size:.0e}", dict.fromkeys(given, size)


def _others(
    floats: Arrays, sizes: Mapping[str, float], rng: np.random.Generator
) -> Iterator[dict[str, Array]]:
    """Other values of the same shapes: normal ones, then the same signs, for log and sqrt."""
    for _ in range(2):
        yield {n: np.asarray(sizes[n] * rng.standard_normal(a.shape)) for n, a in floats.items()}
        yield {n: sizes[n] * _moved(a / scale(a), rng) for n, a in floats.items()}


def _moved(array: Array, rng: np.random.Generator) -> Array:
    return np.asarray(array * rng.uniform(0.5, 1.5, array.shape))


def _differ(target: Target, arrays: Arrays, others: Arrays) -> bool:
    """Whether the outputs do; where forward does not take these values, that is not seen."""
    one, other = _output(target, arrays), _output(target, others)
    if one.shape != other.shape or not one.size:
        return False
    with np.errstate(all="ignore"):
        difference, size = np.abs(one - other).max(), max(np.abs(one).max(), np.abs(other).max())
    return bool(np.isfinite(size) and difference > _SEEN * size)


def _output(target: Target, arrays: Arrays) -> Array:
    """What forward gives, nothing where it does not take these values."""
    with np.errstate(all="ignore"):
        try:
            return np.array(target.forward(copies(arrays)))
        except Exception:  # a function of somebody's, beyond what it was written for
            return np.empty(0)
