"""Patch, kernel and products of an opened number beside each other, where a terminal is wide enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.readers.factor_grids import FactorGrids, factor_grids
from tinycnn.explain.readers.style import INDENT, Style, headed
from tinycnn.explain.values.explanation import Explanation
from tinycnn.explain.values.printing import decimals, factor, number, printed
from tinycnn.explain.values.sums import Product, add

_ROUNDED = 3  # digits, where all that a pocket calculator needs do not fit
_NOTHING = "."  # padding, or a place that is not read

Texts = list[list[str]]


def draw_beside(explanation: Explanation, style: Style, columns: int) -> list[str]:
    """The maps of the channel that counts, a row of each on a line; [] where they are none, or too wide."""
    grids = [grid for grid in factor_grids(explanation) if grid.has_factors and not grid.rows]
    if not grids:
        return []
    grid = max(grids, key=lambda grid: abs(grid.value))
    for texts, words in ((_exact(grid), ""), (_rounded(grid), f", to {_ROUNDED} digits")):
        lines = _lines(texts)
        if max(map(len, lines)) <= columns:
            names = ", ".join(grid.maps)
            of = f"{grid.title}: " * bool(grid.title)
            total = f"{' ' * INDENT}the products add up to {number(grid.value)}"
            return [*headed("BESIDE", [f"{of}{names}{words}"], style), *lines, total]
    return []


def _exact(grid: FactorGrids) -> list[Texts]:
    """With so many digits that the products can be redone."""
    a, b, _ = grid.maps.values()
    products = {
        at: Product("", float(a[at]), float(b[at]))
        for at in np.ndindex(a.shape)
        if np.isfinite(a[at]) and np.isfinite(b[at])
    }
    shown = printed(add("sum", list(products.values())))
    texts = [[[_NOTHING] * a.shape[1] for _ in range(a.shape[0])] for _ in range(3)]
    for ((row, column), product), value in zip(products.items(), shown.parts, strict=True):
        left, right = product.factors
        whole = (
            factor(left, right, shown),
            factor(right, left, shown),
            _scaled(value, shown.exponent),
        )
        for rows, text in zip(texts, whole, strict=True):
            rows[row][column] = text
    return texts


def _scaled(text: str, exponent: int) -> str:
    return f"{text}e{exponent}" if exponent and float(text) else text


def _rounded(grid: FactorGrids) -> list[Texts]:
    """With as many decimals for a map as its largest number needs."""

    def texts(values: Array) -> Texts:
        places = decimals([float(value) for value in values.flat], _ROUNDED)
        return [[f"{v:.{places}f}" if np.isfinite(v) else _NOTHING for v in row] for row in values]

    return [texts(values) for values in grid.maps.values()]


def _lines(texts: Sequence[Texts]) -> list[str]:
    """A row of all maps on a line, and in the middle the signs between them."""
    widths = [max(len(text) for row in rows for text in row) + 1 for rows in texts]
    middle = (len(texts[0]) - 1) // 2
    lines = []
    for i, rows in enumerate(zip(*texts, strict=True)):
        signs = (" *", " =", "") if i == middle else ("  ", "  ", "")
        cells = (
            "".join(text.rjust(width) for text in row) + sign
            for row, width, sign in zip(rows, widths, signs, strict=True)
        )
        lines.append(" " * (INDENT - 2) + "".join(cells))
    return lines
