"""A dense layer's weights, packed once in the order in which inference reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.kernels.dense import PANEL, dense, pack_weights
from tinycnn.runtime import memory
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import Range, split_range

# Weights a block, 1 MB or one panel: some tens of microseconds of reading for one row.
_WEIGHTS = 1 << 18
# Rows a block. With more, a panel's sums leave L1; with less, the weights are read more often.
_ROWS = 128
# Bytes of weights that are not worth a copy for one run.
_LARGE = 1 << 22
# Panels that are packed together: their columns are 1 KB or more side by side in W.
_PACKED_TOGETHER = 8


@dataclass(frozen=True)
class PackedDense:
    """Weights in panels (panels, K, PANEL), or as they lie, (K, F), and a bias for each column of a panel."""

    panels: Any  # arrays, or what stands for them where calls are recorded
    bias: Any

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
        parallel_for(
            lambda part: pack_weights(source, *part, panels), split_range(count, _PACKED_TOGETHER)
        )
        return cls(read_only(panels), read_only(bias))

    @classmethod
    def as_it_lies(cls, W: Array, b: Array) -> PackedDense | None:
        """Large weights as they are, for one run; None if they do not make whole panels."""
        serves = W.shape[1] % PANEL == 0 and W.nbytes >= _LARGE
        return cls(read_only(W), read_only(b)) if serves else None

    def phases(self, sizes: tuple[int, int, int], x: Any, y: Any, *, relu: bool) -> Iterator[Phase]:
        """Write y = x @ W + b, rectified if ``relu``; ``sizes`` are (N, K, F).

        ``x`` (N, K) and ``y`` (N, F) are flat. The same bits for every number of threads, and for a row
        whatever the other rows are.
        """
        N, K, F = sizes

        def multiply(calls: Calls, rows: Range, panels: Range) -> None:
            weights = self.panels, calls.row(self.panels), self.bias
            calls(dense, calls.read(x), K, *rows, *weights, relu, *panels, y, F)

        # All panels for some rows, then for the next: these rows stay in the cache.
        panels = split_range(-(-F // PANEL), _WEIGHTS // (K * PANEL))
        yield [
            partial(multiply, rows=rows, panels=some)
            for rows, some in product(split_range(N, _ROWS), panels)
        ]
