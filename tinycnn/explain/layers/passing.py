"""A gradient that passes a cell or is stopped there, as a sum of one term."""

from __future__ import annotations

import math

from tinycnn.explain.values.explanation import SumTree
from tinycnn.explain.values.sums import Part, Product, Term, add


def passed_on(heading: str, dy: float, riddle: str = "") -> SumTree:
    """dy as it is."""
    return SumTree(heading, add("sum", [Term("dy", dy)]), riddle=riddle)


def stopped(heading: str, dy: float, riddle: str = "") -> SumTree:
    """dy times 0, which is 0 even for what is not finite."""
    term: Part = Product("dy", dy, 0.0) if math.isfinite(dy) else Term("dy", 0.0)
    already = "; dy is 0 already" * (dy == 0)
    return SumTree(f"{heading}{already}", add("sum", [term]), riddle=riddle)
