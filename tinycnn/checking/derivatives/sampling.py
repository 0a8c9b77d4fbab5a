"""What is tried: directions over a whole tensor, single entries, cells that are tied.

Signs, never normal numbers: with +-1 no cell is hidden behind larger ones, so that one wrong cell
among 100,000 shows. Only where sizes lie so far apart that a step for the largest cells is none for
the smallest, each moves by a part of its own size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.derivatives.sizes import norm, scale
from tinycnn.checking.targets.target import Arrays

EXHAUSTIVE = 64  # a tensor up to this size is tried cell by cell
OF_LARGE = 32  # so many cells of a larger one
OF_EXPENSIVE = 6  # and of one of a target whose passes cost much
GROUPS = 8  # so many groups of tied cells are moved together
_APART = 1e-6  # of the largest cell: beside smaller ones no step suits all
_SORTED = 1 << 20  # ties are looked for in tensors up to this size


@dataclass(frozen=True)
class Direction:
    """A way to move one array: ``signs`` for ``cells`` (flat indices; None: all of them).

    The signs are +-1, or times each cell's size in units of the array's.
    """

    name: str
    label: str
    signs: Array
    cells: Array | None = None

    @property
    def count(self) -> int:
        """How many cells move."""
        return int(self.signs.size)

    @property
    def norm(self) -> float:
        """The root of the sum of their squares: for +-1 the root of the count."""
        return norm(self.signs)

    def moved(self, arrays: Arrays, step: float) -> dict[str, Array]:
        """``arrays`` with a new array in place of the one that moves."""
        array = arrays[self.name].copy()
        flat = array.reshape(-1)
        if self.cells is None:
            flat += step * self.signs
        else:
            flat[self.cells] += step * self.signs
        return {**arrays, self.name: array}

    def length(self, ahead: Arrays, behind: Arrays, step: float) -> float:
        """How far apart the two points are: 2 * step, but for one cell as rounding left it."""
        if self.count != 1 or self.cells is None:
            return 2 * step
        cell = int(self.cells[0])
        gap = ahead[self.name].reshape(-1)[cell] - behind[self.name].reshape(-1)[cell]
        return float(gap / self.signs[0])

    def along(self, gradient: Array) -> float:
        """The derivative along this direction that ``gradient`` claims."""
        flat = gradient.reshape(-1)
        return float(np.dot(self.signs, flat if self.cells is None else flat[self.cells]))

    def index(self, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """Where the one cell that moves lies in an array of ``shape``; None if more than one moves."""
        if self.count != 1 or self.cells is None:
            return None
        return tuple(int(i) for i in np.unravel_index(int(self.cells[0]), shape))

    def halves(self) -> tuple[Direction, Direction]:
        """The same signs over the first and the second half of the cells."""
        cells = np.arange(self.signs.size) if self.cells is None else self.cells
        middle = len(cells) // 2
        return (
            replace(self, signs=self.signs[:middle], cells=cells[:middle]),
            replace(self, signs=self.signs[middle:], cells=cells[middle:]),
        )


def entry(name: str, cell: int, shape: tuple[int, ...]) -> Direction:
    """The direction that moves one cell, number ``cell`` of an array of ``shape``, by 1."""
    index = np.unravel_index(cell, shape) if shape else ()
    label = f"[{','.join(str(int(i)) for i in index)}]"
    return Direction(name, label, np.ones(1), np.array([cell]))


def signs(name: str, number: int, array: Array, rng: np.random.Generator) -> Direction:
    """A direction that moves all cells, each by its own random sign."""
    drawn = rng.integers(0, 2, array.size, dtype=np.int8)
    return Direction(name, f"direction {number}", (drawn * 2.0 - 1.0) * _weights(array))


def _weights(array: Array) -> Array | float:
    """1, or each cell's own size where these lie far apart; a zero's is that of the smallest."""
    sizes = np.abs(array.reshape(-1))
    least, largest = sizes.min(initial=np.inf, where=sizes > 0), sizes.max(initial=0.0)
    return np.maximum(sizes, least) / scale(array) if least < _APART * largest else 1.0


def ways(direction: Direction, array: Array) -> Iterator[Direction]:
    """The direction, and what may cross no kink where it does.

    Equal values may be tied in a maximum: next they move together. Last, those that are zero, where
    rectifiers have their kink, and those equal to others do not move at all.
    """
    yield direction
    if array.size > _SORTED:
        return
    flat = array.reshape(-1)
    _, first, group, count = np.unique(
        flat, return_index=True, return_inverse=True, return_counts=True
    )
    if len(first) < len(flat):
        yield replace(direction, signs=direction.signs[first][group.reshape(-1)])
    cells = np.flatnonzero((count[group.reshape(-1)] == 1) & (flat != 0))
    if 0 < len(cells) < len(flat):
        yield replace(direction, signs=direction.signs[cells], cells=cells)


def tied(name: str, array: Array, value: float) -> Direction:
    """All cells that hold exactly ``value``, moved together."""
    cells = np.flatnonzero(array.reshape(-1) == value)
    return Direction(name, f"{len(cells)} cells tied at {value:g}", np.ones(len(cells)), cells)


def choose(gradient: Array, samples: int, rng: np.random.Generator) -> Iterator[int]:
    """Cells worth trying, the first ``samples`` of them first: corners, extremes, then random ones.

    All cells come, in the end; who skips one goes on to the next. For a large tensor the random
    ones are drawn and may end.
    """
    size = gradient.size
    flat = np.abs(gradient.reshape(-1))
    special = [0, size - 1, int(flat.argmax()), int(flat.argmin())] if size else []
    chosen = list(dict.fromkeys(special[: max(1, samples // 2)] if samples < size else []))
    yield from chosen
    if size <= 4 * samples or size <= 1 << 16:
        rest = np.arange(size) if samples >= size else rng.permutation(size)
    else:
        rest = np.unique(rng.integers(0, size, 8 * samples))
        rng.shuffle(rest)
    known = set(chosen)
    yield from (int(cell) for cell in rest if int(cell) not in known)
