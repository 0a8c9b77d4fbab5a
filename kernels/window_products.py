"""Products of windows where they lie in a map: what is multiplied is read where lists say, without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, splat
from tinycnn.kernels.window_tiles import multiply_windows


@kernel
def window_products(
    a: Any, a0: int, places: Any, offsets: Any, b: Any, F: int, bias: Any, relu: bool, add: bool,
    c: Any, c0: int, targets: Any,
) -> None:  # fmt: skip
    """c = max(a b + bias, 0 if ``relu``), or with c's former numbers in the sum if ``add``.

    Row r of a has column k at a[a0 + places[r] + offsets[k]]; b is (columns, F), flat; row r of c begins at
    c[c0 + targets[r]]. b and ``bias`` go on for LANES - 1 numbers. Sums run over k from 0 up, then comes the
    bias.
    """
    rows, depth, f = len(places), len(offsets), 0
    least = splat(0 if relu else -np.inf)
    # A tile's sums, and what they are multiplied with, fit 16 registers, or 32 where a vector has 16 lanes.
    while f < F:
        if LANES == 16 and F - f > 3 * LANES:
            lanes = min(F - f - 3 * LANES, LANES)
            for r in range(0, rows, 6):
                multiply_windows(
                    6, 4, a, a0, places, r, rows - 1, offsets, depth, b, f, F, bias, f, least, add,
                    c, c0 + f, targets, lanes,
                )  # fmt: skip
            f += 4 * LANES
        elif F - f > LANES:
            lanes = min(F - f - LANES, LANES)
            for r in range(0, rows, 6):
                multiply_windows(
                    6, 2, a, a0, places, r, rows - 1, offsets, depth, b, f, F, bias, f, least, add,
                    c, c0 + f, targets, lanes,
                )  # fmt: skip
            f += 2 * LANES
        else:
            for r in range(0, rows, 8):
                multiply_windows(
                    8, 1, a, a0, places, r, rows - 1, offsets, depth, b, f, F, bias, f, least, add,
                    c, c0 + f, targets, F - f,
                )  # fmt: skip
            f += LANES
