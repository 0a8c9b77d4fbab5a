"""What is wrong at each output by itself: a mask, a derivative left out, a divisor, a diagonal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.diagnosis.evidence import Evidence, measured
from tinycnn.checking.diagnosis.matching import matching
from tinycnn.checking.diagnosis.words import count, shown
from tinycnn.checking.mistakes import jacobians
from tinycnn.checking.mistakes.masks import wrong_masks
from tinycnn.checking.mistakes.mistake import MistakenArray
from tinycnn.checking.mistakes.sums import divisors
from tinycnn.checking.report import Diagnosis

_NONE = 1e-9  # of the largest derivative: as good as none
# Where outputs that are off may come on: the array turned round, larger, or moved.
_ELSEWHERE = ((-1.0, 0.0), (10.0, 0.0), (-10.0, 0.0), (1e3, 0.0), (-1e3, 0.0), (0.0, 1e3))


def local(found: Evidence) -> Iterator[Diagnosis]:
    """Masks, then derivatives of cells alone, then divisors."""
    if found.slopes is None or not np.isfinite(found.slopes.middle).any():
        return
    yield from _masks(found)
    if found.y.shape == found.array.shape:
        yield from matching(found, _cell_by_cell(found))
    yield from _divisor(found)


def _diagonal(slopes: Array) -> Array | None:
    """The derivatives of each output by its own cell, if there are no others; NaN at kinks."""
    if slopes.shape[0] != slopes.shape[1]:
        return None
    others = slopes[~np.eye(len(slopes), dtype=bool)]
    limit = _NONE * np.nanmax(np.abs(slopes), initial=0.0)
    return None if (np.abs(others) > limit).any() else np.diagonal(slopes)


# ------------------------------------------------------------------------------------------ masks


def _masks(found: Evidence) -> Iterator[Diagnosis]:
    """Outputs that are off (ReLU, dropout) get no gradient: a wrong mask lets others through."""
    assert found.slopes is not None
    slopes = np.nan_to_num(found.slopes.middle)
    off = ~(np.abs(slopes) > _NONE * np.abs(slopes).max()).any(axis=1)
    if not off.any() or off.all():
        return
    full, dy = _switched_on(found, slopes, off), found.dy.reshape(-1)
    arrays = found.target.arrays.items()
    like_y = {name: array for name, array in arrays if array.shape == found.y.shape}
    wrong = (
        MistakenArray("mask", words, (dy * mask) @ full)
        for words, mask in wrong_masks(off, dy, like_y)
    )
    of_input = (dy @ full).reshape(found.array.shape) * (found.array > 0)
    guesses = chain(
        matching(found, wrong),
        _unmasked(found, off),
        matching(found, [_input_mask(found, of_input)]),
    )
    yield from islice(guesses, 1)


def _unmasked(found: Evidence, off: Array) -> Iterator[Diagnosis]:
    if found.y.shape == found.array.shape and found.agrees(found.dy):
        yield Diagnosis(
            "mask",
            f"looks like dy passed on as it is, without mask or scale, because all {found.dy.size} "
            f"entries are equal to dy, and {int(off.sum())} outputs are off",
        )


def _input_mask(found: Evidence, masked: Array) -> MistakenArray:
    words = (
        f"the mask {found.name} > 0 put on the gradient of {found.name}, where dy should be masked by "
        f"y > 0"
    )
    return MistakenArray("mask", words, masked)


def _switched_on(found: Evidence, slopes: Array, off: Array) -> Array:
    """The Jacobian with the rows it would have were no output off.

    They are measured where the output is on: at -x, say. For outputs that a mask drops wherever one
    looks, and cells that have one output each, it is the derivative all others share.
    """
    full, left = slopes.copy(), off.copy()
    for factor, shift in _ELSEWHERE:
        if not left.any():
            return full
        moved = factor * found.array + shift * (1 + np.abs(found.array).max())
        there = measured(found.target, found.name, {**found.target.arrays, found.name: moved})
        if there is not None:
            rows = np.nan_to_num(there.middle)
            on = left & (np.abs(rows) > _NONE * np.abs(slopes).max()).any(axis=1)
            full[on] = rows[on]
            left &= ~on
    diagonal = _diagonal(slopes)
    if left.any() and diagonal is not None:
        full[left, left] = np.median(diagonal[~off])
    return full


# ----------------------------------------------------------------------------- a cell, an output


def _cell_by_cell(found: Evidence) -> Iterator[MistakenArray]:
    """Where y has the shape of x: one output for each cell, perhaps others besides."""
    assert found.slopes is not None
    slopes = found.slopes.middle
    y, dy, x, name = found.y, found.dy, found.array, found.name
    diagonal = np.diagonal(slopes).reshape(x.shape)
    if _diagonal(np.nan_to_num(slopes)) is None:
        yield jacobians.diagonal_alone(dy, diagonal, name)
        yield jacobians.sum_as_constant(dy, y)
        quotient = np.divide(y, x, out=np.full(x.shape, np.nan), where=x != 0)
        yield jacobians.scale_as_constant(dy, quotient, name)
        yield from jacobians.softmax_axes(dy, y)
        return
    if diagonal.all():
        yield jacobians.no_derivative(dy)
    there = measured(found.target, name, {**found.target.arrays, name: y})
    if there is not None:
        at_y = np.diagonal(there.middle).reshape(y.shape)
        yield jacobians.derivative_at_y(dy, at_y, name)


# --------------------------------------------------------------------------------------- divisors


def _divisor(found: Evidence) -> Iterator[Diagnosis]:
    """Means over windows of different sizes: divided by another number than forward's."""
    assert found.slopes is not None
    slopes, dy = np.nan_to_num(found.slopes.middle), found.dy.reshape(-1)
    size = np.abs(slopes)
    part = size > _NONE * size.max()
    row = size.max(axis=1)
    plain = part.any(axis=1).all() and (size >= (1 - 1e-6) * row[:, None])[part].all()
    if not plain or part.sum(axis=1).max() < 2:
        return  # the outputs are no plain means
    for words, divisor in divisors(1 / row, part.sum(axis=1)):
        cells = found.agrees((dy / divisor) @ (np.sign(slopes) * part))
        if cells:
            yield Diagnosis(
                "divisor",
                f"looks like a mean divided {words}, because {count(cells)} agree with it; forward "
                f"divides by {_between(1 / row)}, and this by {_between(divisor)}",
            )
            return


def _between(numbers: Array) -> str:
    least, most = shown(float(numbers.min())), shown(float(numbers.max()))
    return least if least == most else f"{least} to {most}"
