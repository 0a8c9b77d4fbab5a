"""Work cut into ranges."""

from __future__ import annotations

import itertools

Range = tuple[int, int]  # (first, last): the numbers from first to last - 1

# Below 16 rows BLAS changes its kernel, and with it the order of its sums.
LEAST_ROWS = 16


def split_range(total: int, size: int, *, least: int = 1) -> list[Range]:
    """Cut range(total) into near-equal (first, last) ranges of about ``size``, none below ``least``."""
    if total <= size:
        return [(0, total)] if total else []
    count = max(min(-(-total // max(size, 1)), total // least), 1 if total else 0)
    edges = [total * i // count for i in range(count + 1)] if count else [0]
    return list(itertools.pairwise(edges))
