"""What a Winograd convolution is set up with: tiles that cost least, and squares where it is strided.

Work is counted in multiply-adds of the products; what else has to be done is counted as so many of
them as it was seen to take. From shapes alone, so the same shapes always go the same way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from tinycnn.kernels.simd import LANES
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.winograd.blocking import images_of_a_block
from tinycnn.ops.convolution.winograd.convolution import Depths, WinogradConvolution
from tinycnn.ops.convolution.winograd.space_to_depth import SpaceToDepth
from tinycnn.ops.convolution.winograd.tiling import LARGEST, tiling
from tinycnn.runtime.feature_maps import round_up
from tinycnn.validation import Pair

# The transforms, for each number that is transformed and each frequency of both axes.
_TRANSFORM = 1.5
# What it costs to begin the products of a group, as channels that it has more.
_BEGIN = 32
# A byte of transformed weights, which come from memory or L3 once a block.
_BYTE = 6
# Of gradients: of a number of x or dz for dW, of one of dW's products, of one of the weights for dx.
_GRADIENT_TRANSFORM = 40
_WEIGHT_GRADIENT = 15
_WEIGHT_TRANSFORM = 35
# Phases that threads begin together: a tenth of a millisecond.
_PHASES = 10_000_000


@dataclass(frozen=True)
class WinogradSetup:
    """The convolution of stride 1 that does the work, of stacked ``squares`` if the given one is strided."""

    conv: WinogradConvolution
    squares: SpaceToDepth | None


@lru_cache(maxsize=256)
def set_up(geometry: Geometry) -> WinogradSetup | None:
    """Set up a convolution without dilation, and without groups if it is strided; None where no tiles fit."""
    win, C, F, N = geometry.window, geometry.C, geometry.F, geometry.N
    if win.stride == (1, 1):
        conv = _cheapest(win.output, win.kernel[0], C, F, N, win.pad_top_left, geometry.groups)
        return None if conv is None else WinogradSetup(conv, None)
    setups = []
    for squares in SpaceToDepth.offered(win, C):
        conv = _cheapest(win.output, squares.kernel, squares.channels, F, N, depths=squares.depths)
        if conv is not None:
            setups.append(WinogradSetup(conv, squares))
    return min(setups, key=lambda setup: counted_work(setup.conv, N), default=None)


@lru_cache(maxsize=256)
def set_up_input_gradient(geometry: Geometry) -> WinogradConvolution | None:
    """The convolution of dz that gives dx, with the padding k - 1 less the given one.

    None where the given one is strided, or where no tiles fit x.
    """
    win = geometry.window
    if win.stride != (1, 1):
        return None
    k, (top, left) = win.kernel[0], win.pad_top_left
    size = win.height.input, win.width.input
    pads = k - 1 - top, k - 1 - left
    return _cheapest(size, k, geometry.F, geometry.C, geometry.N, pads, geometry.groups)


def _cheapest(
    output: Pair,
    kernel: int,
    C: int,
    F: int,
    images: int,
    pad_top_left: Pair = (0, 0),
    groups: int = 1,
    depths: Depths | None = None,
) -> WinogradConvolution | None:
    """The convolution with tiles for the rows and columns of ``output`` that cost least; None if none fit.

    Few images share what is read of the weights: then smaller tiles, with fewer weights, cost less.
    """
    candidates = []
    for largest in range(LARGEST.get(kernel, 0), 2, -1):
        rows, columns = (tiling(length, kernel, largest=largest) for length in output)
        if rows and columns:
            candidates.append(
                WinogradConvolution(C, F, rows, columns, pad_top_left, groups, depths)
            )
    return min(candidates, key=lambda conv: counted_work(conv, images), default=None)


def counted_forward(geometry: Geometry) -> float:
    """Work for all images, weights packed anew; `set_up` must give something."""
    setup = set_up(geometry)
    assert setup is not None
    return _counted_with_packing(setup.conv, geometry.N)


def counted_weight_gradient(geometry: Geometry) -> float:
    """Work for the gradient of the weights of all images; `set_up` must give something."""
    setup = set_up(geometry)
    assert setup is not None
    conv = setup.conv
    weights = conv.frequencies * conv.C * conv.F
    transforms = _GRADIENT_TRANSFORM * (conv.C + conv.F)
    return (
        geometry.N * _numbers(conv) * (conv.C * conv.F + transforms)
        + _WEIGHT_GRADIENT * weights
        + _PHASES
    )


def counted_input_gradient(geometry: Geometry) -> float:
    """Work for the gradient of all images; infinite where the algorithm does not give it."""
    conv = set_up_input_gradient(geometry)
    if conv is None:
        return math.inf
    return _counted_with_packing(conv, geometry.N)


def counted_work(conv: WinogradConvolution, images: int) -> float:
    """Work for one of ``images`` images."""
    depth, filters, begin = conv.channels, round_up(conv.F, LANES), 0
    if conv.groups > 1:
        depth, filters, begin = conv.group[0], conv.panels * conv.panel, _BEGIN
    transform = _TRANSFORM * (conv.rows.frequencies + conv.columns.frequencies)
    weights = 4 * conv.frequencies * depth * filters
    shared = max(min(images, images_of_a_block(conv.rows, conv.columns)), 1)
    return (
        conv.products / conv.F * filters
        + _numbers(conv) * (begin * filters + transform * (conv.channels + filters))
        + _BYTE * weights / shared
    )


def _counted_with_packing(conv: WinogradConvolution, images: int) -> float:
    weights = conv.frequencies * conv.C * conv.F
    return images * counted_work(conv, images) + _WEIGHT_TRANSFORM * weights + _PHASES


def _numbers(conv: WinogradConvolution) -> int:
    """Of one channel of an image, transformed."""
    numbers = 1
    for axis in (conv.rows, conv.columns):
        numbers *= axis.big * axis.frequencies + axis.small * (axis.frequencies - 1)
    return numbers
