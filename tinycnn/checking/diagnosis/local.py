"""What is wrong at each output by itself: a mask, a derivative left out, a divisor, a diagonal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.diagnosis.evidence import Evidence, Slopes, measured
from tinycnn.checking.diagnosis.words import count, shown
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
        yield from _cell_by_cell(found)
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
    for mask, words in _wrong_masks(found, off):
        cells = found.agrees((dy * mask) @ full)
        if cells:
            yield Diagnosis("mask", f"looks like {words}, because {count(cells)} agree with it")
            return
    if found.y.shape == found.array.shape and found.agrees(found.dy):
        yield Diagnosis(
            "mask",
            f"looks like dy passed on as it is, without mask or scale, because all {dy.size} "
            f"entries are equal to dy, and {int(off.sum())} outputs are off",
        )
        return
    cells = found.agrees((dy @ full).reshape(found.array.shape) * (found.array > 0))
    if cells:
        yield Diagnosis(
            "mask",
            f"looks like the mask {found.name} > 0 put on the gradient of {found.name}, where dy "
            f"should be masked by y > 0, because {count(cells)} agree with it",
        )


def _wrong_masks(found: Evidence, off: Array) -> Iterator[tuple[Array, str]]:
    dy, number = found.dy.reshape(-1), int(off.sum())
    yield np.ones(dy.size), f"no mask: dy passes {number} of {dy.size} outputs that are off"
    yield dy > 0, "a mask made of dy (dy > 0) instead of y (y > 0)"
    yield off, "a mask turned round: dy passes where the output is off, and nowhere else"
    for name, array in found.target.arrays.items():
        if array.shape == found.y.shape:
            yield array.reshape(-1) > 0, f"a mask made of {name} ({name} > 0) instead of y (y > 0)"


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


def _cell_by_cell(found: Evidence) -> Iterator[Diagnosis]:
    """Where y has the shape of x: one output for each cell, perhaps others besides."""
    assert found.slopes is not None
    slopes = found.slopes.middle
    alone = _diagonal(np.nan_to_num(slopes)) is not None
    y, dy, x, name = found.y, found.dy, found.array, found.name
    diagonal = np.diagonal(slopes).reshape(x.shape)
    if alone and diagonal.all() and found.agrees(dy):
        yield Diagnosis(
            "no derivative",
            f"looks like dy passed on as it is: the function's own derivative is left out, because "
            f"{count(dy.size)} are equal to dy",
        )
    if not alone and (cells := found.agrees(dy * diagonal)):
        yield Diagnosis(
            "diagonal alone",
            f"looks like the diagonal of the Jacobian alone, dy_i * dy_i/d{name}_i: each output also "
            f"hangs on other cells, whose terms are missing, because {count(cells)} agree with it",
        )
    if not alone:
        yield from _constant(found)
        yield from _softmax_axis(found)
    if alone and (there := _at(found, y)) is not None and (cells := found.agrees(dy * there)):
        yield Diagnosis(
            "derivative at y",
            f"looks like the derivative worked out at y instead of {name} (the function is applied "
            f"twice), because {count(cells)} agree with it",
        )


def _at(found: Evidence, values: Array) -> Array | None:
    there: Slopes | None = measured(
        found.target, found.name, {**found.target.arrays, found.name: values}
    )
    return None if there is None else np.diagonal(there.middle).reshape(values.shape)


def _constant(found: Evidence) -> Iterator[Diagnosis]:
    """y = x * s(x) or exp(x) / s(x), and s was not differentiated."""
    y, dy, x, name = found.y, found.dy, found.array, found.name
    if cells := found.agrees(dy * y):
        yield Diagnosis(
            "taken for a constant",
            f"looks like dy*y: the sum that divides (softmax's) was taken for a constant, and "
            f"-y*sum(dy*y) is missing, because {count(cells)} agree with it",
        )
    quotient = np.divide(y, x, out=np.full(x.shape, np.nan), where=x != 0)
    if cells := found.agrees(dy * quotient):
        yield Diagnosis(
            "taken for a constant",
            f"looks like dy*(y/{name}): the scale that {name} is multiplied by was taken for a "
            f"constant, although it hangs on {name}, because {count(cells)} agree with it",
        )


def _softmax_axis(found: Evidence) -> Iterator[Diagnosis]:
    y, dy = found.y, found.dy
    sums = [axis for axis in range(y.ndim) if np.allclose(y.sum(axis), 1)]
    for axis in range(y.ndim):
        wrong = y * (dy - (dy * y).sum(axis, keepdims=True))
        if sums and axis not in sums and (cells := found.agrees(wrong)):
            yield Diagnosis(
                "softmax axis",
                f"looks like y*(dy - sum(dy*y)) with the sum over axis {axis}, while y adds up to 1 "
                f"over axis {sums[-1]}, because {count(cells)} agree with it",
            )


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
    for divisor, words in (
        (np.full(len(row), 1 / row.min()), "everywhere by the same, the full window"),
        (part.sum(axis=1), "by the number of cells that each window has inside"),
    ):
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
