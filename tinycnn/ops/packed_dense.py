"""A dense layer's weights, packed once in the order in which inference reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.kernels.dense import pack_weights
from tinycnn.kernels.packed_dense import dense
from tinycnn.kernels.panels import PANEL
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


def serves_as_it_lies(sizes: tuple[int, int, int]) -> bool:
    """Whether weights need not be kept packed, for products of ``sizes`` (N, K, F).

    Of so many rows products take long enough that large ones are packed meanwhile, a part at a time.
    """
    N, K, F = sizes
    return N >= _ROWS and K * F * 4 >= _LARGE


@dataclass(frozen=True)
class PackedDense:
    """Weights in panels (panels, K, PANEL), or as they lie, (K, F), and the bias (F,)."""

    panels: Any  # arrays, or what stands for them where calls are recorded
    bias: Any

    @classmethod
    def pack(cls, W: Array, b: Array | None) -> PackedDense:
        """Pack float32 weights ``W`` (K, F), C-contiguous, and bias ``b`` (F,), or none."""
        K, F = W.shape
        count = -(-F // PANEL)
        panels = memory.empty((count, K, PANEL), W.dtype)
        bias = np.zeros(F, W.dtype) if b is None else b
        source = read_only(W)
        parallel_for(
            lambda part: pack_weights(source, *part, panels), split_range(count, _PACKED_TOGETHER)
        )
        return cls(read_only(panels), read_only(bias))

    @classmethod
    def as_it_lies(cls, W: Array, b: Array) -> PackedDense | None:
        """Large weights as they are; None for others."""
        return cls(read_only(W), read_only(b)) if W.nbytes >= _LARGE else None

    def phases(self, sizes: tuple[int, int, int], x: Any, y: Any, *, relu: bool) -> Iterator[Phase]:
        """Write y = x @ W + b, rectified if ``relu``; ``sizes`` are (N, K, F).

        ``x`` (N, K) and ``y`` (N, F) are flat. The same bits for every number of threads, and for a row
        whatever the other rows are.
        """
        N, K, F = sizes

        def multiply(calls: Calls, rows: Range, panels: Range) -> None:
            weights = self.panels, calls.row(self.panels), self.bias
            columns = panels[0] * PANEL, min(panels[1] * PANEL, F)
            calls(dense, calls.read(x), K, *rows, *weights, relu, *columns, y, F)

        # All panels for some rows, then for the next: these rows stay in the cache.
        panels = split_range(-(-F // PANEL), _WEIGHTS // (K * PANEL))
        yield [
            partial(multiply, rows=rows, panels=some)
            for rows, some in product(split_range(N, _ROWS), panels)
        ]
