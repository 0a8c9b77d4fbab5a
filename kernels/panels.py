"""Panels: columns of a matrix side by side, as many as a tile of a product holds, and products with them."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.microkernels import product_1, product_2, product_4
from tinycnn.kernels.simd import LANES

# Columns of a panel: as many as a tile of 6 rows leaves registers for; and of a narrow one.
PANEL = (4 if LANES == 16 else 2) * LANES
NARROW = 2 * LANES
product = product_4 if LANES == 16 else product_2


@kernel
def width_of(columns: int) -> int:
    """Columns that `product_of` works out where so many are wanted."""
    return LANES if columns <= LANES else NARROW if columns <= NARROW else PANEL


@kernel
def product_of(
    columns: int, rows: int, a: Any, a0: int, a_row: int, a_column: int, depth: int, a_next: int,
    b: Any, b0: int, b_row: int, c: Any, c0: int, c_row: int, add: bool,
) -> None:  # fmt: skip
    """The product with a panel of which only ``columns`` are wanted: as many vectors of it as hold them."""
    if columns <= LANES:
        product_1(rows, a, a0, a_row, a_column, depth, a_next, b, b0, b_row, c, c0, c_row, add)
    elif columns <= NARROW:
        product_2(rows, a, a0, a_row, a_column, depth, a_next, b, b0, b_row, c, c0, c_row, add)
    else:
        product(rows, a, a0, a_row, a_column, depth, a_next, b, b0, b_row, c, c0, c_row, add)
