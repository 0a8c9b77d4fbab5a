"""The gradients of a convolution without unrolling, in float32; see `tinycnn.kernels.direct_gradient`."""

from __future__ import annotations

from itertools import product

import numpy as np

from tinycnn.arrays import Array, read_only
from tinycnn.kernels.dense import PANEL, pack_images
from tinycnn.kernels.direct_gradient import direct_input_gradient, direct_weight_gradient
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.window_convolution import window_convolution
from tinycnn.ops.convolution import im2col
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.runtime import memory
from tinycnn.runtime.feature_maps import FeatureMaps, round_up
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.scratch import scratch

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
    win, rows = geometry.window, dW.reshape(-1, geometry.F)
    count = parts(counted_products(geometry))
    images = split_range(geometry.N, -(-geometry.N // max(min(count, _SUMS // max(dW.size, 1)), 1)))
    some = split_range(len(rows), -(-len(rows) * len(images) // count))
    sums = rows[None] if len(images) == 1 else scratch("dW", (len(images), *rows.shape), dW.dtype)
    x, dz = read_only(x), read_only(dz)

    def add_up(part: tuple[int, Range]) -> None:
        block, (first, last) = part
        direct_weight_gradient(
            x, dz, *images[block], win.kernel, win.stride, win.pad_top_left, win.dilation,
            first, last, sums[block],
        )  # fmt: skip

    parallel_for(add_up, product(range(len(images)), some))
    if len(images) > 1:
        np.add.reduce(sums, axis=0, out=rows)


def input_gradient(dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx: at stride 1 as a convolution of dz, else what each output gives to its window."""
    if _is_a_convolution(geometry):
        _convolve_back(read_only(dz), W, geometry, dx)
    else:
        _scatter(read_only(dz), W, geometry, dx)


def _convolve_back(dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx: dz convolved with the kernel turned by 180 degrees, its padding the reach less the given."""
    win, rows = geometry.window, geometry.N * geometry.window.height.input
    turned = read_only(np.ascontiguousarray(W[::-1, ::-1].swapaxes(2, 3)).reshape(-1))
    nothing = read_only(np.zeros(geometry.C, W.dtype))
    top, left = (axis.effective_kernel - 1 - axis.before for axis in (win.height, win.width))

    size, source, target = dz.shape[1:], dz.reshape(-1), FeatureMaps.of(dx)

    def convolve(some: Range) -> None:
        window_convolution(
            source, size, turned, nothing, False, *some, win.kernel, (1, 1), (top, left), win.dilation,
            target.flat, target.place, dx.shape[1:3],
        )  # fmt: skip

    parallel_for(convolve, split_range(rows, -(-rows // parts(_counted_back(geometry)))))


def _scatter(dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx, each image's by one thread, and ranges of channels where images are few."""
    win, C = geometry.window, geometry.C
    count = parts(_counted_scatter(geometry))
    images = split_range(geometry.N, -(-geometry.N // count))
    ranges = split_range(C, -(-C * len(images) // count), least=min(_LEAST_CHANNELS, C))

    def scatter(part: tuple[Range, tuple[Range, Array]]) -> None:
        some, ((channel, end), panels) = part
        direct_input_gradient(
            dz, panels, *some, channel, end - channel, win.kernel, win.stride, win.pad_top_left,
            win.dilation, dx,
        )  # fmt: skip

    parallel_for(scatter, product(images, [(some, _packed(W, *some)) for some in ranges]))


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
