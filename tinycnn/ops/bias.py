"""The gradient of a bias, in the same pass as that of the rectifier before it."""

from __future__ import annotations

import numpy as np

from tinycnn.arrays import Array
from tinycnn.kernels import bias as kernels
from tinycnn.runtime import memory
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import split_range

# Numbers a block: some thirty microseconds at the memory's speed.
_CELLS = 1 << 17


def bias_gradient(dy: Array, y: Array | None, db: Array) -> Array:
    """Write db (F,), the sum of dz over all axes but the last, and give dz in ``dy``'s shape (..., F).

    dz is ``dy`` itself, or if ``y`` is given, what a rectifier gave, dy where y > 0 and 0 elsewhere (a
    NaN in y lets dy pass). Each block of rows is summed in float64, then the blocks in their order.
    """
    rows = dy.reshape(-1, len(db))
    blocks = split_range(len(rows), _CELLS // len(db))
    sums = np.zeros((len(blocks), len(db)))
    dz = dy if y is None else memory.output(dy.shape, dy.dtype)
    mask, target = None if y is None else y.reshape(rows.shape), dz.reshape(rows.shape)

    def add_up(k: int) -> None:
        if mask is None:
            kernels.bias_gradient(rows, *blocks[k], sums[k])
        else:
            kernels.relu_bias_gradient(rows, mask, *blocks[k], target, sums[k])

    parallel_for(add_up, range(len(blocks)))
    db[...] = sums[0] if len(sums) == 1 else sums.sum(axis=0)
    return dz
