"""Convolution by Winograd's algorithm, in blocks of images or of rows of tiles.

3 x 3 and 5 x 5 kernels of stride 1, and strided ones of few channels once their squares are stacked
into channels; float32, without groups or dilation. The other files here have the algorithm; this one
turns arrays of users into maps with a border, and gradients into convolutions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tinycnn.arrays import Array
from tinycnn.kernels.border import copy_with_border
from tinycnn.kernels.simd import LANES
from tinycnn.ops.convolution import im2col
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.winograd import gradient
from tinycnn.ops.convolution.winograd.blocking import Source, convolve
from tinycnn.ops.convolution.winograd.choice import choose, pays
from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.space_to_depth import SpaceToDepth
from tinycnn.ops.convolution.winograd.tiling import LARGEST
from tinycnn.runtime import memory
from tinycnn.runtime.calls import AT_ONCE
from tinycnn.runtime.feature_maps import FeatureMaps, round_up
from tinycnn.runtime.ranges import Range
from tinycnn.runtime.scratch import scratch

_FLOAT32 = np.dtype(np.float32)


@dataclass(frozen=True)
class Method:
    """The Winograd convolution that does the work, of stacked ``squares`` if the given one is strided."""

    conv: WinogradConvolution
    squares: SpaceToDepth | None


def refusal(geometry: Geometry, dtype: np.dtype[np.generic]) -> str | None:
    """Why the algorithm does not apply; None if it does."""
    win = geometry.window
    if dtype != _FLOAT32:
        return f"it works in float32, and the arguments make this a convolution in {dtype}"
    if geometry.groups != 1:
        return f"it takes no groups, got {geometry.groups}"
    if win.dilation != (1, 1):
        return f"it takes no dilation, got {win.dilation}"
    if win.stride == (1, 1) and (win.kernel[0] != win.kernel[1] or win.kernel[0] not in LARGEST):
        return f"it takes kernels 3 x 3 and 5 x 5, got {win.kernel[0]} x {win.kernel[1]}"
    if win.stride != (1, 1) and SpaceToDepth.of(win, geometry.C) is None:
        return f"it takes strided kernels of up to 5 strides, got {win.kernel} with stride {win.stride}"
    if _method(geometry) is None:
        return f"its tiles do not fit an output of {win.output[0]} x {win.output[1]}"
    return None


def is_faster(geometry: Geometry, dtype: np.dtype[np.generic]) -> bool:
    """Whether the algorithm applies, and beats im2col by counted work."""
    if refusal(geometry, dtype) is not None:
        return False
    win = geometry.window
    kernel, C = _kernel_and_channels(geometry)
    return pays(win.output, kernel, win.cells * geometry.C, C, geometry.F, geometry.N)


def forward(x: Array, W: Array, b: Array | None, geometry: Geometry, relu: bool, y: Array) -> None:
    """Write y = x convolved with W, plus b, rectified if ``relu``."""
    method = method_of(geometry)
    packed = method.conv.pack(W if method.squares is None else method.squares.weights(W), b)
    convolve(method.conv, _source(method, x), packed, relu, FeatureMaps.of(y))


def weight_gradient(
    dy: Array, y: Array | None, x: Array, geometry: Geometry, dW: Array, db: Array
) -> None:
    """Write dW and db for dz, which is ``dy`` masked by ``y`` (if given)."""
    method = method_of(geometry)
    source, everything = _source(method, x), (0, method.conv.rows.count)

    def image(n: int) -> FeatureMaps:
        return source((n, n + 1), everything)

    if method.squares is None:
        gradient.weight_gradient(method.conv, image, dy, y, dW, db)
        return
    conv = method.conv
    whole = memory.empty((conv.rows.kernel, conv.rows.kernel, conv.C, conv.F), dW.dtype)
    gradient.weight_gradient(conv, image, dy, y, whole, db)
    dW[...] = method.squares.weight_gradient(whole)


def input_gradient(dy: Array, y: Array | None, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx: dz convolved with the kernel turned by 180 degrees, its padding k - 1 less the given.

    im2col serves where the convolution is strided, or where no tiles fit x.
    """
    conv = _adjoint(geometry)
    if conv is None:
        im2col.input_gradient(dy, y, W, geometry, dx)
        return
    packed = conv.pack(W, None, rotated180=True)
    maps = FeatureMaps.of(dx)
    convolve(conv, lambda *block: _bordered(conv, dy, y, *block), packed, False, maps)


# ------------------------------------------------------------------------------------------ choice


def _kernel_and_channels(geometry: Geometry) -> tuple[int, int]:
    win = geometry.window
    if win.stride == (1, 1):
        return win.kernel[0], geometry.C
    squares = SpaceToDepth.of(win, geometry.C)
    assert squares is not None
    return squares.kernel, squares.channels


@lru_cache(maxsize=256)
def _method(geometry: Geometry) -> Method | None:
    win = geometry.window
    kernel, C = _kernel_and_channels(geometry)
    tilings = choose(win.output, kernel, C, geometry.F, geometry.N)
    if tilings is None:
        return None
    if win.stride == (1, 1):
        return Method(WinogradConvolution(C, geometry.F, *tilings, win.pad_top_left), None)
    return Method(WinogradConvolution(C, geometry.F, *tilings), SpaceToDepth.of(win, geometry.C))


@lru_cache(maxsize=256)
def _adjoint(geometry: Geometry) -> WinogradConvolution | None:
    """The convolution that gives dx; None where im2col has to."""
    win = geometry.window
    if win.stride != (1, 1):
        return None
    k, size = win.kernel[0], (win.height.input, win.width.input)
    tilings = choose(size, k, geometry.F, geometry.C, geometry.N)
    if tilings is None:
        return None
    pad_top_left = (k - 1 - win.pad_top_left[0], k - 1 - win.pad_top_left[1])
    return WinogradConvolution(geometry.F, geometry.C, *tilings, pad_top_left)


def method_of(geometry: Geometry) -> Method:
    """How the algorithm does it, where `refusal` has no objection."""
    method = _method(geometry)
    assert method is not None, "the caller asks `refusal` first"
    return method


# ------------------------------------------------------------------------------------------- maps


def _source(method: Method, x: Array) -> Source:
    if method.squares is None:
        return lambda *block: _bordered(method.conv, x, None, *block)
    squares = method.squares
    return lambda *block: _stacked(method.conv, squares, x, *block)


def _bordered(
    conv: WinogradConvolution,
    x: Array,
    mask: Array | None,
    images: Range,
    tile_rows: Range,
) -> FeatureMaps:
    """Images of x (or of dy masked by y) with what the windows see around them.

    A plain view where nothing lies outside and channels fill whole vectors.
    """
    (top, left), (_, H, W, C) = conv.pad_top_left, x.shape
    beyond = conv.rows.kernel - 1
    height, width = conv.rows.length + beyond, conv.columns.length + beyond
    if mask is None and (top, left, height, width, C % LANES) == (0, 0, H, W, 0):
        return FeatureMaps.of(x).select(*images)
    first = conv.rows.start(tile_rows[0]) - top
    last = conv.rows.start(tile_rows[1]) - top + beyond
    maps, _ = _empty_maps(conv, (images[1] - images[0], last - first, width), first)
    copy_with_border(
        x, x if mask is None else mask, mask is not None, *images,
        (-first, left), (last - first, width), maps.column, maps.flat,
    )  # fmt: skip
    return maps


def _stacked(
    conv: WinogradConvolution,
    squares: SpaceToDepth,
    x: Array,
    images: Range,
    tile_rows: Range,
) -> FeatureMaps:
    """Images as squares of cells stacked into channels; of one image only the rows that are read."""
    n = images[1] - images[0]
    rows = (0, n * squares.size[0])
    if n == 1:
        start, end = (conv.rows.start(tile) for tile in tile_rows)
        rows = (start, end + conv.rows.kernel - 1)
    maps, _ = _empty_maps(conv, (n, *squares.size), 0)
    squares.maps(AT_ONCE, FeatureMaps.of(x[slice(*images)]), maps, rows)
    return maps


def _empty_maps(
    conv: WinogradConvolution, size: tuple[int, int, int], first: int
) -> tuple[FeatureMaps, Array]:
    """This thread's buffer as maps (images, height, width) whose row 0 is row ``first`` of an image.

    Row 0 and column 0 are those of the border, so cell (0, 0) of the image may lie outside.
    """
    images, height, width = size
    column = round_up(conv.C, LANES)
    flat = scratch("maps", (images * height * width * column,), _FLOAT32)
    row = width * column
    start = conv.pad_top_left[1] * column - first * row
    maps = FeatureMaps(flat, (*size, conv.C), start, height * row, row, column)
    return maps, flat.reshape(*size, column)
