"""What the processor can do at most: multiply-adds in registers, memory streamed, NumPy's product."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path

import numpy as np

from tinycnn.arrays import Array
from tinycnn.bench import work
from tinycnn.bench.engines import Contender
from tinycnn.bench.work import Workload
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import split_range

REPEATS = 5_000_000  # multiply-adds of each lane of each chain, by each thread, in one call
STREAM = 1 << 25  # float32 numbers of each streamed array: four times a large cache
_CHUNK = 1 << 16  # numbers handed to NumPy at once: three such chunks stay in the second cache


def load(workload: Workload, way: str, threads: int, folder: Path) -> Contender:
    """Make ready one measurement; the workload's batch matters to "product" only."""
    return _WORKS[workload.work](workload, threads)


def multiply_adds(threads: int) -> int:
    """Multiply-adds of one call of "multiply-add"."""
    from tinycnn.kernels.peak import CHAINS
    from tinycnn.kernels.simd import LANES

    return threads * REPEATS * CHAINS * LANES


def _multiply_add(workload: Workload, threads: int) -> Contender:
    from tinycnn.kernels.peak import CHAINS, add_products
    from tinycnn.kernels.simd import LANES

    a = np.full(LANES, 2.0**-12, np.float32)
    sums = np.zeros((threads, CHAINS * LANES), np.float32)

    def call() -> None:
        parallel_for(lambda thread: add_products(REPEATS, a, a, sums[thread]), range(threads))

    def check() -> Mapping[str, Array]:
        sums[:] = 0
        call()
        return {"sums": sums, "expected": np.full_like(sums, REPEATS * 2.0**-24)}

    return Contender(call, check)


def _triad(workload: Workload, threads: int) -> Contender:
    """McCalpin's a = b + s * c: two arrays read, one written."""
    a, b, c = np.zeros((3, STREAM), np.float32)
    b += 1
    c += 2

    def part(block: tuple[int, int]) -> None:
        for first in range(*block, _CHUNK):
            chunk = slice(first, min(first + _CHUNK, block[1]))
            np.multiply(c[chunk], np.float32(3), out=a[chunk])
            np.add(a[chunk], b[chunk], out=a[chunk])  # the chunk is in the cache

    def call() -> None:
        parallel_for(part, split_range(STREAM, STREAM // (8 * threads)))

    def check() -> Mapping[str, Array]:
        call()
        return {"sums": a, "expected": np.full_like(a, 7)}

    return Contender(call, check)


def _read(workload: Workload, threads: int) -> Contender:
    """One array read: the sum of its squares, by a kernel: NumPy's product keeps the interpreter's lock."""
    from tinycnn.kernels.squares import sum_of_squares

    a = np.full(STREAM, 0.5, np.float32)
    parts = split_range(STREAM, STREAM // (8 * threads))
    sums = np.zeros(len(parts))

    def part(number: int) -> None:
        sums[number] = sum_of_squares(a, *parts[number])

    def call() -> None:
        parallel_for(part, range(len(parts)))

    def check() -> Mapping[str, Array]:
        call()
        return {"sums": sums, "expected": np.array([(last - first) / 4 for first, last in parts])}

    return Contender(call, check)


def _product(workload: Workload, threads: int) -> Contender:
    """NumPy's product of two matrices, of the sizes that im2col makes of a convolution."""
    from threadpoolctl import ThreadpoolController

    model = work.build(workload.network)
    OH, OW, _ = model.shapes[-1]
    *window, F = model.parameter_shapes()[f"{model.layers[0].name}.W"]
    K = prod(window)
    rng = np.random.default_rng(0)
    cols = rng.standard_normal((workload.batch * OH * OW, K), np.float32)
    weights = rng.standard_normal((K, F), np.float32)
    product = np.empty((len(cols), F), np.float32)
    blas = ThreadpoolController().select(user_api="blas")

    def call() -> None:
        with blas.limit(limits=threads):
            np.matmul(cols, weights, out=product)

    def check() -> Mapping[str, Array]:
        call()
        expected = cols[:50].astype(np.float64) @ weights
        return {"sums": product[:50], "expected": expected}

    return Contender(call, check)


_WORKS = {"multiply-add": _multiply_add, "triad": _triad, "read": _read, "product": _product}
