"""The right formula with a wrong array: W flipped or transposed, x shifted, another array's gradient.

What the gradient would be is not worked out: its derivative along a few random directions, measured
with the changed array, is compared with what the wrong gradient claims there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.derivatives.sizes import norm
from tinycnn.checking.diagnosis.evidence import Evidence, output, step
from tinycnn.checking.mistakes.axis_names import is_kernel
from tinycnn.checking.mistakes.mistake import MistakenArray
from tinycnn.checking.mistakes.rearranged import moved, rearrangements, spatial
from tinycnn.checking.report import Diagnosis

_DIRECTIONS = 3
_CLOSE = 1e-5  # of a direction's size; differences at one step are good to about 1e-9
_MOST_CELLS = 100_000  # of all arrays together: every attempt costs forward passes


def substituted(found: Evidence) -> Iterator[Diagnosis]:
    """Another array's gradient, then each other array replaced by what it may be mixed up with."""
    arrays = found.target.arrays
    if found.target.expensive or sum(array.size for array in arrays.values()) > _MOST_CELLS:
        return
    for name, other in arrays.items():
        if name == found.name or other.dtype.kind != "f":
            continue
        same_size = other.size == found.array.size
        if same_size and _claims(found, name, found.analytic.reshape(other.shape), arrays):
            yield Diagnosis(
                "another array's",
                f"looks like the gradient of {name}, because it agrees with the differences for "
                f"{name} along {_DIRECTIONS} random directions; are the results in another order?",
            )
            return
    for name, other in arrays.items():
        if name == found.name or other.dtype.kind != "f":
            continue
        for kind, words, changed, _ in _replacements(name, other):
            if not np.array_equal(changed, other) and _claims(
                found, found.name, found.analytic, {**arrays, name: changed}
            ):
                yield Diagnosis(
                    kind,
                    f"looks like the gradient for another {name}: {words}, because it agrees with the "
                    f"differences for that {name} along {_DIRECTIONS} random directions",
                )
                return


def _replacements(name: str, array: Array) -> Iterator[MistakenArray]:
    for candidate in rearrangements(name, array):
        if np.isfinite(candidate.array).all():
            yield candidate
    if is_kernel(name, array) or array.ndim < 3:
        return
    axes = spatial(name, array)[0]
    for shift in ((1, 1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1), (2, 2), (-2, -2)):
        words = (
            f"{name} moved by {shift[0]} and {shift[1]} cells along axes {axes[0]} and {axes[1]}"
        )
        yield MistakenArray("off by padding", words, moved(array, axes, shift, fill=0.0))
        rolled = np.roll(array, shift, axes)
        yield MistakenArray("off by padding", f"{words}, around the edge", rolled)


def _claims(found: Evidence, name: str, claimed: Array, arrays: Mapping[str, Array]) -> bool:
    """Whether ``claimed`` is the gradient by ``name`` at ``arrays``, along random directions."""
    rng = np.random.default_rng(0)
    h, array = step(arrays[name]), arrays[name]
    for _ in range(_DIRECTIONS):
        direction = rng.standard_normal(array.shape)
        ahead = output(found.target, {**arrays, name: array + h * direction})
        behind = output(found.target, {**arrays, name: array - h * direction})
        if ahead.shape != found.dy.shape:
            return False
        slope = float(np.vdot(found.dy, ahead - behind)) / (2 * h)
        claim = float(np.vdot(claimed, direction))
        if not abs(slope - claim) <= _CLOSE * norm(claimed):
            return False
    return bool(claimed.any())
