"""Products of windows where they lie in a map: what is multiplied is read where lists say, without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, lanes_of
from tinycnn.kernels.window_tiles import NUMBER, SPREAD, VECTOR, multiply_windows

# What a tile of one group reads of a: a number for all filters.
_ALL = (0, 0, 1)


@kernel
def window_products(
    a: Any, a0: int, places: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int], F: int,
    group: tuple[int, int], bias: Any, relu: bool, add: bool, c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """c = max(a b + bias, 0 if ``relu``), or with c's former numbers in the sum if ``add``.

    Row r of a begins at a[a0 + places[r]], and row r of c, of F numbers, at c[c0 + targets[r]]. The columns
    of a, and with them the rows of b, come in ``count`` runs: those of run k are a[runs[2*k] + s*a_step] on
    from there, and b[runs[2*k + 1] + s*b_step] and on, for s below ``length``, with ``run`` (length, a_step,
    b_step). In groups (Cg, Fg), column f of b is multiplied with what lies f // Fg * Cg numbers further on
    in a. Sums run over the columns in their order, then comes the bias. Arrays are float32 or float64.
    """
    whole, (Cg, Fg) = lanes_of(b), group
    # Groups that share a vector of filters, whose channels are read as one vector too.
    together = min(whole // Fg, (whole - 1) // Cg + 1) if Fg < F else 1
    spread = np.zeros(whole, np.int64)
    for lane in range(together * Fg if together > 1 else 0):
        spread[lane] = lane // Fg * Cg
    if Cg == Fg == 1 and F > 1:
        _of_channels(a, a0, places, spread, b, runs, count, run, F, bias, relu, add, c, c0, targets)
    elif together * Fg == whole and whole < F:
        _of_whole_vectors(
            a, a0, places, spread, b, runs, count, run, F, group, bias, relu, add, c, c0, targets
        )  # fmt: skip
    elif together > 1:
        _of_some_groups(
            a, a0, places, spread, b, runs, count, run, F, group, together, bias, relu, add,
            c, c0, targets,
        )  # fmt: skip
    else:
        for f in range(0, F, Fg):
            _of_a_group(
                a, a0 + f // Fg * Cg, places, spread, b, runs, count, run, f, f + Fg, bias, relu, add,
                c, c0, targets,
            )  # fmt: skip


# Each tile's sums, and what they are multiplied with, fit 16 registers, or 32 where a vector has 16 lanes.


@kernel
def _of_channels(
    a: Any, a0: int, places: Any, spread: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int],
    F: int, bias: Any, relu: bool, add: bool, c: Any, c0: int, targets: Any,
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
                    runs, count, length, a_step, b_step, bias, f, relu, add, c, c0 + f, targets, lanes,
                )  # fmt: skip
                f += 4 * whole
            elif F - f > whole:
                lanes = min(F - f - whole, whole)
                multiply_windows(
                    4, 2, VECTOR, a, a0 + f, places, r, last, spread, (whole, whole, lanes), b, f,
                    runs, count, length, a_step, b_step, bias, f, relu, add, c, c0 + f, targets, lanes,
                )  # fmt: skip
                f += 2 * whole
            else:
                lanes = F - f
                multiply_windows(
                    4, 1, VECTOR, a, a0 + f, places, r, last, spread, (whole, whole, lanes), b, f,
                    runs, count, length, a_step, b_step, bias, f, relu, add, c, c0 + f, targets, lanes,
                )  # fmt: skip
                f += whole


@kernel
def _of_whole_vectors(
    a: Any, a0: int, places: Any, spread: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int],
    F: int, group: tuple[int, int], bias: Any, relu: bool, add: bool, c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """The same where some groups fill a vector."""
    last, whole, (length, a_step, b_step), (Cg, Fg) = len(places) - 1, lanes_of(b), run, group
    apart, seen = whole // Fg * Cg, (whole // Fg - 1) * Cg + 1
    for r in range(0, last + 1, 4):
        f = 0
        while f < F:
            if LANES == 16 and F - f > 3 * whole:
                lanes = min(F - f - 3 * whole, whole)
                multiply_windows(
                    4, 4, SPREAD, a, a0 + f // Fg * Cg, places, r, last, spread,
                    (apart, seen, (lanes // Fg - 1) * Cg + 1), b, f, runs, count, length, a_step, b_step,
                    bias, f, relu, add, c, c0 + f, targets, lanes,
                )  # fmt: skip
                f += 4 * whole
            elif F - f > whole:
                lanes = min(F - f - whole, whole)
                multiply_windows(
                    4, 2, SPREAD, a, a0 + f // Fg * Cg, places, r, last, spread,
                    (apart, seen, (lanes // Fg - 1) * Cg + 1), b, f, runs, count, length, a_step, b_step,
                    bias, f, relu, add, c, c0 + f, targets, lanes,
                )  # fmt: skip
                f += 2 * whole
            else:
                lanes = F - f
                multiply_windows(
                    4, 1, SPREAD, a, a0 + f // Fg * Cg, places, r, last, spread,
                    (apart, seen, (lanes // Fg - 1) * Cg + 1), b, f, runs, count, length, a_step, b_step,
                    bias, f, relu, add, c, c0 + f, targets, lanes,
                )  # fmt: skip
                f += whole


@kernel
def _of_some_groups(
    a: Any, a0: int, places: Any, spread: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int],
    F: int, group: tuple[int, int], together: int, bias: Any, relu: bool, add: bool,
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
                runs, count, length, a_step, b_step, bias, f, relu, add, c, c0 + f, targets, lanes,
            )  # fmt: skip


@kernel
def _of_a_group(
    a: Any, a0: int, places: Any, spread: Any, b: Any, runs: Any, count: int, run: tuple[int, int, int],
    f: int, end: int, bias: Any, relu: bool, add: bool, c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """Columns ``f`` to ``end`` (not included), which see the same channels."""
    last, whole, (length, a_step, b_step) = len(places) - 1, lanes_of(b), run
    while f < end:
        if LANES == 16 and end - f > 3 * whole:
            lanes = min(end - f - 3 * whole, whole)
            for r in range(0, last + 1, 6):
                multiply_windows(
                    6, 4, NUMBER, a, a0, places, r, last, spread, _ALL, b, f, runs, count, length, a_step,
                    b_step, bias, f, relu, add, c, c0 + f, targets, lanes,
                )  # fmt: skip
            f += 4 * whole
        elif end - f > whole:
            lanes = min(end - f - whole, whole)
            for r in range(0, last + 1, 6):
                multiply_windows(
                    6, 2, NUMBER, a, a0, places, r, last, spread, _ALL, b, f, runs, count, length, a_step,
                    b_step, bias, f, relu, add, c, c0 + f, targets, lanes,
                )  # fmt: skip
            f += 2 * whole
        else:
            for r in range(0, last + 1, 8):
                multiply_windows(
                    8, 1, NUMBER, a, a0, places, r, last, spread, _ALL, b, f, runs, count, length, a_step,
                    b_step, bias, f, relu, add, c, c0 + f, targets, end - f,
                )  # fmt: skip
            f += whole
