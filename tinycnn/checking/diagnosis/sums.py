"""Sums that were not summed: overwritten, one image only, a bias over the wrong axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, combinations, islice

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.diagnosis.evidence import Evidence, output
from tinycnn.checking.diagnosis.matching import matching
from tinycnn.checking.mistakes.axis_names import output_axes
from tinycnn.checking.mistakes.mistake import MistakenArray
from tinycnn.checking.mistakes.sums import bias_sums, one_share
from tinycnn.checking.report import Diagnosis


def shares(found: Evidence) -> Iterator[Diagnosis]:
    """The first mistake in a sum that fits: a share alone, or a bias over other axes."""
    if found.slopes is None:
        return
    slopes = np.nan_to_num(found.slopes.middle)
    is_bias = found.array.ndim == 1 and ((slopes != 0).sum(axis=1) <= 1).all()
    counts = slopes != 0
    yield from islice(
        chain(
            matching(found, _one_share(found, slopes, counts, is_bias=is_bias)),
            matching(found, _bias_sums(found, slopes)) if is_bias else (),
            matching(found, _one_share(found, slopes, counts | _reached(found), is_bias=is_bias)),
        ),
        1,
    )


def _one_share(
    found: Evidence, slopes: Array, reads: Array, *, is_bias: bool
) -> Iterator[MistakenArray]:
    """Of the outputs along some axes that read a cell, it has the share of the last or first only."""
    y, names = found.y, output_axes(found.y)
    shares = found.dy.reshape(-1, 1) * slopes
    for number in range(1, y.ndim + 1):
        for axes in combinations(range(y.ndim), number):
            by_step, read = _steps(np.sum, shares, y, axes), _steps(np.any, reads, y, axes)
            several = int((read.sum(axis=0) > 1).sum())
            if not several:
                continue
            for which, last in (("last", True), ("first", False)):
                wrong = one_share(by_step, read, last=last)
                steps = ", ".join(names[axis] for axis in axes)
                words = _share_words(axes, which, steps, is_bias=is_bias)
                yield MistakenArray(*words, wrong, _shares_agree(which, steps, several))


def _share_words(
    axes: tuple[int, ...], which: str, steps: str, *, is_bias: bool
) -> tuple[str, str]:
    if axes == (0,):
        return "one image", f"the gradient of the {which} image (axis 0) only"
    if is_bias:
        return "bias axes", f"a sum over too few axes: not over {steps}"
    words = f"shares that overwrite each other in a loop over {steps} instead of being added"
    return "overwritten", words


def _shares_agree(which: str, steps: str, several: int) -> str:
    return (
        f"hold the {which} share alone, of all steps of {steps} that read the cell, and {several} "
        f"cells are read by several"
    )


def _bias_sums(found: Evidence, slopes: Array) -> Iterator[MistakenArray]:
    """Other axes summed than all but the last: of a bias, whose outputs read one cell each."""
    share = (found.dy.reshape(-1) * slopes.sum(axis=1)).reshape(found.y.shape)
    return bias_sums(share, found.array.size)


def _steps(combine: Callable[..., Array], values: Array, y: Array, axes: tuple[int, ...]) -> Array:
    """(outputs, cells) combined over all axes of y but these: (steps, cells)."""
    others = tuple(axis for axis in range(y.ndim) if axis not in axes)
    together = combine(values.reshape(*y.shape, -1), axis=others)
    return together.reshape(-1, values.shape[1])


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
