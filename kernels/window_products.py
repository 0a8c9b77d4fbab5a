"""Products of windows where they lie in a map: what is multiplied is read where lists say, without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, lanes_of, prefetch, read_only
from tinycnn.kernels.window_tiles import (
    ADD,
    NUMBER,
    PAIR,
    POOL_TWO_ROWS,
    SPREAD,
    TWO_ROWS,
    VECTOR,
    multiply_windows,
)

# What a tile of one group reads of a: a number for all filters.
_ALL = (0, 0, 1)
# Weights that may be packed for each call: they stay in L1.
PACKED = 2048
TOGETHER = 6  # rows of a that are multiplied together with some vectors of b
_LINE = 16  # numbers of a cache line, or half of them


@kernel(shared=True)
def window_products(
    a: Any, a0: int, places: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int], F: int,
    group: tuple[int, int], bias: Any, relu: bool, into: int, c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """c = max(a b + bias, 0 if ``relu``), with c's former numbers in the sum where ``into`` is ADD.

    Row r of a begins at a[a0 + places[r]], and row r of c, of F numbers, at c[c0 + targets[r]]. The columns
    of a, and with them the rows of b, come in ``count`` runs: those of run k are a[runs[2*k] + s*a_step] on
    from there, and b[runs[2*k + 1] + s*b_step] and on, for s below ``length``, with ``run`` (length, a_step,
    b_step). In groups (Cg, Fg), column f of b is multiplied with what lies f // Fg * Cg numbers further on
    in a. Sums run over the columns in their order, then comes the bias; where a vector has lanes for F
    filters twice, every other column of a run may be added up apart. Where ``into`` is POOL, POOLED rows of a
    give one of c, the maximum of theirs; all filters are one group then, and fill one vector at most. Arrays
    are float32 or float64. With POOL_TWO_ROWS a row of ``places`` is two of a, the second a number further
    on, and all filters fill half a vector.
    """
    whole, (Cg, Fg) = lanes_of(b), group
    # Groups that share a vector of filters, whose channels are read as one vector too.
    together = min(whole // Fg, (whole - 1) // Cg + 1) if Fg < F else 1
    spread = np.zeros(whole, np.int64)
    for lane in range(together * Fg if together > 1 else 0):
        spread[lane] = lane // Fg * Cg
    # What is added to comes from many columns and few rows: too few for weights that are packed first.
    few = Fg == F and whole >= 2 * F and run[0] * count * F <= PACKED and into != ADD
    if into == POOL_TWO_ROWS:
        _of_two_rows(
            a, a0, places, spread, b, runs, count, run, F, bias, relu, into, c, c0, targets
        )
    elif few and run[0] > 1 and run[1] == 1:
        _of_few_filters(
            a, a0, places, spread, b, runs, count, run, F, bias, relu, into, c, c0, targets
        )  # fmt: skip
    elif Cg == Fg == 1 and F > 1:
        _of_channels(
            a, a0, places, spread, b, runs, count, run, F, bias, relu, into, c, c0, targets
        )
    elif together * Fg == whole and whole < F:
        _of_whole_vectors(
            a, a0, places, spread, b, runs, count, run, F, group, bias, relu, into, c, c0, targets
        )  # fmt: skip
    elif together > 1:
        _of_some_groups(
            a, a0, places, spread, b, runs, count, run, F, group, together, bias, relu, into,
            c, c0, targets,
        )  # fmt: skip
    else:
        for f in range(0, F, Fg):
            _of_a_group(
                a, a0 + f // Fg * Cg, places, spread, b, runs, count, run, f, f + Fg, bias, relu, into,
                c, c0, targets,
            )  # fmt: skip


# Each tile's sums, and what they are multiplied with, fit 16 registers, or 32 where a vector has 16 lanes.


@kernel
def _of_channels(
    a: Any, a0: int, places: Any, spread: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int],
    F: int, bias: Any, relu: bool, into: int, c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """All columns, each of which sees its own channel: all of some rows, so that a is read as it lies."""
    last, whole, (length, a_step, b_step) = len(places) - 1, lanes_of(b), run
    for r in range(0, last + 1, 4):
        f = 0
        while f < F:
            if LANES == 16 and F - f > 3 * whole:
                lanes = min(F - f - 3 * whole, whole)
                multiply_windows(
                    4, 4, VECTOR, a, a0 + f, places, r, last, spread, (whole, whole, lanes), b, f,
                    runs, count, length, a_step, b_step, bias, f, relu, into, c, c0 + f, targets, lanes,
                )  # fmt: skip
                f += 4 * whole
            elif F - f > whole:
                lanes = min(F - f - whole, whole)
                multiply_windows(
                    4, 2, VECTOR, a, a0 + f, places, r, last, spread, (whole, whole, lanes), b, f,
                    runs, count, length, a_step, b_step, bias, f, relu, into, c, c0 + f, targets, lanes,
                )  # fmt: skip
                f += 2 * whole
            else:
                lanes = F - f
                multiply_windows(
                    4, 1, VECTOR, a, a0 + f, places, r, last, spread, (whole, whole, lanes), b, f,
                    runs, count, length, a_step, b_step, bias, f, relu, into, c, c0 + f, targets, lanes,
                )  # fmt: skip
                f += whole


@kernel
def _of_whole_vectors(
    a: Any, a0: int, places: Any, spread: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int],
    F: int, group: tuple[int, int], bias: Any, relu: bool, into: int, c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """The same where some groups fill a vector."""
    last, whole, (length, a_step, b_step), (Cg, Fg) = len(places) - 1, lanes_of(b), run, group
    apart, seen = whole // Fg * Cg, (whole // Fg - 1) * Cg + 1
    for r in range(0, last + 1, 4):
        f = 0
        while f < F:
            if count:
                at = a0 + runs[2 * count - 2] + f // Fg * Cg
                _ask_for(a, at, places, read_only(c), c0 + f, targets, r + 4, min(F - f, 4 * whole))
            if LANES == 16 and F - f > 3 * whole:
                lanes = min(F - f - 3 * whole, whole)
                multiply_windows(
                    4, 4, SPREAD, a, a0 + f // Fg * Cg, places, r, last, spread,
                    (apart, seen, (lanes // Fg - 1) * Cg + 1), b, f, runs, count, length, a_step, b_step,
                    bias, f, relu, into, c, c0 + f, targets, lanes,
                )  # fmt: skip
                f += 4 * whole
            elif F - f > whole:
                lanes = min(F - f - whole, whole)
                multiply_windows(
                    4, 2, SPREAD, a, a0 + f // Fg * Cg, places, r, last, spread,
                    (apart, seen, (lanes // Fg - 1) * Cg + 1), b, f, runs, count, length, a_step, b_step,
                    bias, f, relu, into, c, c0 + f, targets, lanes,
                )  # fmt: skip
                f += 2 * whole
            else:
                lanes = F - f
                multiply_windows(
                    4, 1, SPREAD, a, a0 + f // Fg * Cg, places, r, last, spread,
                    (apart, seen, (lanes // Fg - 1) * Cg + 1), b, f, runs, count, length, a_step, b_step,
                    bias, f, relu, into, c, c0 + f, targets, lanes,
                )  # fmt: skip
                f += whole


@kernel
def _ask_for(
    a: Any, at: int, places: Any, c: Any, to: int, targets: Any, first: int, width: int
) -> None:
    """Have lines ready of four rows from ``first`` on: the end of their windows, and where c is written.

    Rows lie some lines apart, so the processor does not foresee them.
    """
    for r in range(first, min(first + 4, len(places))):
        for e in range(0, width, _LINE):
            prefetch(a, at + places[r] + e)
            prefetch(c, to + targets[r] + e)


@kernel
def _of_some_groups(
    a: Any, a0: int, places: Any, spread: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int],
    F: int, group: tuple[int, int], together: int, bias: Any, relu: bool, into: int,
    c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """All columns, with so many groups ``together`` in a vector, which they leave a part of."""
    last, (length, a_step, b_step), (Cg, Fg) = len(places) - 1, run, group
    for r in range(0, last + 1, 8):
        for f in range(0, F, together * Fg):
            lanes = min(F - f, together * Fg)
            seen = (lanes // Fg - 1) * Cg + 1
            multiply_windows(
                8, 1, SPREAD, a, a0 + f // Fg * Cg, places, r, last, spread, (0, 0, seen), b, f,
                runs, count, length, a_step, b_step, bias, f, relu, into, c, c0 + f, targets, lanes,
            )  # fmt: skip


@kernel
def _of_a_group(
    a: Any, a0: int, places: Any, spread: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int],
    f: int, end: int, bias: Any, relu: bool, into: int, c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """Columns ``f`` to ``end`` (not included), which see the same channels."""
    last, whole, (length, a_step, b_step) = len(places) - 1, lanes_of(b), run
    while f < end:
        if LANES == 16 and end - f > 3 * whole:
            lanes = min(end - f - 3 * whole, whole)
            for r in range(0, last + 1, TOGETHER):
                multiply_windows(
                    6, 4, NUMBER, a, a0, places, r, last, spread, _ALL, b, f, runs, count, length, a_step,
                    b_step, bias, f, relu, into, c, c0 + f, targets, lanes,
                )  # fmt: skip
            f += 4 * whole
        elif end - f > whole:
            lanes = min(end - f - whole, whole)
            for r in range(0, last + 1, TOGETHER):
                multiply_windows(
                    6, 2, NUMBER, a, a0, places, r, last, spread, _ALL, b, f, runs, count, length, a_step,
                    b_step, bias, f, relu, into, c, c0 + f, targets, lanes,
                )  # fmt: skip
            f += 2 * whole
        else:
            for r in range(0, last + 1, 8):
                multiply_windows(
                    8, 1, NUMBER, a, a0, places, r, last, spread, _ALL, b, f, runs, count, length, a_step,
                    b_step, bias, f, relu, into, c, c0 + f, targets, end - f,
                )  # fmt: skip
            f += whole


@kernel
def _of_few_filters(
    a: Any, a0: int, places: Any, spread: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int],
    F: int, bias: Any, relu: bool, into: int, c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """All columns, where they fill half a vector at most: two columns of a at once."""
    last, whole, (length, _, b_step) = len(places) - 1, lanes_of(b), run
    steps = (length + 1) // 2
    pairs, packed = np.empty(2 * count, np.int64), np.empty(count * steps * whole, b.dtype)
    for e in range(packed.size):
        packed[np.uintp(e)] = 0
    for k in range(count):
        pairs[2 * k], pairs[2 * k + 1] = runs[2 * k], k * steps * whole
        for s in range(length):
            at, to = runs[2 * k + 1] + s * b_step, (k * steps + s // 2) * whole + s % 2
            for f in range(F):
                packed[np.uintp(to + 2 * f)] = b[np.uintp(at + f)]
    for r in range(0, last + 1, 8):
        multiply_windows(
            8, 1, PAIR, a, a0, places, r, last, spread, _ALL, read_only(packed), 0, pairs, count, length, 1,
            whole, bias, 0, relu, into, c, c0, targets, F,
        )  # fmt: skip


@kernel
def _of_two_rows(
    a: Any, a0: int, places: Any, spread: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int],
    F: int, bias: Any, relu: bool, into: int, c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """All columns, where they fill half a vector at most: two rows of a at once, each weight twice."""
    last, whole, (length, a_step, b_step) = len(places) - 1, lanes_of(b), run
    doubled, packed = np.empty(2 * count, np.int64), np.empty(count * length * whole, b.dtype)
    for k in range(count):
        doubled[2 * k], doubled[2 * k + 1] = runs[2 * k], k * length * whole
        for s in range(length):
            at, to = runs[2 * k + 1] + s * b_step, (k * length + s) * whole
            for lane in range(whole):
                packed[np.uintp(to + lane)] = b[np.uintp(at + lane // 2)] if lane < 2 * F else 0
    for r in range(0, last + 1, 8):
        multiply_windows(
            8, 1, TWO_ROWS, a, a0, places, r, last, spread, _ALL, read_only(packed), 0, doubled, count,
            length, a_step, whole, bias, 0, relu, into, c, c0, targets, F,
        )  # fmt: skip
