"""Batch normalisation and its like: a part of what x does to the mean or the variance left out.

With d = x - mean(x) and s^2 = var(x) + eps over N cells, y = gamma d/s + beta, and dz = gamma dy:

    dx = (dz - mean(dz) - d mean(dz d) / s^2) / s

(Ioffe and Szegedy, "Batch normalization", 2015). The second term is the mean's, the third the
variance's. Which axes, gamma and eps are, the right gradient tells: it has this form with one s for
every group of N cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.diagnosis.evidence import Evidence
from tinycnn.checking.diagnosis.words import axis_names, count
from tinycnn.checking.report import Diagnosis
from tinycnn.checking.sizes import scale

_LEAST = 3  # cells of a group: of two, d and dz - mean(dz) are the same but for a factor


@dataclass(frozen=True)
class _Groups:
    """x and dz in rows of cells that are normalised together, (groups, N), and how dx is made."""

    d: Array  # x - mean(x)
    dz: Array
    inverse: Array  # 1/s, (groups, 1)
    variance: Array  # the third term's factor: 1/(N s^2), (groups, 1)

    def gradient(self, *, mean: float = 1.0, variance: float | Array = 1.0) -> Array:
        """``dx`` with its second and third term times these."""
        third = self.variance * self.d * (self.dz * self.d).sum(axis=1, keepdims=True)
        own = self.dz - mean * self.dz.mean(axis=1, keepdims=True)
        return np.asarray(self.inverse * (own - variance * third))


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
            for words, candidate in _mistakes(groups):
                if cells := found.agrees(_ungrouped(candidate, found.array.shape, axes)):
                    yield Diagnosis(
                        "normalization",
                        f"looks like {words}: the right gradient is that of a normalisation over "
                        f"{over}, and {count(cells)} agree with this mistake",
                    )
                    return


def _mistakes(groups: _Groups) -> Iterator[tuple[str, Array]]:
    size = groups.d.shape[1]
    mean, variance = "the mean taken for a constant", "the variance taken for a constant"
    yield (
        "mean and variance taken for constants (dx = gamma dy/s)",
        groups.gradient(mean=0, variance=0),
    )
    yield variance, groups.gradient(variance=0)
    yield mean, groups.gradient(mean=0)
    for factor, words in (
        (size / (size - 1), "the variance divided by N - 1 = {less}, where forward has N = {size}"),
        ((size - 1) / size, "the variance divided by N = {size}, where forward has N - 1 = {less}"),
        (0.5, "a 2 missing in the derivative of the variance"),
        (-1.0, "the variance's term with the wrong sign"),
        (size, "a sum over dy d where their mean is due, N = {size}"),
    ):
        yield words.format(less=size - 1, size=size), groups.gradient(variance=factor)
    yield f"a sum over dy where its mean is due, N = {size}", groups.gradient(mean=size)
    # eps is what 1/(N s^2) says beyond the variance itself: without it s is smaller.
    larger = 1 / (groups.variance * (groups.d**2).sum(axis=1, keepdims=True))
    yield (
        "eps forgotten in the standard deviation",
        np.sqrt(larger) * groups.gradient(variance=larger),
    )


def _axes(array: Array) -> Iterator[tuple[int, ...]]:
    for number in range(1, array.ndim + 1):
        yield from combinations(range(array.ndim), number)


def _weights(found: Evidence) -> Iterator[Array]:
    """What dy may be multiplied by ahead: 1 (or what is the same for a group), then each array."""
    yield np.ones(found.y.shape)
    for name, array in found.target.arrays.items():
        if name != found.name and array.shape == found.y.shape[found.y.ndim - array.ndim :]:
            yield np.broadcast_to(array, found.y.shape)


def _groups(found: Evidence, axes: tuple[int, ...], weight: Array) -> _Groups | None:
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
    return _Groups(d, dz, inverse[:, 0], variance)


def _grouped(values: Array, axes: tuple[int, ...]) -> Array:
    """An array with ``axes`` last, as (groups, cells)."""
    last = np.moveaxis(values, axes, range(-len(axes), 0))
    return last.reshape(-1, int(np.prod([values.shape[axis] for axis in axes])))


def _ungrouped(values: Array, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    """`_grouped` undone."""
    others = [size for axis, size in enumerate(shape) if axis not in axes]
    last = values.reshape(*others, *(shape[axis] for axis in axes))
    return np.moveaxis(last, range(-len(axes), 0), axes)
