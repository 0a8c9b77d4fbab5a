"""Numbers in words: which size of an array a factor is, how many entries agree."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tinycnn.checking.diagnosis.evidence import Evidence
from tinycnn.checking.mistakes.axis_names import axis_names, output_axes

_CLOSE = 1e-6


def _runs(names: tuple[str, ...], shape: tuple[int, ...]) -> Iterator[tuple[str, int]]:
    """Each axis alone, then the products of neighbours: ("N", 4), ("OH*OW", 9)."""
    for length in range(1, len(shape) + 1):
        for start in range(len(shape) - length + 1):
            part = slice(start, start + length)
            yield "*".join(names[part]), math.prod(shape[part])


def sizes(found: Evidence) -> dict[int, str]:
    """Sizes above 1 of the output and all arrays, and what they are called."""
    arrays = [(output_axes(found.y), found.y.shape)]
    for name, array in found.target.arrays.items():
        arrays.append((axis_names(name, array), array.shape))
    runs = [run for names, shape in arrays for run in _runs(names, shape)]
    named: dict[int, str] = {}
    for name, size in sorted(runs, key=lambda run: run[0].count("*")):
        if size > 1:
            named.setdefault(size, name)
    return named


def size_of(factor: float, found: Evidence) -> str:
    """Say which size a factor is, as in "N = 4" or "OH*OW = 9 divides it"; "" if it is none."""
    for size, name in sizes(found).items():
        if close(abs(factor), size, found.within):
            return f"{name} = {size}"
        if close(abs(factor), 1 / size, found.within):
            return f"{name} = {size} divides it"
    return ""


def close(a: float, b: float, within: float = _CLOSE) -> bool:
    """Whether two factors are the same number."""
    return bool(np.isclose(a, b, rtol=within, atol=0.0))


def shown(number: float) -> str:
    """A number with six digits, a whole one plainly."""
    return f"{number:.6g}" if abs(number - round(number)) > _CLOSE else str(round(number))


def count(cells: int) -> str:
    """Say how many numbers agree."""
    return f"all {cells} entries known" if cells > 1 else "the one entry known"
