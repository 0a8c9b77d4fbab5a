"""Products of matrices in the registers, as straight-line code on vectors.

Written by `python -m tools.winograd_kernels`; do not edit. A tile of the result, some rows by some vectors,
stays in registers while k runs: for each k, a row of b is loaded, and each number of a column of a
is multiplied with it. Six rows by four vectors are 24 chains of sums, enough to keep two
multiply-add units busy whatever their latency, and need 29 of 32 registers.
"""

# fmt: off

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import (
    LANES,
    broadcast,
    fma,
    keep_rolled,
    load,
    prefetch,
    read_only,
    splat,
    store,
)


@kernel
def _a_ahead(
    a_next: int, start: int, a0: int, a_column: int, rows: int, tile: int, height: int
) -> tuple[int, int]:
    """What a tile brings of the next a: the first line, and the step from one k to the next."""
    if a_next == start or (a_column != 1 and 16 * tile >= rows):
        return a0, 0
    return (a_next + a0 - start, height) if a_column == 1 else (a_next + 16 * tile, a_column)


@kernel
def product_4(
    rows: int, a: Any, a0: int, a_row: int, a_column: int, depth: int, a_next: int,
    b: Any, b0: int, b_row: int, c: Any, c0: int, c_row: int, add: bool,
) -> None:
    """c (rows, 4*LANES) = a (rows, depth) b (depth, 4*LANES), added to c if ``add``.

    a[i, k] is a[a0 + i*a_row + k*a_column]; row k of b begins at b0 + k*b_row, row i of c at
    c0 + i*c_row. Meanwhile what comes next is brought into L2: the a that begins at ``a_next``, if that
    is not this one, and the b that follows this one, or stands beside it if its rows lie apart.
    """
    zero = splat(0.0)
    # 5s and 4s make up for what 6s leave: 25 rows are five 5s, not four 6s and a 1.
    few = rows if rows < 4 else 3 if rows == 7 else 0
    groups = (rows - few + 5) // 6
    missing = groups * 6 - rows + few
    fours = max(missing - groups, 0)
    fives = missing - 2 * fours
    # Each tile asks for a part: of rows that follow each other the same rows, else a line of each row.
    apart = b_row != 4 * LANES
    b_next = b0 + (4 * LANES if apart else depth * b_row)
    b_forward, b_part = (b_row, 16) if apart else (16, 16 * depth)
    start, tile = a0, 0
    for _ in range(groups - fours - fives):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 6)
        b_line, b_step = b_next + tile * b_part, b_forward if 16 * tile < 4 * LANES else 0
        p0 = a0 + 0 * a_row
        p1 = a0 + 1 * a_row
        p2 = a0 + 2 * a_row
        p3 = a0 + 3 * a_row
        p4 = a0 + 4 * a_row
        p5 = a0 + 5 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s02 = load(c, c0 + 0 * c_row + 2 * LANES)
            s03 = load(c, c0 + 0 * c_row + 3 * LANES)
            s10 = load(c, c0 + 1 * c_row + 0 * LANES)
            s11 = load(c, c0 + 1 * c_row + 1 * LANES)
            s12 = load(c, c0 + 1 * c_row + 2 * LANES)
            s13 = load(c, c0 + 1 * c_row + 3 * LANES)
            s20 = load(c, c0 + 2 * c_row + 0 * LANES)
            s21 = load(c, c0 + 2 * c_row + 1 * LANES)
            s22 = load(c, c0 + 2 * c_row + 2 * LANES)
            s23 = load(c, c0 + 2 * c_row + 3 * LANES)
            s30 = load(c, c0 + 3 * c_row + 0 * LANES)
            s31 = load(c, c0 + 3 * c_row + 1 * LANES)
            s32 = load(c, c0 + 3 * c_row + 2 * LANES)
            s33 = load(c, c0 + 3 * c_row + 3 * LANES)
            s40 = load(c, c0 + 4 * c_row + 0 * LANES)
            s41 = load(c, c0 + 4 * c_row + 1 * LANES)
            s42 = load(c, c0 + 4 * c_row + 2 * LANES)
            s43 = load(c, c0 + 4 * c_row + 3 * LANES)
            s50 = load(c, c0 + 5 * c_row + 0 * LANES)
            s51 = load(c, c0 + 5 * c_row + 1 * LANES)
            s52 = load(c, c0 + 5 * c_row + 2 * LANES)
            s53 = load(c, c0 + 5 * c_row + 3 * LANES)
        else:
            s00 = s01 = s02 = s03 = zero
            s10 = s11 = s12 = s13 = zero
            s20 = s21 = s22 = s23 = zero
            s30 = s31 = s32 = s33 = zero
            s40 = s41 = s42 = s43 = zero
            s50 = s51 = s52 = s53 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            v2 = load(b, at + 2 * LANES)
            v3 = load(b, at + 3 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            s02 = fma(x, v2, s02)
            s03 = fma(x, v3, s03)
            p0 += a_column
            x = broadcast(a, p1)
            s10 = fma(x, v0, s10)
            s11 = fma(x, v1, s11)
            s12 = fma(x, v2, s12)
            s13 = fma(x, v3, s13)
            p1 += a_column
            x = broadcast(a, p2)
            s20 = fma(x, v0, s20)
            s21 = fma(x, v1, s21)
            s22 = fma(x, v2, s22)
            s23 = fma(x, v3, s23)
            p2 += a_column
            x = broadcast(a, p3)
            s30 = fma(x, v0, s30)
            s31 = fma(x, v1, s31)
            s32 = fma(x, v2, s32)
            s33 = fma(x, v3, s33)
            p3 += a_column
            x = broadcast(a, p4)
            s40 = fma(x, v0, s40)
            s41 = fma(x, v1, s41)
            s42 = fma(x, v2, s42)
            s43 = fma(x, v3, s43)
            p4 += a_column
            x = broadcast(a, p5)
            s50 = fma(x, v0, s50)
            s51 = fma(x, v1, s51)
            s52 = fma(x, v2, s52)
            s53 = fma(x, v3, s53)
            p5 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 0 * c_row + 2 * LANES, s02)
        store(c, c0 + 0 * c_row + 3 * LANES, s03)
        store(c, c0 + 1 * c_row + 0 * LANES, s10)
        store(c, c0 + 1 * c_row + 1 * LANES, s11)
        store(c, c0 + 1 * c_row + 2 * LANES, s12)
        store(c, c0 + 1 * c_row + 3 * LANES, s13)
        store(c, c0 + 2 * c_row + 0 * LANES, s20)
        store(c, c0 + 2 * c_row + 1 * LANES, s21)
        store(c, c0 + 2 * c_row + 2 * LANES, s22)
        store(c, c0 + 2 * c_row + 3 * LANES, s23)
        store(c, c0 + 3 * c_row + 0 * LANES, s30)
        store(c, c0 + 3 * c_row + 1 * LANES, s31)
        store(c, c0 + 3 * c_row + 2 * LANES, s32)
        store(c, c0 + 3 * c_row + 3 * LANES, s33)
        store(c, c0 + 4 * c_row + 0 * LANES, s40)
        store(c, c0 + 4 * c_row + 1 * LANES, s41)
        store(c, c0 + 4 * c_row + 2 * LANES, s42)
        store(c, c0 + 4 * c_row + 3 * LANES, s43)
        store(c, c0 + 5 * c_row + 0 * LANES, s50)
        store(c, c0 + 5 * c_row + 1 * LANES, s51)
        store(c, c0 + 5 * c_row + 2 * LANES, s52)
        store(c, c0 + 5 * c_row + 3 * LANES, s53)
        a0 += 6 * a_row
        c0 += 6 * c_row
        tile += 1
    for _ in range(fives):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 5)
        b_line, b_step = b_next + tile * b_part, b_forward if 16 * tile < 4 * LANES else 0
        p0 = a0 + 0 * a_row
        p1 = a0 + 1 * a_row
        p2 = a0 + 2 * a_row
        p3 = a0 + 3 * a_row
        p4 = a0 + 4 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s02 = load(c, c0 + 0 * c_row + 2 * LANES)
            s03 = load(c, c0 + 0 * c_row + 3 * LANES)
            s10 = load(c, c0 + 1 * c_row + 0 * LANES)
            s11 = load(c, c0 + 1 * c_row + 1 * LANES)
            s12 = load(c, c0 + 1 * c_row + 2 * LANES)
            s13 = load(c, c0 + 1 * c_row + 3 * LANES)
            s20 = load(c, c0 + 2 * c_row + 0 * LANES)
            s21 = load(c, c0 + 2 * c_row + 1 * LANES)
            s22 = load(c, c0 + 2 * c_row + 2 * LANES)
            s23 = load(c, c0 + 2 * c_row + 3 * LANES)
            s30 = load(c, c0 + 3 * c_row + 0 * LANES)
            s31 = load(c, c0 + 3 * c_row + 1 * LANES)
            s32 = load(c, c0 + 3 * c_row + 2 * LANES)
            s33 = load(c, c0 + 3 * c_row + 3 * LANES)
            s40 = load(c, c0 + 4 * c_row + 0 * LANES)
            s41 = load(c, c0 + 4 * c_row + 1 * LANES)
            s42 = load(c, c0 + 4 * c_row + 2 * LANES)
            s43 = load(c, c0 + 4 * c_row + 3 * LANES)
        else:
            s00 = s01 = s02 = s03 = zero
            s10 = s11 = s12 = s13 = zero
            s20 = s21 = s22 = s23 = zero
            s30 = s31 = s32 = s33 = zero
            s40 = s41 = s42 = s43 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            v2 = load(b, at + 2 * LANES)
            v3 = load(b, at + 3 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            s02 = fma(x, v2, s02)
            s03 = fma(x, v3, s03)
            p0 += a_column
            x = broadcast(a, p1)
            s10 = fma(x, v0, s10)
            s11 = fma(x, v1, s11)
            s12 = fma(x, v2, s12)
            s13 = fma(x, v3, s13)
            p1 += a_column
            x = broadcast(a, p2)
            s20 = fma(x, v0, s20)
            s21 = fma(x, v1, s21)
            s22 = fma(x, v2, s22)
            s23 = fma(x, v3, s23)
            p2 += a_column
            x = broadcast(a, p3)
            s30 = fma(x, v0, s30)
            s31 = fma(x, v1, s31)
            s32 = fma(x, v2, s32)
            s33 = fma(x, v3, s33)
            p3 += a_column
            x = broadcast(a, p4)
            s40 = fma(x, v0, s40)
            s41 = fma(x, v1, s41)
            s42 = fma(x, v2, s42)
            s43 = fma(x, v3, s43)
            p4 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 0 * c_row + 2 * LANES, s02)
        store(c, c0 + 0 * c_row + 3 * LANES, s03)
        store(c, c0 + 1 * c_row + 0 * LANES, s10)
        store(c, c0 + 1 * c_row + 1 * LANES, s11)
        store(c, c0 + 1 * c_row + 2 * LANES, s12)
        store(c, c0 + 1 * c_row + 3 * LANES, s13)
        store(c, c0 + 2 * c_row + 0 * LANES, s20)
        store(c, c0 + 2 * c_row + 1 * LANES, s21)
        store(c, c0 + 2 * c_row + 2 * LANES, s22)
        store(c, c0 + 2 * c_row + 3 * LANES, s23)
        store(c, c0 + 3 * c_row + 0 * LANES, s30)
        store(c, c0 + 3 * c_row + 1 * LANES, s31)
        store(c, c0 + 3 * c_row + 2 * LANES, s32)
        store(c, c0 + 3 * c_row + 3 * LANES, s33)
        store(c, c0 + 4 * c_row + 0 * LANES, s40)
        store(c, c0 + 4 * c_row + 1 * LANES, s41)
        store(c, c0 + 4 * c_row + 2 * LANES, s42)
        store(c, c0 + 4 * c_row + 3 * LANES, s43)
        a0 += 5 * a_row
        c0 += 5 * c_row
        tile += 1
    for _ in range(fours):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 4)
        b_line, b_step = (b_next, b_row) if tile == 0 else (b0, 0)
        p0 = a0 + 0 * a_row
        p1 = a0 + 1 * a_row
        p2 = a0 + 2 * a_row
        p3 = a0 + 3 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s02 = load(c, c0 + 0 * c_row + 2 * LANES)
            s03 = load(c, c0 + 0 * c_row + 3 * LANES)
            s10 = load(c, c0 + 1 * c_row + 0 * LANES)
            s11 = load(c, c0 + 1 * c_row + 1 * LANES)
            s12 = load(c, c0 + 1 * c_row + 2 * LANES)
            s13 = load(c, c0 + 1 * c_row + 3 * LANES)
            s20 = load(c, c0 + 2 * c_row + 0 * LANES)
            s21 = load(c, c0 + 2 * c_row + 1 * LANES)
            s22 = load(c, c0 + 2 * c_row + 2 * LANES)
            s23 = load(c, c0 + 2 * c_row + 3 * LANES)
            s30 = load(c, c0 + 3 * c_row + 0 * LANES)
            s31 = load(c, c0 + 3 * c_row + 1 * LANES)
            s32 = load(c, c0 + 3 * c_row + 2 * LANES)
            s33 = load(c, c0 + 3 * c_row + 3 * LANES)
        else:
            s00 = s01 = s02 = s03 = zero
            s10 = s11 = s12 = s13 = zero
            s20 = s21 = s22 = s23 = zero
            s30 = s31 = s32 = s33 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            prefetch(b, b_line + 16)
            prefetch(b, b_line + 32)
            prefetch(b, b_line + 48)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            v2 = load(b, at + 2 * LANES)
            v3 = load(b, at + 3 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            s02 = fma(x, v2, s02)
            s03 = fma(x, v3, s03)
            p0 += a_column
            x = broadcast(a, p1)
            s10 = fma(x, v0, s10)
            s11 = fma(x, v1, s11)
            s12 = fma(x, v2, s12)
            s13 = fma(x, v3, s13)
            p1 += a_column
            x = broadcast(a, p2)
            s20 = fma(x, v0, s20)
            s21 = fma(x, v1, s21)
            s22 = fma(x, v2, s22)
            s23 = fma(x, v3, s23)
            p2 += a_column
            x = broadcast(a, p3)
            s30 = fma(x, v0, s30)
            s31 = fma(x, v1, s31)
            s32 = fma(x, v2, s32)
            s33 = fma(x, v3, s33)
            p3 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 0 * c_row + 2 * LANES, s02)
        store(c, c0 + 0 * c_row + 3 * LANES, s03)
        store(c, c0 + 1 * c_row + 0 * LANES, s10)
        store(c, c0 + 1 * c_row + 1 * LANES, s11)
        store(c, c0 + 1 * c_row + 2 * LANES, s12)
        store(c, c0 + 1 * c_row + 3 * LANES, s13)
        store(c, c0 + 2 * c_row + 0 * LANES, s20)
        store(c, c0 + 2 * c_row + 1 * LANES, s21)
        store(c, c0 + 2 * c_row + 2 * LANES, s22)
        store(c, c0 + 2 * c_row + 3 * LANES, s23)
        store(c, c0 + 3 * c_row + 0 * LANES, s30)
        store(c, c0 + 3 * c_row + 1 * LANES, s31)
        store(c, c0 + 3 * c_row + 2 * LANES, s32)
        store(c, c0 + 3 * c_row + 3 * LANES, s33)
        a0 += 4 * a_row
        c0 += 4 * c_row
        tile += 1
    for _ in range(few // 2):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 2)
        b_line, b_step = (b_next, b_row) if tile == 0 else (b0, 0)
        p0 = a0 + 0 * a_row
        p1 = a0 + 1 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s02 = load(c, c0 + 0 * c_row + 2 * LANES)
            s03 = load(c, c0 + 0 * c_row + 3 * LANES)
            s10 = load(c, c0 + 1 * c_row + 0 * LANES)
            s11 = load(c, c0 + 1 * c_row + 1 * LANES)
            s12 = load(c, c0 + 1 * c_row + 2 * LANES)
            s13 = load(c, c0 + 1 * c_row + 3 * LANES)
        else:
            s00 = s01 = s02 = s03 = zero
            s10 = s11 = s12 = s13 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            prefetch(b, b_line + 16)
            prefetch(b, b_line + 32)
            prefetch(b, b_line + 48)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            v2 = load(b, at + 2 * LANES)
            v3 = load(b, at + 3 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            s02 = fma(x, v2, s02)
            s03 = fma(x, v3, s03)
            p0 += a_column
            x = broadcast(a, p1)
            s10 = fma(x, v0, s10)
            s11 = fma(x, v1, s11)
            s12 = fma(x, v2, s12)
            s13 = fma(x, v3, s13)
            p1 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 0 * c_row + 2 * LANES, s02)
        store(c, c0 + 0 * c_row + 3 * LANES, s03)
        store(c, c0 + 1 * c_row + 0 * LANES, s10)
        store(c, c0 + 1 * c_row + 1 * LANES, s11)
        store(c, c0 + 1 * c_row + 2 * LANES, s12)
        store(c, c0 + 1 * c_row + 3 * LANES, s13)
        a0 += 2 * a_row
        c0 += 2 * c_row
        tile += 1
    for _ in range(few % 2):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 1)
        b_line, b_step = (b_next, b_row) if tile == 0 else (b0, 0)
        p0 = a0 + 0 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s02 = load(c, c0 + 0 * c_row + 2 * LANES)
            s03 = load(c, c0 + 0 * c_row + 3 * LANES)
        else:
            s00 = s01 = s02 = s03 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            prefetch(b, b_line + 16)
            prefetch(b, b_line + 32)
            prefetch(b, b_line + 48)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            v2 = load(b, at + 2 * LANES)
            v3 = load(b, at + 3 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            s02 = fma(x, v2, s02)
            s03 = fma(x, v3, s03)
            p0 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 0 * c_row + 2 * LANES, s02)
        store(c, c0 + 0 * c_row + 3 * LANES, s03)
        a0 += 1 * a_row
        c0 += 1 * c_row
        tile += 1


@kernel
def products_4(
    jobs: Any, a: Any, a_row: int, a_column: int, b: Any, b0: int, b_row: int, c: Any, c_row: int,
    add: bool,
) -> None:
    """Call `product_4` for each row of ``jobs``: (rows, depth, a0, what b0 is more, c0)."""
    a, b = read_only(a), read_only(b)
    for job in range(len(jobs)):
        following = min(job + 1, len(jobs) - 1)
        product_4(
            jobs[job, 0], a, jobs[job, 2], a_row, a_column, jobs[job, 1], jobs[following, 2],
            b, b0 + jobs[job, 3], b_row, c, jobs[job, 4], c_row, add,
        )  # fmt: skip


@kernel
def product_3(
    rows: int, a: Any, a0: int, a_row: int, a_column: int, depth: int, a_next: int,
    b: Any, b0: int, b_row: int, c: Any, c0: int, c_row: int, add: bool,
) -> None:
    """c (rows, 3*LANES) = a (rows, depth) b (depth, 3*LANES), added to c if ``add``.

    a[i, k] is a[a0 + i*a_row + k*a_column]; row k of b begins at b0 + k*b_row, row i of c at
    c0 + i*c_row. Meanwhile what comes next is brought into L2: the a that begins at ``a_next``, if that
    is not this one, and the b that follows this one, or stands beside it if its rows lie apart.
    """
    zero = splat(0.0)
    # 5s and 4s make up for what 6s leave: 25 rows are five 5s, not four 6s and a 1.
    few = rows if rows < 4 else 3 if rows == 7 else 0
    groups = (rows - few + 5) // 6
    missing = groups * 6 - rows + few
    fours = max(missing - groups, 0)
    fives = missing - 2 * fours
    # Each tile asks for a part: of rows that follow each other the same rows, else a line of each row.
    apart = b_row != 3 * LANES
    b_next = b0 + (3 * LANES if apart else depth * b_row)
    b_forward, b_part = (b_row, 16) if apart else (16, 16 * depth)
    start, tile = a0, 0
    for _ in range(groups - fours - fives):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 6)
        b_line, b_step = b_next + tile * b_part, b_forward if 16 * tile < 3 * LANES else 0
        p0 = a0 + 0 * a_row
        p1 = a0 + 1 * a_row
        p2 = a0 + 2 * a_row
        p3 = a0 + 3 * a_row
        p4 = a0 + 4 * a_row
        p5 = a0 + 5 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s02 = load(c, c0 + 0 * c_row + 2 * LANES)
            s10 = load(c, c0 + 1 * c_row + 0 * LANES)
            s11 = load(c, c0 + 1 * c_row + 1 * LANES)
            s12 = load(c, c0 + 1 * c_row + 2 * LANES)
            s20 = load(c, c0 + 2 * c_row + 0 * LANES)
            s21 = load(c, c0 + 2 * c_row + 1 * LANES)
            s22 = load(c, c0 + 2 * c_row + 2 * LANES)
            s30 = load(c, c0 + 3 * c_row + 0 * LANES)
            s31 = load(c, c0 + 3 * c_row + 1 * LANES)
            s32 = load(c, c0 + 3 * c_row + 2 * LANES)
            s40 = load(c, c0 + 4 * c_row + 0 * LANES)
            s41 = load(c, c0 + 4 * c_row + 1 * LANES)
            s42 = load(c, c0 + 4 * c_row + 2 * LANES)
            s50 = load(c, c0 + 5 * c_row + 0 * LANES)
            s51 = load(c, c0 + 5 * c_row + 1 * LANES)
            s52 = load(c, c0 + 5 * c_row + 2 * LANES)
        else:
            s00 = s01 = s02 = zero
            s10 = s11 = s12 = zero
            s20 = s21 = s22 = zero
            s30 = s31 = s32 = zero
            s40 = s41 = s42 = zero
            s50 = s51 = s52 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            v2 = load(b, at + 2 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            s02 = fma(x, v2, s02)
            p0 += a_column
            x = broadcast(a, p1)
            s10 = fma(x, v0, s10)
            s11 = fma(x, v1, s11)
            s12 = fma(x, v2, s12)
            p1 += a_column
            x = broadcast(a, p2)
            s20 = fma(x, v0, s20)
            s21 = fma(x, v1, s21)
            s22 = fma(x, v2, s22)
            p2 += a_column
            x = broadcast(a, p3)
            s30 = fma(x, v0, s30)
            s31 = fma(x, v1, s31)
            s32 = fma(x, v2, s32)
            p3 += a_column
            x = broadcast(a, p4)
            s40 = fma(x, v0, s40)
            s41 = fma(x, v1, s41)
            s42 = fma(x, v2, s42)
            p4 += a_column
            x = broadcast(a, p5)
            s50 = fma(x, v0, s50)
            s51 = fma(x, v1, s51)
            s52 = fma(x, v2, s52)
            p5 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 0 * c_row + 2 * LANES, s02)
        store(c, c0 + 1 * c_row + 0 * LANES, s10)
        store(c, c0 + 1 * c_row + 1 * LANES, s11)
        store(c, c0 + 1 * c_row + 2 * LANES, s12)
        store(c, c0 + 2 * c_row + 0 * LANES, s20)
        store(c, c0 + 2 * c_row + 1 * LANES, s21)
        store(c, c0 + 2 * c_row + 2 * LANES, s22)
        store(c, c0 + 3 * c_row + 0 * LANES, s30)
        store(c, c0 + 3 * c_row + 1 * LANES, s31)
        store(c, c0 + 3 * c_row + 2 * LANES, s32)
        store(c, c0 + 4 * c_row + 0 * LANES, s40)
        store(c, c0 + 4 * c_row + 1 * LANES, s41)
        store(c, c0 + 4 * c_row + 2 * LANES, s42)
        store(c, c0 + 5 * c_row + 0 * LANES, s50)
        store(c, c0 + 5 * c_row + 1 * LANES, s51)
        store(c, c0 + 5 * c_row + 2 * LANES, s52)
        a0 += 6 * a_row
        c0 += 6 * c_row
        tile += 1
    for _ in range(fives):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 5)
        b_line, b_step = b_next + tile * b_part, b_forward if 16 * tile < 3 * LANES else 0
        p0 = a0 + 0 * a_row
        p1 = a0 + 1 * a_row
        p2 = a0 + 2 * a_row
        p3 = a0 + 3 * a_row
        p4 = a0 + 4 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s02 = load(c, c0 + 0 * c_row + 2 * LANES)
            s10 = load(c, c0 + 1 * c_row + 0 * LANES)
            s11 = load(c, c0 + 1 * c_row + 1 * LANES)
            s12 = load(c, c0 + 1 * c_row + 2 * LANES)
            s20 = load(c, c0 + 2 * c_row + 0 * LANES)
            s21 = load(c, c0 + 2 * c_row + 1 * LANES)
            s22 = load(c, c0 + 2 * c_row + 2 * LANES)
            s30 = load(c, c0 + 3 * c_row + 0 * LANES)
            s31 = load(c, c0 + 3 * c_row + 1 * LANES)
            s32 = load(c, c0 + 3 * c_row + 2 * LANES)
            s40 = load(c, c0 + 4 * c_row + 0 * LANES)
            s41 = load(c, c0 + 4 * c_row + 1 * LANES)
            s42 = load(c, c0 + 4 * c_row + 2 * LANES)
        else:
            s00 = s01 = s02 = zero
            s10 = s11 = s12 = zero
            s20 = s21 = s22 = zero
            s30 = s31 = s32 = zero
            s40 = s41 = s42 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            v2 = load(b, at + 2 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            s02 = fma(x, v2, s02)
            p0 += a_column
            x = broadcast(a, p1)
            s10 = fma(x, v0, s10)
            s11 = fma(x, v1, s11)
            s12 = fma(x, v2, s12)
            p1 += a_column
            x = broadcast(a, p2)
            s20 = fma(x, v0, s20)
            s21 = fma(x, v1, s21)
            s22 = fma(x, v2, s22)
            p2 += a_column
            x = broadcast(a, p3)
            s30 = fma(x, v0, s30)
            s31 = fma(x, v1, s31)
            s32 = fma(x, v2, s32)
            p3 += a_column
            x = broadcast(a, p4)
            s40 = fma(x, v0, s40)
            s41 = fma(x, v1, s41)
            s42 = fma(x, v2, s42)
            p4 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 0 * c_row + 2 * LANES, s02)
        store(c, c0 + 1 * c_row + 0 * LANES, s10)
        store(c, c0 + 1 * c_row + 1 * LANES, s11)
        store(c, c0 + 1 * c_row + 2 * LANES, s12)
        store(c, c0 + 2 * c_row + 0 * LANES, s20)
        store(c, c0 + 2 * c_row + 1 * LANES, s21)
        store(c, c0 + 2 * c_row + 2 * LANES, s22)
        store(c, c0 + 3 * c_row + 0 * LANES, s30)
        store(c, c0 + 3 * c_row + 1 * LANES, s31)
        store(c, c0 + 3 * c_row + 2 * LANES, s32)
        store(c, c0 + 4 * c_row + 0 * LANES, s40)
        store(c, c0 + 4 * c_row + 1 * LANES, s41)
        store(c, c0 + 4 * c_row + 2 * LANES, s42)
        a0 += 5 * a_row
        c0 += 5 * c_row
        tile += 1
    for _ in range(fours):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 4)
        b_line, b_step = (b_next, b_row) if tile == 0 else (b0, 0)
        p0 = a0 + 0 * a_row
        p1 = a0 + 1 * a_row
        p2 = a0 + 2 * a_row
        p3 = a0 + 3 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s02 = load(c, c0 + 0 * c_row + 2 * LANES)
            s10 = load(c, c0 + 1 * c_row + 0 * LANES)
            s11 = load(c, c0 + 1 * c_row + 1 * LANES)
            s12 = load(c, c0 + 1 * c_row + 2 * LANES)
            s20 = load(c, c0 + 2 * c_row + 0 * LANES)
            s21 = load(c, c0 + 2 * c_row + 1 * LANES)
            s22 = load(c, c0 + 2 * c_row + 2 * LANES)
            s30 = load(c, c0 + 3 * c_row + 0 * LANES)
            s31 = load(c, c0 + 3 * c_row + 1 * LANES)
            s32 = load(c, c0 + 3 * c_row + 2 * LANES)
        else:
            s00 = s01 = s02 = zero
            s10 = s11 = s12 = zero
            s20 = s21 = s22 = zero
            s30 = s31 = s32 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            prefetch(b, b_line + 16)
            prefetch(b, b_line + 32)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            v2 = load(b, at + 2 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            s02 = fma(x, v2, s02)
            p0 += a_column
            x = broadcast(a, p1)
            s10 = fma(x, v0, s10)
            s11 = fma(x, v1, s11)
            s12 = fma(x, v2, s12)
            p1 += a_column
            x = broadcast(a, p2)
            s20 = fma(x, v0, s20)
            s21 = fma(x, v1, s21)
            s22 = fma(x, v2, s22)
            p2 += a_column
            x = broadcast(a, p3)
            s30 = fma(x, v0, s30)
            s31 = fma(x, v1, s31)
            s32 = fma(x, v2, s32)
            p3 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 0 * c_row + 2 * LANES, s02)
        store(c, c0 + 1 * c_row + 0 * LANES, s10)
        store(c, c0 + 1 * c_row + 1 * LANES, s11)
        store(c, c0 + 1 * c_row + 2 * LANES, s12)
        store(c, c0 + 2 * c_row + 0 * LANES, s20)
        store(c, c0 + 2 * c_row + 1 * LANES, s21)
        store(c, c0 + 2 * c_row + 2 * LANES, s22)
        store(c, c0 + 3 * c_row + 0 * LANES, s30)
        store(c, c0 + 3 * c_row + 1 * LANES, s31)
        store(c, c0 + 3 * c_row + 2 * LANES, s32)
        a0 += 4 * a_row
        c0 += 4 * c_row
        tile += 1
    for _ in range(few // 2):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 2)
        b_line, b_step = (b_next, b_row) if tile == 0 else (b0, 0)
        p0 = a0 + 0 * a_row
        p1 = a0 + 1 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s02 = load(c, c0 + 0 * c_row + 2 * LANES)
            s10 = load(c, c0 + 1 * c_row + 0 * LANES)
            s11 = load(c, c0 + 1 * c_row + 1 * LANES)
            s12 = load(c, c0 + 1 * c_row + 2 * LANES)
        else:
            s00 = s01 = s02 = zero
            s10 = s11 = s12 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            prefetch(b, b_line + 16)
            prefetch(b, b_line + 32)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            v2 = load(b, at + 2 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            s02 = fma(x, v2, s02)
            p0 += a_column
            x = broadcast(a, p1)
            s10 = fma(x, v0, s10)
            s11 = fma(x, v1, s11)
            s12 = fma(x, v2, s12)
            p1 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 0 * c_row + 2 * LANES, s02)
        store(c, c0 + 1 * c_row + 0 * LANES, s10)
        store(c, c0 + 1 * c_row + 1 * LANES, s11)
        store(c, c0 + 1 * c_row + 2 * LANES, s12)
        a0 += 2 * a_row
        c0 += 2 * c_row
        tile += 1
    for _ in range(few % 2):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 1)
        b_line, b_step = (b_next, b_row) if tile == 0 else (b0, 0)
        p0 = a0 + 0 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s02 = load(c, c0 + 0 * c_row + 2 * LANES)
        else:
            s00 = s01 = s02 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            prefetch(b, b_line + 16)
            prefetch(b, b_line + 32)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            v2 = load(b, at + 2 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            s02 = fma(x, v2, s02)
            p0 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 0 * c_row + 2 * LANES, s02)
        a0 += 1 * a_row
        c0 += 1 * c_row
        tile += 1


@kernel
def products_3(
    jobs: Any, a: Any, a_row: int, a_column: int, b: Any, b0: int, b_row: int, c: Any, c_row: int,
    add: bool,
) -> None:
    """Call `product_3` for each row of ``jobs``: (rows, depth, a0, what b0 is more, c0)."""
    a, b = read_only(a), read_only(b)
    for job in range(len(jobs)):
        following = min(job + 1, len(jobs) - 1)
        product_3(
            jobs[job, 0], a, jobs[job, 2], a_row, a_column, jobs[job, 1], jobs[following, 2],
            b, b0 + jobs[job, 3], b_row, c, jobs[job, 4], c_row, add,
        )  # fmt: skip


@kernel
def product_2(
    rows: int, a: Any, a0: int, a_row: int, a_column: int, depth: int, a_next: int,
    b: Any, b0: int, b_row: int, c: Any, c0: int, c_row: int, add: bool,
) -> None:
    """c (rows, 2*LANES) = a (rows, depth) b (depth, 2*LANES), added to c if ``add``.

    a[i, k] is a[a0 + i*a_row + k*a_column]; row k of b begins at b0 + k*b_row, row i of c at
    c0 + i*c_row. Meanwhile what comes next is brought into L2: the a that begins at ``a_next``, if that
    is not this one, and the b that follows this one, or stands beside it if its rows lie apart.
    """
    zero = splat(0.0)
    # 5s and 4s make up for what 6s leave: 25 rows are five 5s, not four 6s and a 1.
    few = rows if rows < 4 else 3 if rows == 7 else 0
    groups = (rows - few + 5) // 6
    missing = groups * 6 - rows + few
    fours = max(missing - groups, 0)
    fives = missing - 2 * fours
    # Each tile asks for a part: of rows that follow each other the same rows, else a line of each row.
    apart = b_row != 2 * LANES
    b_next = b0 + (2 * LANES if apart else depth * b_row)
    b_forward, b_part = (b_row, 16) if apart else (16, 16 * depth)
    start, tile = a0, 0
    for _ in range(groups - fours - fives):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 6)
        b_line, b_step = b_next + tile * b_part, b_forward if 16 * tile < 2 * LANES else 0
        p0 = a0 + 0 * a_row
        p1 = a0 + 1 * a_row
        p2 = a0 + 2 * a_row
        p3 = a0 + 3 * a_row
        p4 = a0 + 4 * a_row
        p5 = a0 + 5 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s10 = load(c, c0 + 1 * c_row + 0 * LANES)
            s11 = load(c, c0 + 1 * c_row + 1 * LANES)
            s20 = load(c, c0 + 2 * c_row + 0 * LANES)
            s21 = load(c, c0 + 2 * c_row + 1 * LANES)
            s30 = load(c, c0 + 3 * c_row + 0 * LANES)
            s31 = load(c, c0 + 3 * c_row + 1 * LANES)
            s40 = load(c, c0 + 4 * c_row + 0 * LANES)
            s41 = load(c, c0 + 4 * c_row + 1 * LANES)
            s50 = load(c, c0 + 5 * c_row + 0 * LANES)
            s51 = load(c, c0 + 5 * c_row + 1 * LANES)
        else:
            s00 = s01 = zero
            s10 = s11 = zero
            s20 = s21 = zero
            s30 = s31 = zero
            s40 = s41 = zero
            s50 = s51 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            p0 += a_column
            x = broadcast(a, p1)
            s10 = fma(x, v0, s10)
            s11 = fma(x, v1, s11)
            p1 += a_column
            x = broadcast(a, p2)
            s20 = fma(x, v0, s20)
            s21 = fma(x, v1, s21)
            p2 += a_column
            x = broadcast(a, p3)
            s30 = fma(x, v0, s30)
            s31 = fma(x, v1, s31)
            p3 += a_column
            x = broadcast(a, p4)
            s40 = fma(x, v0, s40)
            s41 = fma(x, v1, s41)
            p4 += a_column
            x = broadcast(a, p5)
            s50 = fma(x, v0, s50)
            s51 = fma(x, v1, s51)
            p5 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 1 * c_row + 0 * LANES, s10)
        store(c, c0 + 1 * c_row + 1 * LANES, s11)
        store(c, c0 + 2 * c_row + 0 * LANES, s20)
        store(c, c0 + 2 * c_row + 1 * LANES, s21)
        store(c, c0 + 3 * c_row + 0 * LANES, s30)
        store(c, c0 + 3 * c_row + 1 * LANES, s31)
        store(c, c0 + 4 * c_row + 0 * LANES, s40)
        store(c, c0 + 4 * c_row + 1 * LANES, s41)
        store(c, c0 + 5 * c_row + 0 * LANES, s50)
        store(c, c0 + 5 * c_row + 1 * LANES, s51)
        a0 += 6 * a_row
        c0 += 6 * c_row
        tile += 1
    for _ in range(fives):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 5)
        b_line, b_step = b_next + tile * b_part, b_forward if 16 * tile < 2 * LANES else 0
        p0 = a0 + 0 * a_row
        p1 = a0 + 1 * a_row
        p2 = a0 + 2 * a_row
        p3 = a0 + 3 * a_row
        p4 = a0 + 4 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s10 = load(c, c0 + 1 * c_row + 0 * LANES)
            s11 = load(c, c0 + 1 * c_row + 1 * LANES)
            s20 = load(c, c0 + 2 * c_row + 0 * LANES)
            s21 = load(c, c0 + 2 * c_row + 1 * LANES)
            s30 = load(c, c0 + 3 * c_row + 0 * LANES)
            s31 = load(c, c0 + 3 * c_row + 1 * LANES)
            s40 = load(c, c0 + 4 * c_row + 0 * LANES)
            s41 = load(c, c0 + 4 * c_row + 1 * LANES)
        else:
            s00 = s01 = zero
            s10 = s11 = zero
            s20 = s21 = zero
            s30 = s31 = zero
            s40 = s41 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            p0 += a_column
            x = broadcast(a, p1)
            s10 = fma(x, v0, s10)
            s11 = fma(x, v1, s11)
            p1 += a_column
            x = broadcast(a, p2)
            s20 = fma(x, v0, s20)
            s21 = fma(x, v1, s21)
            p2 += a_column
            x = broadcast(a, p3)
            s30 = fma(x, v0, s30)
            s31 = fma(x, v1, s31)
            p3 += a_column
            x = broadcast(a, p4)
            s40 = fma(x, v0, s40)
            s41 = fma(x, v1, s41)
            p4 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 1 * c_row + 0 * LANES, s10)
        store(c, c0 + 1 * c_row + 1 * LANES, s11)
        store(c, c0 + 2 * c_row + 0 * LANES, s20)
        store(c, c0 + 2 * c_row + 1 * LANES, s21)
        store(c, c0 + 3 * c_row + 0 * LANES, s30)
        store(c, c0 + 3 * c_row + 1 * LANES, s31)
        store(c, c0 + 4 * c_row + 0 * LANES, s40)
        store(c, c0 + 4 * c_row + 1 * LANES, s41)
        a0 += 5 * a_row
        c0 += 5 * c_row
        tile += 1
    for _ in range(fours):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 4)
        b_line, b_step = (b_next, b_row) if tile == 0 else (b0, 0)
        p0 = a0 + 0 * a_row
        p1 = a0 + 1 * a_row
        p2 = a0 + 2 * a_row
        p3 = a0 + 3 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s10 = load(c, c0 + 1 * c_row + 0 * LANES)
            s11 = load(c, c0 + 1 * c_row + 1 * LANES)
            s20 = load(c, c0 + 2 * c_row + 0 * LANES)
            s21 = load(c, c0 + 2 * c_row + 1 * LANES)
            s30 = load(c, c0 + 3 * c_row + 0 * LANES)
            s31 = load(c, c0 + 3 * c_row + 1 * LANES)
        else:
            s00 = s01 = zero
            s10 = s11 = zero
            s20 = s21 = zero
            s30 = s31 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            prefetch(b, b_line + 16)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            p0 += a_column
            x = broadcast(a, p1)
            s10 = fma(x, v0, s10)
            s11 = fma(x, v1, s11)
            p1 += a_column
            x = broadcast(a, p2)
            s20 = fma(x, v0, s20)
            s21 = fma(x, v1, s21)
            p2 += a_column
            x = broadcast(a, p3)
            s30 = fma(x, v0, s30)
            s31 = fma(x, v1, s31)
            p3 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 1 * c_row + 0 * LANES, s10)
        store(c, c0 + 1 * c_row + 1 * LANES, s11)
        store(c, c0 + 2 * c_row + 0 * LANES, s20)
        store(c, c0 + 2 * c_row + 1 * LANES, s21)
        store(c, c0 + 3 * c_row + 0 * LANES, s30)
        store(c, c0 + 3 * c_row + 1 * LANES, s31)
        a0 += 4 * a_row
        c0 += 4 * c_row
        tile += 1
    for _ in range(few // 2):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 2)
        b_line, b_step = (b_next, b_row) if tile == 0 else (b0, 0)
        p0 = a0 + 0 * a_row
        p1 = a0 + 1 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
            s10 = load(c, c0 + 1 * c_row + 0 * LANES)
            s11 = load(c, c0 + 1 * c_row + 1 * LANES)
        else:
            s00 = s01 = zero
            s10 = s11 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            prefetch(b, b_line + 16)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            p0 += a_column
            x = broadcast(a, p1)
            s10 = fma(x, v0, s10)
            s11 = fma(x, v1, s11)
            p1 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        store(c, c0 + 1 * c_row + 0 * LANES, s10)
        store(c, c0 + 1 * c_row + 1 * LANES, s11)
        a0 += 2 * a_row
        c0 += 2 * c_row
        tile += 1
    for _ in range(few % 2):
        a_line, a_step = _a_ahead(a_next, start, a0, a_column, rows, tile, 1)
        b_line, b_step = (b_next, b_row) if tile == 0 else (b0, 0)
        p0 = a0 + 0 * a_row
        if add:
            s00 = load(c, c0 + 0 * c_row + 0 * LANES)
            s01 = load(c, c0 + 0 * c_row + 1 * LANES)
        else:
            s00 = s01 = zero
        at = b0
        for _ in range(depth):
            keep_rolled()
            prefetch(a, a_line)
            a_line += a_step
            prefetch(b, b_line + 0)
            prefetch(b, b_line + 16)
            b_line += b_step
            v0 = load(b, at + 0 * LANES)
            v1 = load(b, at + 1 * LANES)
            x = broadcast(a, p0)
            s00 = fma(x, v0, s00)
            s01 = fma(x, v1, s01)
            p0 += a_column
            at += b_row
        store(c, c0 + 0 * c_row + 0 * LANES, s00)
        store(c, c0 + 0 * c_row + 1 * LANES, s01)
        a0 += 1 * a_row
        c0 += 1 * c_row
        tile += 1


@kernel
def products_2(
    jobs: Any, a: Any, a_row: int, a_column: int, b: Any, b0: int, b_row: int, c: Any, c_row: int,
    add: bool,
) -> None:
    """Call `product_2` for each row of ``jobs``: (rows, depth, a0, what b0 is more, c0)."""
    a, b = read_only(a), read_only(b)
    for job in range(len(jobs)):
        following = min(job + 1, len(jobs) - 1)
        product_2(
            jobs[job, 0], a, jobs[job, 2], a_row, a_column, jobs[job, 1], jobs[following, 2],
            b, b0 + jobs[job, 3], b_row, c, jobs[job, 4], c_row, add,
        )  # fmt: skip
