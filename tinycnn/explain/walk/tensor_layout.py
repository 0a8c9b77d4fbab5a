"""Tensors laid out for looking at: pages of rows and columns, and where a number stands on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.explainer import Grid
from tinycnn.explain.values.places import COLOUR, COLOURS

Spot = tuple[int, ...]  # the cell on its page in reading order, then the page's number on each axis
_WIDEST = 3  # a folded page is at most so much wider than a square


@dataclass(frozen=True)
class TensorLayout:
    """A tensor as pages: ``cells`` is (cells of a page, pages along each axis).

    ``names`` are those of a cell's coordinates, ("row", "column"), or ("unit",) where a vector is
    folded into rows; ``axes`` are those of the pages. ``what`` is the name by which `explain` opens
    its numbers, None where nothing made them.
    """

    title: str
    what: str | None
    cells: Array
    columns: int
    shape: tuple[int, ...]  # the tensor's own
    names: tuple[str, ...]
    axes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of a page; of a folded vector the last one may be shorter."""
        return -(-len(self.cells) // self.columns)

    @property
    def folded(self) -> bool:
        """Whether rows and columns mean nothing."""
        return len(self.names) == 1

    def page(self, spot: Spot) -> Array:
        """The numbers of the page that ``spot`` stands on, in reading order."""
        pages: Array = np.moveaxis(self.cells, 0, -1)
        values: Array = pages[spot[1:]]
        return values

    def value(self, spot: Spot) -> float:
        """The number at ``spot``."""
        return float(self.cells[spot])

    def place(self, spot: Spot) -> tuple[int, ...]:
        """The tensor's own index of ``spot``, as `explain` takes it."""
        return _moved(spot, self.cells.shape, self.shape)

    def spot(self, place: Sequence[int]) -> Spot:
        """Where the tensor's index ``place`` stands."""
        return _moved(tuple(place), self.shape, self.cells.shape)

    def words(self, spot: Spot) -> str:
        """A spot in words: ``row 13, column 13, filter 7``."""
        cell = spot[:1] if self.folded else divmod(spot[0], self.columns)
        named = zip(self.names + self.axes, (*cell, *spot[1:]), strict=True)
        return ", ".join(_called(name, at) for name, at in named)

    def pages(self, spot: Spot) -> str:
        """The page in words: ``filter 7 of 256``; "" if there is only one."""
        counts = zip(self.axes, spot[1:], self.cells.shape[1:], strict=True)
        return ", ".join(
            _called(name, at) if name == COLOUR else f"{name} {at} of {count}"
            for name, at, count in counts
        )

    # ----------------------------------------------------------------------------------- moving

    def step(self, spot: Spot, down: int, right: int) -> Spot:
        """The spot so many rows and columns on, held at the page's edges."""
        row, column = divmod(spot[0], self.columns)
        row = min(max(row + down, 0), self.rows - 1)
        column = min(max(column + right, 0), self.columns - 1)
        return (min(row * self.columns + column, len(self.cells) - 1), *spot[1:])

    def turn(self, spot: Spot, axis: int, by: int) -> Spot:
        """The same cell so many pages on along ``axis``, counted from the last; round at the ends."""
        pages = list(spot[1:])
        pages[axis] = (pages[axis] + by) % self.cells.shape[1:][axis]
        return (spot[0], *pages)

    def largest(self, spot: Spot | None = None) -> Spot:
        """The number of largest size, NaN first: of the page of ``spot``, or of all."""
        if spot is not None:
            return (*_largest(self.page(spot)), *spot[1:])
        return _largest(self.cells)

    def largest_of(self, unit: int) -> Spot:
        """The number of largest size among those whose last index is ``unit``."""
        return self.spot((*_largest(self.cells.reshape(self.shape)[..., unit]), unit))


def _called(axis: str, at: int) -> str:
    return COLOURS[at] if axis == COLOUR else f"{axis} {at}"


def _largest(values: Array) -> tuple[int, ...]:
    """The index of the number of largest size, NaN first."""
    low, high = int(values.argmin()), int(values.argmax())
    flat = low if abs(values.flat[low]) > abs(values.flat[high]) else high
    return tuple(int(i) for i in np.unravel_index(flat, values.shape))


def _moved(index: tuple[int, ...], old: tuple[int, ...], new: tuple[int, ...]) -> tuple[int, ...]:
    """An index of an array as that of the same element after a reshape."""
    flat = int(np.ravel_multi_index(index, old)) if index else 0
    return tuple(int(i) for i in np.unravel_index(flat, new))


# ------------------------------------------------------------------------------------ laying out


def of_output(title: str, what: str | None, values: Array, last: str = "channel") -> TensorLayout:
    """Lay out what belongs to one image: feature maps (H, W, C), a vector (D,), or of any shape."""
    shape = values.shape
    if len(shape) < 2:
        return _folded(title, what, values, ("unit",))
    H, W, *pages = shape
    axes = (last,) if len(pages) == 1 else tuple(f"axis {i}" for i in range(2, len(shape)))
    cells = values.reshape(H * W, *pages)
    return TensorLayout(title, what, cells, W, shape, ("row", "column"), axes)


def of_parameter(title: str, what: str, grid: Grid, values: Array) -> TensorLayout:
    """Lay out a parameter or its gradient, by the input that its numbers meet."""
    if not grid.is_image:
        return _folded(title, what, values, grid.axes)
    rows, columns, *pages = grid.shape
    cells = values.reshape(rows * columns, *pages)
    return TensorLayout(title, what, cells, columns, values.shape, grid.axes[:2], grid.axes[2:])


def _folded(title: str, what: str | None, values: Array, names: tuple[str, ...]) -> TensorLayout:
    """Fold the first axis into rows; the others are pages."""
    cells = values.reshape(values.shape or 1)
    return TensorLayout(title, what, cells, fold(len(cells)), values.shape, names[:1], names[1:])


def fold(size: int) -> int:
    """How wide a vector is folded: without a remainder if that stays near a square."""
    root = math.isqrt(max(size - 1, 0)) + 1
    exact = (width for width in range(root, _WIDEST * root + 1) if size % width == 0)
    return next(exact, root)
