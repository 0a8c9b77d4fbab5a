"""Rows of few numbers, taken some at once, so that vectors are filled."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import LANES, kernel

# Numbers of a wide row: what a loop over them takes to begin is little beside it.
_WIDE = 512
# The same where loops are over vectors, which cost nothing to begin.
_NUMBERS = 256


@kernel
def rows_side_by_side(C: int) -> int:
    """So many rows of ``C`` numbers make a wide one."""
    return max(_WIDE // C, 1)


@kernel
def width_of(rows: int, C: int) -> int:
    """Numbers of a wide row where there are so many ``rows`` of ``C``: no wider than a fourth of all."""
    return max(min(_NUMBERS // C, rows // 4), 1) * C


@kernel
def repeat(values: Any, width: int, like: Any) -> Any:
    """The numbers of a row again and again up to ``width``, a multiple, in the dtype of ``like``.

    Then come zeros, to whole vectors.
    """
    C = values.size
    wide = np.zeros(-(-width // LANES) * LANES, like.dtype)
    for first in range(0, width, C):
        for c in range(C):
            wide[first + c] = values[c]
    return wide


@kernel
def four(rows: Any, at: int, width: int) -> tuple[Any, Any, Any, Any]:
    """Four wide rows, from number ``at`` on."""
    return (
        rows[at : at + width],
        rows[at + width : at + 2 * width],
        rows[at + 2 * width : at + 3 * width],
        rows[at + 3 * width : at + 4 * width],
    )


@kernel
def fold(wide: Any, sums: Any) -> None:
    """Add the sums of a wide row to those of its rows, ``sums`` (C,)."""
    C = sums.size
    for first in range(0, wide.size, C):
        for c in range(C):
            sums[c] += wide[first + c]


@kernel
def number_of(first: int, total: int, count: int) -> int:
    """Which of the ``count`` ranges that range(``total``) was cut into begins at ``first``."""
    return -(-first * count // max(total, 1))
