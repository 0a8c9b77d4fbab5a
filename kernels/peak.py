"""The most that one thread can multiply and add: what a benchmark holds others against."""

from __future__ import annotations

from typing import Any

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, fma, load, store

# Independent sums: two instructions can begin at once, and each takes four or five cycles.
CHAINS = 12


@kernel
def add_products(count: int, a: Any, b: Any, sums: Any) -> None:
    """Add a * b to ``sums`` ``count`` times, in registers: float32, a and b (LANES,), sums (12*LANES,).

    sums[i] = sums[i] + a[i % LANES] * b[i % LANES], rounded once each time.
    """
    x, y = load(a, 0), load(b, 0)
    s0, s1, s2 = load(sums, 0), load(sums, LANES), load(sums, 2 * LANES)
    s3, s4, s5 = load(sums, 3 * LANES), load(sums, 4 * LANES), load(sums, 5 * LANES)
    s6, s7, s8 = load(sums, 6 * LANES), load(sums, 7 * LANES), load(sums, 8 * LANES)
    s9, s10, s11 = load(sums, 9 * LANES), load(sums, 10 * LANES), load(sums, 11 * LANES)
    for _ in range(count):
        s0, s1, s2, s3 = fma(x, y, s0), fma(x, y, s1), fma(x, y, s2), fma(x, y, s3)
        s4, s5, s6, s7 = fma(x, y, s4), fma(x, y, s5), fma(x, y, s6), fma(x, y, s7)
        s8, s9, s10, s11 = fma(x, y, s8), fma(x, y, s9), fma(x, y, s10), fma(x, y, s11)
    store(sums, 0, s0)
    store(sums, LANES, s1)
    store(sums, 2 * LANES, s2)
    store(sums, 3 * LANES, s3)
    store(sums, 4 * LANES, s4)
    store(sums, 5 * LANES, s5)
    store(sums, 6 * LANES, s6)
    store(sums, 7 * LANES, s7)
    store(sums, 8 * LANES, s8)
    store(sums, 9 * LANES, s9)
    store(sums, 10 * LANES, s10)
    store(sums, 11 * LANES, s11)
