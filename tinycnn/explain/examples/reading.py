"""Which cells each cell of a result was made of, found out by the engine itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.examples.calculation import Calculation, call

Reads = dict[str, list[int]]  # by an operand's name: its cells, row by row


def reads_of(stage: Calculation) -> list[list[Reads]]:
    """For each result, for each of its cells: the cells that it reads.

    A cell is made NaN, and what becomes NaN has read it: NaN times 0 is NaN, and it wins every maximum.
    Operands that only choose what passes, labels and masks and the y of ReLU's gradient, are not found so. A
    result of whole numbers, such as a winner's place, reads what the result before it reads.
    """
    found: list[list[Reads]] = [[{} for _ in result.value.flat] for result in stage.results]
    for name, cell, results in _spoiled(stage):
        for number, array in enumerate(results):
            read = array if array.dtype.kind == "f" else results[number - 1]
            for place in np.flatnonzero(np.isnan(read)):
                found[number][place].setdefault(name, []).append(cell)
    return found


def _spoiled(stage: Calculation) -> Iterator[tuple[str, int, tuple[Array, ...]]]:
    """Each cell of each operand of floating-point numbers, and the results where it is NaN."""
    arrays = [value.array for value in stage.takes]
    for number, value in enumerate(stage.takes):
        if value.array.dtype.kind != "f":
            continue
        for cell in range(value.array.size):
            spoiled = value.array.copy()
            spoiled.flat[cell] = np.nan
            changed = [*arrays[:number], spoiled, *arrays[number + 1 :]]
            with np.errstate(invalid="ignore"):
                yield value.name, cell, call(stage.op, changed, stage.arguments)
