"""Weights transformed and laid out in the order in which the products read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from tinycnn.arrays import Array, read_only, row_major
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.winograd import weight_transform
from tinycnn.ops.convolution.winograd.matrices import weight_matrix
from tinycnn.runtime import memory
from tinycnn.runtime.feature_maps import round_up
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import Range

# What a product costs in a panel of so many vectors: a narrow one loads more for each multiply-add.
_COSTS = {2: 1.12, 3: 1.04, 4: 1.0}
# Of 16 registers, 6 rows by 2 vectors leave room for what is multiplied; of 32, by 4.
_WIDEST = 4 if LANES == 16 else 2


@dataclass(frozen=True)
class Packed:
    """U [panel][frequency][channel][filter of the panel] and the bias, both filled up with zeros."""

    U: Any  # arrays, or what stands for them where calls are recorded
    bias: Any


@cache
def panel_width(F: int) -> int:
    """Vectors of LANES filters in a panel, so that F filters cost least."""
    vectors = -(-F // LANES)
    return min(range(2, _WIDEST + 1), key=lambda w: (round_up(vectors, w) * _COSTS[w], -w))


def pack(
    W: Array,
    bias: Array | None,
    outputs: tuple[int, int],
    groups: int = 1,
    *,
    rotated180: bool = False,
) -> Packed:
    """Transform W (r, r, C // groups, F) for big tiles of ``outputs`` (rows, columns).

    ``rotated180`` packs the weights of the input's gradient: the kernel turned by 180 degrees, filters
    for channels.
    """
    r, _, C, F = W.shape
    F //= groups
    flat, (row, column, channel, filter) = row_major(read_only(np.ascontiguousarray(W)))
    origin, next_group = 0, F * filter
    if rotated180:
        origin = (r - 1) * (row + column)
        row, column, channel, filter = -row, -column, filter, channel
        C, F = F, C
    G_rows, G_columns = (float64_weight_matrix(m, r) for m in outputs)
    width = panel_width(F) * LANES
    filters = round_up(F, width)
    U = memory.empty((groups, len(G_rows) * len(G_columns) * C * filters), W.dtype)

    def work(part: tuple[int, Range]) -> None:
        group, some = part
        weight_transform(
            flat, origin + group * next_group, row, column, channel, filter, C, F,
            G_rows, G_columns, *some, U[group], C, width,
        )  # fmt: skip

    panels = [(first, first + width) for first in range(0, filters, width)]
    parallel_for(work, product(range(groups), panels))
    padded = np.zeros((groups, filters), np.float32)
    if bias is not None:
        padded[:, :F] = bias.reshape(groups, F)
    return Packed(read_only(U.reshape(-1)), read_only(padded.reshape(-1)))


@cache
def float64_weight_matrix(m: int, r: int) -> Array:
    """G (m + r - 1, r), rounded once."""
    return read_only(np.array(weight_matrix(m, r), np.float64))
