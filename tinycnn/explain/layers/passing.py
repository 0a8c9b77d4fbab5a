"""A gradient that passes a cell or is stopped there, as a sum of one term."""

from __future__ import annotations

import math

from tinycnn.explain.values.explanation import SumTree
from tinycnn.explain.values.places import Cell
from tinycnn.explain.values.sums import Part, Product, Source, Term, add


def passed_on(heading: str, cell: Cell, riddle: str = "") -> SumTree:
    """dy of a cell of the output as it is."""
    dy, source = _sent(cell)
    return SumTree(heading, add("sum", [Term("dy", dy, source)]), riddle=riddle)


def stopped(heading: str, cell: Cell, riddle: str = "") -> SumTree:
    """dy of a cell of the output times 0, which is 0 even for what is not finite."""
    dy, source = _sent(cell)
    term: Part = Product("dy", dy, 0.0, source) if math.isfinite(dy) else Term("dy", 0.0, source)
    already = "; dy is 0 already" * (dy == 0)
    return SumTree(f"{heading}{already}", add("sum", [term]), riddle=riddle)


def _sent(cell: Cell) -> tuple[float, Source]:
    return float(cell.dy[cell.index]), Source("dy", cell.place)
