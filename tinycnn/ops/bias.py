"""The gradient of a bias, in the same pass as that of the rectifier before it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.kernels import bias as kernels
from tinycnn.runtime import calls, memory
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.ranges import split_range

# Numbers a block: some thirty microseconds at the memory's speed.
_CELLS = 1 << 17
_FLOAT64 = np.dtype(np.float64)


def bias_gradient(dy: Array, y: Array | None, db: Array) -> Array:
    """Write db (F,), the sum of dz over all axes but the last, and give dz in ``dy``'s shape (..., F).

    dz is ``dy`` itself, or if ``y`` is given, what a rectifier gave, dy where y > 0 and 0 elsewhere (a
    NaN in y lets dy pass). Each block of rows is summed in float64, then the blocks in their order.
    """
    F = len(db)
    dz = dy if y is None else memory.output(dy.shape, dy.dtype)
    rectified = None if y is None else (y.reshape(-1, F), dz.reshape(-1, F))
    calls.run(phases(calls.AT_ONCE, dy.reshape(-1, F), rectified, db))
    return dz


def phases(calls: Calls, dy: Any, rectified: tuple[Any, Any] | None, db: Any) -> Iterator[Phase]:
    """Do the same of rows (rows, F); ``rectified`` is y and where dz is to be written, if there are any."""
    rows, F = dy.shape
    blocks = split_range(rows, _CELLS // F) or [(0, 0)]
    sums = calls.shared("bias", len(blocks) * F, _FLOAT64).reshape(len(blocks), F)

    def add_up(calls: Calls, block: int) -> None:
        if rectified is None:
            calls(kernels.bias_gradient, calls.read(dy), *blocks[block], sums, block)
        else:
            y, dz = rectified
            calls(
                kernels.relu_bias_gradient, calls.read(dy), calls.read(y), *blocks[block], dz, sums, block
            )  # fmt: skip

    yield [partial(add_up, block=block) for block in range(len(blocks))]
    yield [lambda calls: calls(kernels.add_sums, calls.read(sums), db)]
