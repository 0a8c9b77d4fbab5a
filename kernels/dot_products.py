"""Dot products of windows, where they lie in a map, with filters: for filters that are few.

What `tinycnn.kernels.window_products` is where they are many.
"""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.dot_tiles import multiply_dots
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES

_ROWS = 8  # which read the same weights, and in turn are read by them


@kernel(shared=True)
def dot_products(
    a: Any, a0: int, places: Any, b: Any, runs: Any, count: int, length: int, F: int,
    group: tuple[int, int], step: tuple[int, int], bias: Any, relu: bool, c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """c = a b + bias, rectified if ``relu``, where the numbers of a row, and of a filter, lie side by side.

    Row r of a begins at a[a0 + places[r]], and row r of c, of F numbers, at c[c0 + targets[r]]. The numbers
    of both come in ``count`` runs: those of run k are the ``length`` numbers from a[runs[2*k]] on, counted
    from there, and for the first filter those from b[runs[2*k + 1]] on. In groups (Cg, Fg), filter f sees
    what lies f // Fg * Cg numbers further on in a; ``step`` (filter, group) says how much further on in b the
    next filter of a group lies, and the next group. Each lane of a vector is added up over the runs in their
    order, then the lanes by halves, then comes the bias. Arrays are float32 or float64.
    """
    (Cg, Fg), (b_filter, b_group), last = group, step, len(places) - 1
    for r in range(0, last + 1, _ROWS):
        for g in range(F // Fg):
            at, end, f, to = a0 + g * Cg, (g + 1) * Fg, g * Fg, g * b_group
            while f < end:
                if LANES == 16 and end - f >= 4:
                    for row in range(r, min(r + _ROWS, last + 1), 4):
                        multiply_dots(
                            4, 4, a, at, places, row, last, b, to, b_filter, runs, count, length, bias, f,
                            relu, c, c0 + f, targets,
                        )  # fmt: skip
                    f, to = f + 4, to + 4 * b_filter
                elif end - f >= 2:
                    for row in range(r, min(r + _ROWS, last + 1), 4):
                        multiply_dots(
                            4, 2, a, at, places, row, last, b, to, b_filter, runs, count, length, bias, f,
                            relu, c, c0 + f, targets,
                        )  # fmt: skip
                    f, to = f + 2, to + 2 * b_filter
                else:
                    multiply_dots(
                        8, 1, a, at, places, r, last, b, to, b_filter, runs, count, length, bias, f,
                        relu, c, c0 + f, targets,
                    )  # fmt: skip
                    f, to = f + 1, to + b_filter
