"""Convolution from windows where they lie, in groups or not, depthwise included: float32 and float64.

A vector of filters spans as many groups as fit, so that few are too narrow, see
`tinycnn.kernels.window_products`. Weights are read as they are, so they should stay in a core's cache. The
gradient of the input is, for each of the stride's phases, the same convolution of dz.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.window_convolution import window_convolution, window_input_gradient
from tinycnn.kernels.window_weight_gradient import window_weight_gradient
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.runtime import calls
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.feature_maps import FeatureMaps, round_up
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.scratch import scratch
from tinycnn.shapes import Window

# Multiply-adds of a part: some thirty microseconds, which are worth handing over; and of the longest one, a
# tenth of a second on a slow core.
_WORK, _MOST_WORK = 1 << 21, 1 << 28
# Parts that are enough for any number of cores.
_PARTS = 16
# Weights' gradients, in numbers, of all parts that are added up at the end: they stay in L2.
_SUMS = 1 << 17
# Multiply-adds that take as long as one where groups share a vector, which reads inputs of its own.
_NARROW = 4


def forward(
    x: Array, W: Array, b: Array | None, geometry: Geometry, y: Array, *, relu: bool
) -> None:
    """Write y = x convolved with W, plus b, rectified if ``relu``."""
    bias = np.zeros(geometry.F, W.dtype) if b is None else b
    phase = GroupedConvolution.of(geometry).phase(
        read_only(x.reshape(-1)), x.shape[1:], read_only(W.reshape(-1)), read_only(bias),
        FeatureMaps.of(y), relu=relu, count=parts(counted_products(geometry)),
    )  # fmt: skip
    calls.run([phase])


def weight_gradient(dz: Array, x: Array, geometry: Geometry, dW: Array) -> None:
    """Write dW: a sum for each block of images, and these in their order; rows of dW where images are few."""
    if geometry.N == 0:
        dW[...] = 0
        return
    win, rows = geometry.window, dW.reshape(-1, geometry.F)
    count = parts(counted_products(geometry))
    images = split_range(geometry.N, -(-geometry.N // max(min(count, _SUMS // max(dW.size, 1)), 1)))
    some = split_range(len(rows), -(-len(rows) * len(images) // count))
    sums = rows[None] if len(images) == 1 else scratch("dW", (len(images), *rows.shape), dW.dtype)
    x, dz = read_only(x), read_only(dz)

    def add_up(part: tuple[int, Range]) -> None:
        block, (first, last) = part
        window_weight_gradient(
            x, dz, geometry.groups, *images[block], win.kernel, win.stride, win.pad_top_left, win.dilation,
            first, last, sums[block],
        )  # fmt: skip

    parallel_for(add_up, product(range(len(images)), some))
    if len(images) > 1:
        np.add.reduce(sums, axis=0, out=rows)


def input_gradient(dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx: each phase of the stride is a convolution of dz."""
    win, C, F = geometry.window, geometry.C, geometry.F
    exchanged = read_only(_exchanged(W, geometry.groups).reshape(-1))
    source, target = read_only(dz.reshape(-1)), dx.reshape(-1)
    rows = geometry.N * -(-win.height.input // win.stride[0])

    def convolve(some: Range) -> None:
        window_input_gradient(
            source, (*win.output, F), exchanged, geometry.groups, *some, win.kernel, win.stride,
            win.pad_top_left, win.dilation, target, (win.height.input, win.width.input, C),
        )  # fmt: skip

    parallel_for(convolve, split_range(rows, -(-rows // parts(counted_input_gradient(geometry)))))


@dataclass(frozen=True)
class GroupedConvolution:
    """What is read where: one of these serves many threads."""

    groups: int
    window: Window

    @classmethod
    def of(cls, geometry: Geometry) -> GroupedConvolution:
        """Set up for ``geometry``."""
        return cls(geometry.groups, geometry.window)

    def phase(
        self,
        x: Any,
        size: tuple[int, ...],
        W: Any,
        b: Any,
        target: FeatureMaps,
        *,
        relu: bool,
        count: int,
    ) -> Phase:
        """Give the work in ``count`` parts, on flat images of ``size`` (H, W, C) and flat weights."""
        win, rows = self.window, target.shape[0] * self.window.output[0]

        def convolve(calls: Calls, some: Range) -> None:
            calls(
                window_convolution, calls.read(x), size, W, b, self.groups, relu, *some, win.kernel,
                win.stride, win.pad_top_left, win.dilation, target.flat, target.place, win.output,
            )  # fmt: skip

        return [partial(convolve, some=some) for some in split_range(rows, -(-rows // count))]


def counted_products(geometry: Geometry) -> int:
    """Multiply-adds of the convolution, or of `weight_gradient`, as many as its time is worth."""
    each = geometry.window.cells * (geometry.C // geometry.groups)
    return geometry.N * geometry.cells_per_image * each * _filters(geometry.F, geometry.groups)


def counted_input_gradient(geometry: Geometry) -> int:
    """Those of `input_gradient`."""
    each = geometry.window.cells * (geometry.F // geometry.groups)
    return geometry.N * geometry.cells_per_image * each * _filters(geometry.C, geometry.groups)


def _filters(F: int, groups: int) -> int:
    """Filters in whole vectors, each as long as its products take."""
    return round_up(F, LANES) * (_NARROW if groups * LANES > F and groups > 1 else 1)


def parts(work: int) -> int:
    """How many parts the work is cut into, from its size: a power of two, so that cores end together."""
    enough = min(1 << max((work // _WORK).bit_length() - 1, 0), _PARTS)
    return max(enough, work // _MOST_WORK)


def _exchanged(W: Array, groups: int) -> Array:
    """Weights (KH, KW, C // groups, F) with each group's channels and filters exchanged."""
    KH, KW, Cg, F = W.shape
    some = W.reshape(KH, KW, Cg, groups, F // groups).transpose(0, 1, 4, 3, 2)
    return some.reshape(KH, KW, F // groups, groups * Cg)
