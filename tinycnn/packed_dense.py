"""A dense layer's weights, packed once in the order in which inference reads them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from tinycnn import blocks, memory
from tinycnn.arrays import Array, read_only
from tinycnn.kernels.dense import PANEL, dense, pack_weights

# Weights a block, 8 MB: some 0.3 ms of reading for one row, 2 ms of arithmetic for 128.
_WEIGHTS = 1 << 21
# Rows a block. With more, a panel's sums leave L1; with less, the weights are read more often.
_ROWS = 128
# Panels that are packed together: their columns are 1 KB or more side by side in W.
_PACKED_TOGETHER = 8


@dataclass(frozen=True)
class PackedDense:
    """Weights in panels (panels, K, PANEL), and a bias for each of their columns."""

    panels: Array
    bias: Array

    @classmethod
    def pack(cls, W: Array, b: Array | None) -> PackedDense:
        """Pack float32 weights ``W`` (K, F), C-contiguous, and bias ``b`` (F,), or none."""
        K, F = W.shape
        count = -(-F // PANEL)
        panels = memory.empty((count, K, PANEL), W.dtype)
        bias = np.zeros(count * PANEL, W.dtype)
        if b is not None:
            bias[:F] = b
        source = read_only(W)
        blocks.run(
            lambda part: pack_weights(source, *part, panels), blocks.cut(count, _PACKED_TOGETHER)
        )
        return cls(read_only(panels), read_only(bias))

    def multiply(self, x: Array, y: Array, *, relu: bool) -> None:
        """Write y (N, F) = x (N, K) @ W + b, rectified if ``relu``; both float32 and C-contiguous.

        The same bits for every number of threads, and for a row whatever the other rows are.
        """
        source = read_only(x)
        count, K, _ = self.panels.shape

        def multiply(part: tuple[blocks.Range, blocks.Range]) -> None:
            rows, panels = part
            dense(source, *rows, self.panels, self.bias, relu, *panels, y)

        # All panels for some rows, then for the next: these rows stay in the cache.
        row_blocks = blocks.cut(len(x), _ROWS)
        blocks.run(multiply, product(row_blocks, blocks.cut(count, _WEIGHTS // (K * PANEL))))
