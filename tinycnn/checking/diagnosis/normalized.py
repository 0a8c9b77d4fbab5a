"""Batch normalisation and its like: whether the function normalises, and what was left out.

Which axes, gamma and eps are, the right gradient tells: it has the form that `mistakes.normalization`
gives, with one s for every group of N cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.derivatives.sizes import scale
from tinycnn.checking.diagnosis.evidence import Evidence
from tinycnn.checking.diagnosis.words import count
from tinycnn.checking.mistakes.axis_names import axis_names
from tinycnn.checking.mistakes.normalization import NormalizedGroups
from tinycnn.checking.report import Diagnosis

_LEAST = 3  # cells of a group: of two, d and dz - mean(dz) are the same but for a factor


def normalized(found: Evidence) -> Iterator[Diagnosis]:
    """The first mistake that fits, if the function normalises."""
    if found.slopes is None or found.y.shape != found.array.shape:
        return
    if not np.isfinite(found.numeric).all():
        return
    for axes in _axes(found.array):
        for weight in _weights(found):
            groups = _groups(found, axes, weight)
            if groups is None:
                continue
            names = axis_names(found.name, found.array)
            over = ", ".join(names[axis] for axis in axes)
            for words, candidate in groups.mistakes():
                if cells := found.agrees(_ungrouped(candidate, found.array.shape, axes)):
                    yield Diagnosis(
                        "normalization",
                        f"looks like {words}: the right gradient is that of a normalisation over "
                        f"{over}, and {count(cells)} agree with this mistake",
                    )
                    return


def _axes(array: Array) -> Iterator[tuple[int, ...]]:
    for number in range(1, array.ndim + 1):
        yield from combinations(range(array.ndim), number)


def _weights(found: Evidence) -> Iterator[Array]:
    """What dy may be multiplied by ahead: 1 (or what is the same for a group), then each array."""
    yield np.ones(found.y.shape)
    for name, array in found.target.arrays.items():
        if name != found.name and array.shape == found.y.shape[found.y.ndim - array.ndim :]:
            yield np.broadcast_to(array, found.y.shape)


def _groups(found: Evidence, axes: tuple[int, ...], weight: Array) -> NormalizedGroups | None:
    """The groups over ``axes``, if the right gradient is that of a normalisation; else None."""
    x, dz, right = (
        _grouped(values, axes) for values in (found.array, found.dy * weight, found.numeric)
    )
    if x.shape[1] < _LEAST:
        return None
    d = x / scale(x) - (x / scale(x)).mean(axis=1, keepdims=True)
    terms = np.stack(
        [dz - dz.mean(axis=1, keepdims=True), d * (dz * d).sum(axis=1, keepdims=True)], axis=2
    )
    inverse = np.linalg.pinv(terms) @ right[:, :, None]
    if not found.same((terms @ inverse)[:, :, 0], right, found.scale) or not inverse[:, 0].all():
        return None
    variance = -inverse[:, 1] / inverse[:, 0]
    share = variance[:, 0] * (d * d).sum(axis=1)  # 1 without eps, N/(N - 1) by that divisor
    if not ((share > 1e-6) & (share < 2)).all():
        return None
    return NormalizedGroups(d, dz, inverse[:, 0], variance)


def _grouped(values: Array, axes: tuple[int, ...]) -> Array:
    """An array with ``axes`` last, as (groups, cells)."""
    last = np.moveaxis(values, axes, range(-len(axes), 0))
    return last.reshape(-1, int(np.prod([values.shape[axis] for axis in axes])))


def _ungrouped(values: Array, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    """`_grouped` undone."""
    others = [size for axis, size in enumerate(shape) if axis not in axes]
    last = values.reshape(*others, *(shape[axis] for axis in axes))
    return np.moveaxis(last, range(-len(axes), 0), axes)
