"""Sums that were not summed: overwritten, one image only, a bias over the wrong axes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, islice

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.diagnosis.evidence import Evidence, output
from tinycnn.checking.diagnosis.words import count, output_axes
from tinycnn.checking.report import Diagnosis


def shares(found: Evidence) -> Iterator[Diagnosis]:
    """The first that fits."""
    if found.slopes is None:
        return
    slopes = np.nan_to_num(found.slopes.middle)
    is_bias = found.array.ndim == 1 and ((slopes != 0).sum(axis=1) <= 1).all()
    counts = slopes != 0
    yield from islice(
        chain(
            _one_share(found, slopes, counts, is_bias),
            _bias(found, slopes) if is_bias else (),
            _one_share(found, slopes, counts | _reached(found), is_bias),
        ),
        1,
    )


def _one_share(found: Evidence, slopes: Array, reads: Array, is_bias: bool) -> Iterator[Diagnosis]:
    """Of the outputs along some axes that read a cell, it has the share of the last or first only."""
    y, names = found.y, output_axes(found.y)
    shares = found.dy.reshape(-1, 1) * slopes
    for number in range(1, y.ndim + 1):
        for axes in combinations(range(y.ndim), number):
            by_step, read = _steps(shares, y.shape, axes, sum), _steps(reads, y.shape, axes, any)
            several = int((read.sum(axis=0) > 1).sum())
            if not several:
                continue
            cells = np.arange(read.shape[1])
            last = len(read) - 1 - np.argmax(read[::-1], axis=0)
            for which, at in (("last", last), ("first", np.argmax(read, axis=0))):
                if agreeing := found.agrees(by_step[at, cells]):
                    steps = ", ".join(names[axis] for axis in axes)
                    yield Diagnosis(*_share_text(is_bias, axes, which, steps, several, agreeing))
                    return


def _share_text(
    is_bias: bool, axes: tuple[int, ...], which: str, steps: str, several: int, agreeing: int
) -> tuple[str, str]:
    because = (
        f"because {count(agreeing)} hold the {which} share alone, of all steps of {steps} that read "
        f"the cell, and {several} cells are read by several"
    )
    if axes == (0,):
        return "one image", f"looks like the gradient of the {which} image (axis 0) only, {because}"
    if is_bias:
        return "bias axes", f"looks like a sum over too few axes: not over {steps}, {because}"
    return (
        "overwritten",
        f"looks like shares that overwrite each other in a loop over {steps} instead of being added, "
        f"{because}",
    )


def _steps(values: Array, y_shape: tuple[int, ...], axes: tuple[int, ...], how: object) -> Array:
    """(outputs, cells) put together over all axes but these: (steps, cells)."""
    apart = values.reshape(*y_shape, -1)
    others = tuple(axis for axis in range(len(y_shape)) if axis not in axes)
    together = apart.any(axis=others) if how is any else apart.sum(axis=others)
    result: Array = together.reshape(-1, values.shape[1])
    return result


def _reached(found: Evidence) -> Array:
    """Which outputs (outputs, cells) read a cell, though it may not count now: a maximum's others."""
    y, reached = found.y.reshape(-1), np.zeros((found.y.size, found.array.size), bool)
    far = 10 * (1 + np.abs(found.array).max())
    for cell in range(found.array.size):
        for push in (far, -far):
            pushed = found.array.copy()
            pushed.flat[cell] += push
            there = output(found.target, {**found.target.arrays, found.name: pushed})
            reached[:, cell] |= there.reshape(-1) != y
    return reached


def _bias(found: Evidence, slopes: Array) -> Iterator[Diagnosis]:
    """Other axes summed than all but the last: of a bias, whose outputs read one cell each."""
    share = (found.dy.reshape(-1) * slopes.sum(axis=1)).reshape(found.y.shape)
    names, size = output_axes(found.y), found.array.size
    for number in range(1, share.ndim + 1):
        for axes in combinations(range(share.ndim), number):
            total = share.sum(axis=axes)
            over = ", ".join(names[axis] for axis in axes)
            if total.size in (1, size):
                candidate, words = np.broadcast_to(total.ravel(), (size,)), f"dy summed over {over}"
            elif total.size > size and total.size % size == 0:
                candidate, words = total.ravel()[:size], f"dy summed over {over} only, then cut off"
            else:
                continue
            if cells := found.agrees(candidate):
                yield Diagnosis("bias axes", f"looks like {words}, because {count(cells)} agree")
                return
    if share.size % size == 0:
        for words, candidate in (
            (f"reshape({size}, -1).sum(1)", share.reshape(size, -1).sum(1)),
            (f"reshape(-1, {size}).sum(0)", share.reshape(-1, size).sum(0)),
        ):
            if cells := found.agrees(candidate):
                yield Diagnosis(
                    "bias axes",
                    f"looks like dy.{words}, which adds cells of different channels, because "
                    f"{count(cells)} agree",
                )
                return
