"""The gradients of a convolution without unrolling, in float32; see `tinycnn.kernels.direct_gradient`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import product
from typing import Any

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.kernels.dense import PANEL, pack_images
from tinycnn.kernels.direct_gradient import direct_input_gradient, direct_weight_gradient
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.window_convolution import window_convolution
from tinycnn.ops.convolution import im2col
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.runtime import memory
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.feature_maps import FeatureMaps, round_up
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.recorded_work import KEPT, RecordedWork
from tinycnn.runtime.recording import Recorder
from tinycnn.runtime.threads import free_threads

# Multiply-adds of a part: some thirty microseconds, which are worth handing over.
_WORK = 1 << 21
# Parts that are enough for any number of cores.
_PARTS = 16
# Weights' gradients, in numbers, of all parts that are added up at the end: they stay in L2.
_SUMS = 1 << 17
# Channels of dx that are a part of their own where images are few; less lose more than they gain.
_LEAST_CHANNELS = 32
# Numbers of weights that stay in a core's L2: a copy costs nothing beside the products.
MOST_WEIGHTS = 1 << 18
# Numbers of an image with its border that kernels make room for: windows far apart see more.
MOST_SEEN = 1 << 26
# Work in multiply-adds: of a kernel's row added to dx, of a weight that is packed, or turned by NumPy.
_RUN = 1500
_PACKED = 26
_TURNED = 80


def weight_gradient(dz: Array, x: Array, geometry: Geometry, dW: Array) -> None:
    """Write dW: a sum for each block of images, and these in their order; rows of dW where images are few."""
    if geometry.N == 0:
        dW[...] = 0
        return
    if geometry.seen_per_image > MOST_SEEN:
        im2col.weight_gradient(dz, x, geometry, dW)
        return
    images, _ = _weight_gradient_parts(geometry)
    sums = dW[None] if len(images) == 1 else memory.empty((len(images), *dW.shape), dW.dtype)
    _recorded_weight_gradient(geometry, free_threads()).run(x, sums, dz)
    if len(images) > 1:
        np.add.reduce(sums, axis=0, out=dW)


@lru_cache(maxsize=KEPT)
def _recorded_weight_gradient(geometry: Geometry, threads: int) -> RecordedWork:
    win, C, F = geometry.window, geometry.C, geometry.F
    images, rows = _weight_gradient_parts(geometry)

    def phases(recorder: Recorder, x: Any, sums: Any, dz: Any) -> Iterator[Phase]:
        def add_up(calls: Calls, block: int, some: Range) -> None:
            calls(
                direct_weight_gradient, calls.read(x), geometry.x_shape[1:], calls.read(dz),
                geometry.y_shape[1:], *images[block], win.kernel, win.stride, win.pad_top_left,
                win.dilation, *some, sums, block * win.cells * C * F,
            )  # fmt: skip

        blocks = product(range(len(images)), rows)
        yield [partial(add_up, block=block, some=some) for block, some in blocks]

    return RecordedWork(3, threads, phases)


def _weight_gradient_parts(geometry: Geometry) -> tuple[list[Range], list[Range]]:
    """The blocks of images, and of rows of dW."""
    rows, count = _weights(geometry), parts(counted_products(geometry))
    most = max(min(count, _SUMS // max(rows * geometry.F, 1)), 1)
    images = split_range(geometry.N, -(-geometry.N // most))
    return images, split_range(rows, -(-rows * len(images) // count))


def input_gradient(dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx: at stride 1 as a convolution of dz, else what each output gives to its window."""
    if _is_a_convolution(geometry):
        turned = np.ascontiguousarray(W[::-1, ::-1].swapaxes(2, 3))
        nothing = np.zeros(geometry.C, W.dtype)
        _recorded_convolution(geometry, free_threads()).run(dz, dx, turned, nothing)
    else:
        _, channels = _scattered_parts(geometry)
        panels = [_packed(W, *some) for some in channels]
        _recorded_scatter(geometry, free_threads()).run(dz, dx, *panels)


@lru_cache(maxsize=KEPT)
def _recorded_convolution(geometry: Geometry, threads: int) -> RecordedWork:
    """Of dz with the kernel turned by 180 degrees, its padding the reach less the given."""
    win = geometry.window
    top, left = (axis.effective_kernel - 1 - axis.before for axis in (win.height, win.width))

    def phases(recorder: Recorder, dz: Any, dx: Any, W: Any, bias: Any) -> Iterator[Phase]:
        target = FeatureMaps.plain(dx, geometry.x_shape)

        def convolve(calls: Calls, some: Range) -> None:
            calls(
                window_convolution, calls.read(dz), geometry.y_shape[1:], W, bias, False, *some,
                win.kernel, (1, 1), (top, left), win.dilation, dx, target.place, target.shape[1:3],
            )  # fmt: skip

        rows = geometry.N * win.height.input
        count = parts(_counted_back(geometry))
        yield [partial(convolve, some=some) for some in split_range(rows, -(-rows // count))]

    return RecordedWork(4, threads, phases)


@lru_cache(maxsize=KEPT)
def _recorded_scatter(geometry: Geometry, threads: int) -> RecordedWork:
    """Each image's dx by one thread, and ranges of channels where images are few."""
    win = geometry.window
    images, channels = _scattered_parts(geometry)

    def phases(recorder: Recorder, dz: Any, dx: Any, *panels: Any) -> Iterator[Phase]:
        def scatter(calls: Calls, some: Range, channel: int, end: int, packed: Any) -> None:
            calls(
                direct_input_gradient, calls.read(dz), geometry.y_shape[1:], packed, *some, channel,
                end - channel, win.kernel, win.stride, win.pad_top_left, win.dilation, dx,
                geometry.x_shape[1:],
            )  # fmt: skip

        yield [
            partial(scatter, some=some, channel=channel, end=end, packed=packed)
            for some in images
            for (channel, end), packed in zip(channels, panels, strict=True)
        ]

    return RecordedWork(2 + len(channels), threads, phases)


def _scattered_parts(geometry: Geometry) -> tuple[list[Range], list[Range]]:
    """The blocks of images, and of channels."""
    C, count = geometry.C, parts(_counted_scatter(geometry))
    images = split_range(geometry.N, -(-geometry.N // count))
    return images, split_range(C, -(-C * len(images) // count), least=min(_LEAST_CHANNELS, C))


def counted_products(geometry: Geometry) -> int:
    """Multiply-adds of the convolution, or of `weight_gradient`, in whole vectors of filters."""
    return _outputs(geometry) * _weights(geometry) * round_up(geometry.F, LANES)


def counted_input_gradient(geometry: Geometry) -> int:
    """Those of `input_gradient`, with what else it does, as many as its time is worth."""
    if _is_a_convolution(geometry):
        return _counted_back(geometry)
    return _counted_scatter(geometry)


def _is_a_convolution(geometry: Geometry) -> bool:
    fits = _weights(geometry) * geometry.F <= MOST_WEIGHTS and geometry.seen_per_image <= MOST_SEEN
    return (
        geometry.window.stride == (1, 1)
        and fits
        and _counted_back(geometry) < _counted_scatter(geometry)
    )


def _counted_back(geometry: Geometry) -> int:
    win, channels = geometry.window, round_up(geometry.C, LANES)
    cells = geometry.N * win.height.input * win.width.input
    products = cells * win.cells * geometry.F * channels
    return products + _TURNED * _weights(geometry) * geometry.F


def _counted_scatter(geometry: Geometry) -> int:
    weights = _weights(geometry)
    runs = _outputs(geometry) * geometry.window.kernel[0]
    products = _outputs(geometry) * round_up(weights, PANEL) * geometry.F
    return products + _RUN * runs + _PACKED * weights * geometry.F


def _outputs(geometry: Geometry) -> int:
    return geometry.N * geometry.cells_per_image


def _weights(geometry: Geometry) -> int:
    """Of one filter."""
    return geometry.window.cells * geometry.C


def _packed(W: Array, first: int, last: int) -> Array:
    """The weights of some channels (KH*KW*channels, F), as the kernel reads them."""
    F = W.shape[3]
    rows = read_only(W[:, :, first:last].reshape(-1, F))
    panels = memory.empty((-(-len(rows) // PANEL), F, PANEL), W.dtype)
    pack_images(rows, panels)
    return read_only(panels)


def parts(work: int) -> int:
    """How many parts the work is cut into, from its size: a power of two, so that cores end together."""
    return min(1 << max((work // _WORK).bit_length() - 1, 0), _PARTS)
