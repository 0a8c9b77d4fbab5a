"""Convolution in groups, depthwise included, with vectors across filters: float32 and float64.

A vector of filters may span several groups, so none is too narrow; see `tinycnn.kernels.grouped`. The
gradient of the input is, for each of the stride's phases, the same convolution of dz: with filters for
channels, the kernel's cells of that phase, turned. That of the weights adds up ranges of output rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from math import gcd
from typing import Any

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.kernels.grouped import grouped_convolution
from tinycnn.kernels.grouped_gradient import grouped_weight_gradient
from tinycnn.kernels.simd import LANES
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.runtime import calls
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.feature_maps import FeatureMaps
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.scratch import scratch
from tinycnn.shapes import Axis, Window

# Numbers of a map, which stays in L2.
_MAP = 1 << 16
# Output cells of a block of images: what is read and written stays in L2.
_CELLS = 1024
# Blocks that are enough for any number of cores, and multiply-adds that are worth one.
_BLOCKS = 16
_LEAST_WORK = 1 << 20
# Multiply-adds of the longest block: a tenth of a second on a slow core.
_MOST_WORK = 1 << 28


def forward(
    x: Array, W: Array, b: Array | None, geometry: Geometry, y: Array, *, relu: bool
) -> None:
    """Write y = x convolved with W, plus b, rectified if ``relu``."""
    conv = GroupedConvolution.of(geometry, W.dtype)
    calls.run(conv.phases(FeatureMaps.of(x), conv.pack(W, b), FeatureMaps.of(y), relu=relu))


def weight_gradient(dz: Array, x: Array, geometry: Geometry, dW: Array) -> None:
    """Write dW."""
    GroupedConvolution.of(geometry, dW.dtype).weight_gradient(dz, x, dW)


def input_gradient(dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx: each phase of the stride is a convolution of dz."""
    height, width = _phases(geometry.window.height), _phases(geometry.window.width)
    down, right = geometry.window.stride
    for (top, rows), (left, columns) in product(enumerate(height), enumerate(width)):
        if rows is None or columns is None:  # no window sees these cells
            dx[:, top::down, left::right] = 0
            continue
        conv = GroupedConvolution(
            geometry.F, geometry.C, geometry.groups, Window(rows.axis, columns.axis), W.dtype
        )
        taps = W[np.ix_(rows.cells, columns.cells)]
        packed = conv.pack(_transposed(taps, geometry.groups), None)
        target = FeatureMaps.of(dx).every(geometry.window.stride, (top, left), conv.window.output)
        calls.run(conv.phases(FeatureMaps.of(dz), packed, target, relu=False))


@dataclass(frozen=True)
class PackedGroups:
    """Weights (vectors, KH, KW, C // groups, lanes) and bias (vectors, lanes).

    The last vector ends with the last filter, and is filled up with zeros if it is the only one.
    """

    weights: Any  # arrays, or what stands for them where calls are recorded
    bias: Any


@dataclass(frozen=True)
class GroupedConvolution:
    """Sizes of a convolution of C channels with F filters in groups; one of these serves many threads."""

    C: int
    F: int
    groups: int
    window: Window
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, geometry: Geometry, dtype: np.dtype[Any]) -> GroupedConvolution:
        """Set up for ``geometry`` and arrays of ``dtype``, float32 or float64."""
        return cls(geometry.C, geometry.F, geometry.groups, geometry.window, dtype)

    @property
    def group(self) -> tuple[int, int]:
        """Channels and filters of a group."""
        return self.C // self.groups, self.F // self.groups

    @property
    def lanes(self) -> int:
        """Filters of a vector."""
        return LANES * 4 // self.dtype.itemsize

    @property
    def vectors(self) -> int:
        """Vectors of filters."""
        return -(-self.F // self.lanes)

    @property
    def images(self) -> int:
        """Images that are worked on together."""
        OH, OW = self.window.output
        return max(_CELLS // (OH * OW), 1)

    def pack(self, W: Array, b: Array | None) -> PackedGroups:
        """Pack weights (KH, KW, C // groups, F) and bias (F,), or none."""
        bias = np.zeros(self.F, W.dtype) if b is None else b
        return PackedGroups(self._in_vectors(W), self._in_vectors(bias))

    def _in_vectors(self, array: Array) -> Array:
        """Numbers (..., F) as (vectors, ..., lanes)."""
        lanes, whole = self.lanes, self.F // self.lanes
        packed = np.zeros((self.vectors, *array.shape[:-1], lanes), array.dtype)
        vectors = array[..., : whole * lanes].reshape(*array.shape[:-1], whole, lanes)
        packed[:whole] = np.moveaxis(vectors, -2, 0)
        if whole < self.vectors:
            count = min(lanes, self.F)
            packed[-1, ..., :count] = array[..., self.F - count :]
        return read_only(packed)

    def phases(
        self, source: FeatureMaps, packed: PackedGroups, target: FeatureMaps, *, relu: bool
    ) -> Iterator[Phase]:
        """Give the work for all images: blocks of output rows, and of vectors where rows are few."""
        rows = target.shape[0] * self.window.output[0]
        yield [
            partial(self._convolve, source, packed, relu, target, *part)
            for part in self._parts(rows, -(-rows // _BLOCKS))
        ]

    def weight_gradient(self, dz: Array, x: Array, dW: Array) -> None:
        """Write dW (KH, KW, C // groups, F)."""
        win, (Cg, _), rows = self.window, self.group, dz.shape[0] * self.window.output[0]
        parts = self._parts(rows, -(-rows * min(self.vectors, _BLOCKS) // _BLOCKS))
        ranges = sorted({some for some, _ in parts})
        sums = np.zeros((len(ranges), self.vectors, *win.kernel, Cg, self.lanes), dW.dtype)
        maps, slopes = FeatureMaps.of(x), FeatureMaps.of(dz)

        def add_up(part: tuple[Range, Range]) -> None:
            some, vectors = part
            room = self._room(vectors) + win.output[1] * self.lanes
            grouped_weight_gradient(
                read_only(maps.flat), maps.place, x.shape[1:3], win.pad_top_left, self.group, *some,
                win.kernel, win.stride, win.dilation, read_only(slopes.flat), slopes.place, win.output,
                self.F, vectors, sums[ranges.index(some)], scratch("groups", (room,), self.dtype),
            )  # fmt: skip

        parallel_for(add_up, parts)
        total = np.moveaxis(sums.sum(axis=0), 0, -2)  # (KH, KW, C // groups, vectors, lanes)
        last = min(self.lanes, self.F)
        dW[..., self.F - last :] = total[..., -1, :last]
        whole = self.F // self.lanes
        dW[..., : whole * self.lanes] = total[..., :whole, :].reshape(*dW.shape[:3], -1)

    def _parts(self, rows: int, most: int) -> list[tuple[Range, Range]]:
        """Cut the work into at most so many rows of outputs, and vectors where that is not enough."""
        (Cg, _), win = self.group, self.window
        work = win.output[1] * win.cells * Cg * self.lanes  # of a row, for a vector
        least = -(-_LEAST_WORK // (work * self.vectors))
        blocks = split_range(rows, max(min(most, _MOST_WORK // (work * self.vectors)), least, 1))
        enough = min(work * rows * self.vectors // _LEAST_WORK, _BLOCKS)
        count = max(enough // max(len(blocks), 1), 1)
        return list(product(blocks, split_range(self.vectors, -(-self.vectors // count))))

    def _room(self, vectors: Range) -> int:
        """Numbers of a map that one row of outputs sees; more where it is small."""
        (Cg, Fg), height, width = self.group, self.window.height, self.window.width
        first, last = width.seen(0, width.output - 1)
        depthwise = Cg == Fg == 1
        each = (vectors[1] - vectors[0] + 1) * self.lanes if depthwise else Cg * self.lanes
        return max(height.effective_kernel * (last + 1 - first) * each, _MAP)

    def _convolve(
        self,
        source: FeatureMaps,
        packed: PackedGroups,
        relu: bool,
        target: FeatureMaps,
        rows: Range,
        vectors: Range,
        calls: Calls,
    ) -> None:
        win = self.window
        calls(
            grouped_convolution,
            calls.read(source.flat), source.place, source.shape[1:3], win.pad_top_left, self.group, *rows,
            win.kernel, win.stride, win.dilation, packed.weights, packed.bias, relu, vectors,
            target.flat, target.place, win.output, self.F,
            calls.scratch("groups", self._room(vectors), self.dtype),
        )  # fmt: skip


@dataclass(frozen=True)
class _Phase:
    """What an input's cells of one phase of the stride get back along an axis, as a convolution of dz.

    ``cells`` are those of the kernel that met them, the last one first.
    """

    cells: list[int]
    axis: Axis


def _phases(axis: Axis) -> list[_Phase | None]:
    """For each phase, cells a, a + stride and so on of the input; None where there is nothing to get.

    Output o meets input h by the kernel's cell i where o*stride = h + before - i*dilation.
    """
    return [_phase(axis, a) for a in range(axis.stride)]


def _phase(axis: Axis, a: int) -> _Phase | None:
    s, d, start = axis.stride, axis.dilation, a + axis.before
    output = -(-(axis.input - a) // s)
    cells = [i for i in reversed(range(axis.kernel)) if (start - i * d) % s == 0]
    if output <= 0 or not cells:
        return None
    before, dilation = (cells[0] * d - start) // s, d // gcd(s, d)
    after = output - before + dilation * (len(cells) - 1) - axis.output
    return _Phase(cells, Axis(axis.output, len(cells), 1, before, after, dilation, output))


def _transposed(W: Array, groups: int) -> Array:
    """Weights (KH, KW, C // groups, F) with each group's channels and filters exchanged."""
    KH, KW, Cg, F = W.shape
    some = W.reshape(KH, KW, Cg, groups, F // groups).transpose(0, 1, 4, 3, 2)
    return some.reshape(KH, KW, F // groups, groups * Cg)
