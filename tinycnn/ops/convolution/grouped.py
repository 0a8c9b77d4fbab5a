"""Convolution from windows where they lie, in groups or not, depthwise included: float32 and float64.

A vector of filters spans as many groups as fit, so that few are too narrow, see
`tinycnn.kernels.window_products`; where even so most of it would be empty, vectors lie along the windows, see
`tinycnn.kernels.dot_products`. Weights are read as they are or turned, so they should stay in a core's cache.
The gradient of the input is, for each of the stride's phases, the same convolution of dz.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.kernels.weights import add_parts, exchange_channels
from tinycnn.kernels.window_convolution import window_convolution, window_input_gradient
from tinycnn.kernels.window_weight_gradient import window_weight_gradient
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.window_work import (
    by_dots,
    counted_input_gradient,
    counted_products,
    counted_weight_gradient,
    input_gradient_by_dots,
    parts,
    weight_gradient_along,
)
from tinycnn.runtime import calls
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.feature_maps import FeatureMaps
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.recorded_work import KEPT, RecordedWork
from tinycnn.runtime.recording import Recorder
from tinycnn.runtime.threads import free_threads
from tinycnn.shapes import Window

_FLOAT32 = np.dtype(np.float32)
# Weights' gradients, in numbers, of all parts that are added up at the end: they stay in L2.
_SUMS = 1 << 17


def forward(
    x: Array, W: Array, b: Array | None, geometry: Geometry, y: Array, *, relu: bool
) -> None:
    """Write y = x convolved with W, plus b, rectified if ``relu``."""
    bias = np.zeros(geometry.F, W.dtype) if b is None else b
    _run(products, (geometry, relu), x, y, W, bias)


def products(
    calls: Calls, geometry: Geometry, relu: bool, x: Any, y: Any, W: Any, b: Any
) -> Iterator[Phase]:
    """Do the same to flat arrays, with a bias."""
    conv, win = GroupedConvolution.of(geometry), geometry.window
    if conv.dots and geometry.F > 1:
        turned = calls.shared("turned", geometry.weights, W.dtype)
        size = win.kernel[1] * geometry.C // geometry.groups, geometry.F
        weights, W = W, turned

        def exchange(calls: Calls) -> None:
            calls(exchange_channels, calls.read(weights), win.kernel[0], size, 1, turned)

        yield [exchange]
    yield conv.phase(
        x, geometry.x_shape[1:], W, b, FeatureMaps.plain(y, geometry.y_shape), relu=relu,
        count=parts(counted_products(geometry)),
    )  # fmt: skip


def weight_gradient(dz: Array, x: Array, geometry: Geometry, dW: Array) -> None:
    """Write dW: a sum for each block of images, and these in their order; rows of dW where images are few."""
    if geometry.N == 0:
        dW[...] = 0
        return
    _run(weight_gradients, (geometry,), x, dW, dz)


def weight_gradients(calls: Calls, geometry: Geometry, x: Any, dW: Any, dz: Any) -> Iterator[Phase]:
    """Do the same to flat arrays of images, at least one."""
    win, (images, rows) = geometry.window, _weight_gradient_parts(geometry)
    size, count, along = geometry.weights, len(images), weight_gradient_along(geometry)
    sums = dW if count == 1 else calls.shared("parts of dW", count * size, dW.dtype)

    def add_up(calls: Calls, block: int, some: Range) -> None:
        calls(
            window_weight_gradient, calls.read(x), geometry.x_shape[1:], calls.read(dz),
            geometry.y_shape[1:], geometry.groups, along, *images[block], win.kernel, win.stride,
            win.pad_top_left, win.dilation, *some, sums, block * size,
        )  # fmt: skip

    def add_parts_of(calls: Calls, some: Range) -> None:
        calls(add_parts, calls.read(sums), size, count, *some, dW)

    yield [partial(add_up, block=block, some=some) for block, some in product(range(count), rows)]
    if count > 1:
        yield [partial(add_parts_of, some=some) for some in split_range(size, _SUMS // count)]


def _weight_gradient_parts(geometry: Geometry) -> tuple[list[Range], list[Range]]:
    """The blocks of images, and of rows of dW."""
    rows, count = geometry.weights // geometry.F, parts(counted_weight_gradient(geometry))
    most = max(min(count, _SUMS // max(geometry.weights, 1)), 1)
    images = split_range(geometry.N, -(-geometry.N // most))
    return images, split_range(rows, -(-rows * len(images) // count))


def input_gradient(dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx: each phase of the stride is a convolution of dz."""
    _run(input_gradients, (geometry,), dz, dx, W)


def input_gradients(calls: Calls, geometry: Geometry, dz: Any, dx: Any, W: Any) -> Iterator[Phase]:
    """Do the same to flat arrays."""
    win, dots = geometry.window, input_gradient_by_dots(geometry)
    turned = W
    if not dots:
        turned = calls.shared("turned", geometry.weights, dx.dtype)
        size = geometry.C // geometry.groups, geometry.F

        def exchange(calls: Calls) -> None:
            calls(exchange_channels, calls.read(W), win.cells, size, geometry.groups, turned)

        yield [exchange]
    rows = geometry.N * -(-win.height.input // win.stride[0])

    def convolve(calls: Calls, some: Range) -> None:
        calls(
            window_input_gradient, calls.read(dz), geometry.y_shape[1:], calls.read(turned), geometry.groups,
            dots, *some, win.kernel, win.stride, win.pad_top_left, win.dilation, dx, geometry.x_shape[1:],
        )  # fmt: skip

    count = parts(counted_input_gradient(geometry))
    yield [partial(convolve, some=some) for some in split_range(rows, -(-rows // count))]


def _run(phases: Callable[..., Iterator[Phase]], options: tuple[Any, ...], *arrays: Array) -> None:
    """Carry out phases of ``options`` and flat arrays, the second written to: recorded once in float32."""
    if arrays[0].dtype == _FLOAT32:
        _recorded(phases, options, len(arrays), free_threads()).run(*arrays)
    else:
        calls.run(phases(calls.AT_ONCE, *options, *(array.reshape(-1) for array in arrays)))


@lru_cache(maxsize=KEPT)
def _recorded(
    phases: Callable[..., Iterator[Phase]], options: tuple[Any, ...], count: int, threads: int
) -> RecordedWork:
    def recorded(recorder: Recorder, *arrays: Any) -> Iterator[Phase]:
        return phases(recorder, *options, *arrays)

    return RecordedWork(count, threads, recorded)


@dataclass(frozen=True)
class GroupedConvolution:
    """What is read where: one of these serves many threads."""

    groups: int
    window: Window
    dots: bool  # whether vectors lie along the windows

    @classmethod
    def of(cls, geometry: Geometry) -> GroupedConvolution:
        """Set up for ``geometry``."""
        return cls(geometry.groups, geometry.window, by_dots(geometry))

    def turn(self, W: Array) -> Array:
        """W (KH, KW, C // groups, F) as `phase` reads it: as it is, or for dots (KH, F, KW, C // groups)."""
        return np.ascontiguousarray(W.transpose(0, 3, 1, 2)) if self.dots else W

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
        pool: int = 1,
    ) -> Phase:
        """Give the work in ``count`` parts, on flat images of ``size`` (H, W, C) and flat weights.

        With a ``pool`` of POOL_WIDTH, the target has maxima of so many by so many outputs, see the kernel.
        """
        win, output = self.window, tuple(length // pool for length in self.window.output)
        rows = target.shape[0] * output[0]

        def convolve(calls: Calls, some: Range) -> None:
            calls(
                window_convolution, calls.read(x), size, calls.read(W), calls.read(b), self.groups, relu,
                self.dots, *some, win.kernel, win.stride, win.pad_top_left, win.dilation,
                target.flat, target.place, output, pool,
            )  # fmt: skip

        return [partial(convolve, some=some) for some in split_range(rows, -(-rows // count))]
