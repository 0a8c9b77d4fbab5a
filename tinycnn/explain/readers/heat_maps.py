"""Factors and products as heat maps: red above 0, blue below, white at 0, and the sign in text too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.readers.factor_grids import FactorGrids
from tinycnn.explain.values.printing import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# In inches.
_SIDE, _CELL = 2.05, 0.62  # of a map, of one of its cells at most
_LIST_CELL, _NAMES = (0.85, 0.22), 1.2  # of a list, and the room for its rows' names
_LEFT, _ACROSS, _ABOVE, _BELOW, _LEGEND_LINE = 0.35, 0.42, 0.46, 0.4, 0.3
_NUMBER, _SIGN = (0.33, 0.2), 0.11  # sides of a cell in which a number is read, or a sign

_COLOURS, _NOTHING = "RdBu_r", "#d0d0d0"
_DARK = 0.6  # of the largest size: white is read on it
_LEGEND = "Red is above 0, blue below, white 0; grey is padding, or not read. Maps of one name share a scale."
_TEXT, _SMALL = 8.0, 6.5  # points

Size = tuple[float, float]


def height_of(grids: Sequence[FactorGrids]) -> float:
    """How much of a figure the maps take, in inches."""
    rows = _in_rows(grids)
    tall = sum(_ABOVE + _size(row[0])[1] + _BELOW for row in rows)
    return tall + _LEGEND_LINE if rows else 0.0


def draw_grids(figure: Figure, grids: Sequence[FactorGrids]) -> None:
    """Draw the maps at the top of a figure, a row a channel; that of all channels ends the last row."""
    width, height = (float(side) for side in figure.get_size_inches())
    limits, top = _limits(grids), height
    for row in _in_rows(grids):
        left, top = _LEFT + (_NAMES if row[0].rows else 0.0), top - _ABOVE
        for grid in row:
            wide, tall = _size(grid)
            for name, values in grid.maps.items():
                box = (left / width, (top - tall) / height, wide / width, tall / height)
                axes = figure.add_axes(box)
                _draw_map(axes, values, limits[name], (wide, tall))
                _write_around(
                    axes, grid, name, limits[name], (wide, tall), more=grid is not row[-1]
                )
                left += wide + _ACROSS
        top -= _size(row[0])[1] + _BELOW
    first = figure.axes[0]
    at = (_LEFT / width, (top - 0.02) / height)
    first.text(
        *at, _LEGEND, transform=figure.transFigure, fontsize=_SMALL, color="#444444", va="top"
    )


def _in_rows(grids: Sequence[FactorGrids]) -> list[list[FactorGrids]]:
    """The maps of factors and products, a row each; a map alone goes on with the row before."""
    rows: list[list[FactorGrids]] = []
    for grid in grids:
        if rows and not grid.has_factors:
            rows[-1].append(grid)
        else:
            rows.append([grid])
    return rows


def _size(grid: FactorGrids) -> Size:
    """Width and height of each of its maps."""
    rows, columns = next(iter(grid.maps.values())).shape
    if grid.rows:
        return _LIST_CELL[0], rows * _LIST_CELL[1]
    cell = min(_SIDE / max(rows, columns), _CELL)
    return columns * cell, rows * cell


def _limits(grids: Sequence[FactorGrids]) -> Mapping[str, float]:
    """The largest size in the maps of each name: what is darkest."""
    limits: dict[str, float] = {}
    for grid in grids:
        for name, values in grid.maps.items():
            finite = np.abs(values[np.isfinite(values)])
            limits[name] = max(limits.get(name, 0.0), float(finite.max(initial=0.0)))
    return limits


def _draw_map(axes: Axes, values: Array, limit: float, size: Size) -> None:
    """A map, symmetric about 0; numbers in its cells where there is room, else their signs."""
    from matplotlib import colormaps

    colours = colormaps[_COLOURS].with_extremes(bad=_NOTHING)
    known = np.ma.masked_invalid(values)
    largest = limit or 1.0
    axes.imshow(
        known, cmap=colours, vmin=-largest, vmax=largest, interpolation="nearest", aspect="auto"
    )
    axes.set_xticks([])
    axes.set_yticks([])
    rows, columns = values.shape
    wide, tall = size[0] / columns, size[1] / rows
    if min(wide, tall) < _SIGN:
        return
    has_room = wide >= _NUMBER[0] and tall >= _NUMBER[1]
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            text = (
                number(float(value), 3)
                if has_room
                else "+"
                if value > 0
                else "−"
                if value < 0
                else ""
            )
            colour = "white" if abs(value) > _DARK * largest else "black"
            points = min(_SMALL, wide * 72 / (0.7 * max(len(text), 5))) if has_room else _SMALL
            axes.text(column, row, text, ha="center", va="center", fontsize=points, color=colour)


def _write_around(
    axes: Axes, grid: FactorGrids, name: str, limit: float, size: Size, *, more: bool
) -> None:
    """A map's name, its scale, the sign behind it, and what the last one adds up to."""
    names = list(grid.maps)
    is_last = name == names[-1]
    axes.set_title(name if grid.has_factors else grid.title, fontsize=_TEXT, pad=3)
    scale = f"-{number(limit, 3)} .. +{number(limit, 3)}" if limit else "all 0"
    is_whole = not (grid.rows and grid.title)  # some terms of a list add up to something else
    if is_last and is_whole and grid.maps[name].size > 1:
        scale += f"\nadds up to {number(grid.value)}"
    inch = 1 / size[1]
    axes.text(
        0.5, -0.06 * inch, scale, transform=axes.transAxes, ha="center", va="top", fontsize=_SMALL
    )
    if name == names[0] and grid.title and grid.has_factors:
        axes.text(0, 1 + 0.24 * inch, grid.title, transform=axes.transAxes, fontsize=_TEXT, weight="bold",
                  va="bottom")  # fmt: skip
    sign = ("*", "=")[names.index(name)] if not is_last else "+ .." if more else ""
    axes.text(1 + _ACROSS / 2 / size[0], 0.5, sign, transform=axes.transAxes, ha="center", va="center",
              fontsize=13)  # fmt: skip
    if name == names[0]:
        for row, text in enumerate(grid.rows):
            axes.text(-0.6, row, text, ha="right", va="center", fontsize=_SMALL)
