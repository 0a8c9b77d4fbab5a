"""Convolution by products that read the windows where they lie: float32, without groups.

tinycnn/ops/convolution/direct_blocks.py has the algorithm; gradients go by im2col.
"""

from __future__ import annotations

from math import prod

import numpy as np

from tinycnn.arrays import Array
from tinycnn.kernels.border import copy_with_border
from tinycnn.ops.convolution.direct_blocks import DirectConvolution, windows_of
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.im2col import input_gradient as input_gradient
from tinycnn.ops.convolution.im2col import weight_gradient as weight_gradient
from tinycnn.runtime import calls
from tinycnn.runtime.feature_maps import NO_BORDER, FeatureMaps
from tinycnn.runtime.ranges import Range
from tinycnn.runtime.scratch import scratch

_FLOAT32 = np.dtype(np.float32)
# Outputs of a row that make good products; fewer do better in im2col's rows, which may be any.
_LEAST_WIDTH = 8
# A map with a border may have so many cells for each cell that a window reads: far strides leave most
# unread, and im2col never makes them.
_MOST_UNREAD = 16


def refusal(geometry: Geometry, dtype: np.dtype[np.generic]) -> str | None:
    """Why the algorithm does not apply; None if it does."""
    if dtype != _FLOAT32:
        return f"it works in float32, and the arguments make this a convolution in {dtype}"
    if geometry.groups != 1:
        return f"it takes no groups, got {geometry.groups}"
    return None


def is_faster(geometry: Geometry, dtype: np.dtype[np.generic]) -> bool:
    """Whether the algorithm applies, and beats im2col."""
    if refusal(geometry, dtype) is not None or geometry.window.output[1] < _LEAST_WIDTH:
        return False
    win, border = geometry.window, method_of(geometry).border
    cells = prod(
        axis.input + sum(beyond)
        for axis, beyond in zip((win.height, win.width), border, strict=True)
    )
    read = geometry.cells_per_image * win.cells
    return border == NO_BORDER or cells <= _MOST_UNREAD * read


def method_of(geometry: Geometry) -> DirectConvolution:
    """How the algorithm does it, where `refusal` has no objection."""
    return DirectConvolution(geometry.C, geometry.F, geometry.window)


def forward(x: Array, W: Array, b: Array | None, geometry: Geometry, relu: bool, y: Array) -> None:
    """Write y = x convolved with W, plus b, rectified if ``relu``."""
    conv = method_of(geometry)
    maps = FeatureMaps.of(x)

    def source(images: Range, rows: Range) -> FeatureMaps:
        if conv.border == NO_BORDER:
            return windows_of(maps.select(*images), conv.window, rows)
        return _bordered(conv, x, images, rows)

    calls.run(conv.phases(source, conv.pack(W, b), relu, FeatureMaps.of(y)))


def _bordered(conv: DirectConvolution, x: Array, images: Range, rows: Range) -> FeatureMaps:
    """What the windows of some rows of outputs see, in this thread's buffer."""
    (_, W, C), ((_, _), (left, right)) = x.shape[1:], conv.border
    first, last = conv.window.height.seen(rows[0], rows[1] - 1)
    height, width = last + 1 - first, left + W + right
    row = width * C
    flat = scratch("maps", ((images[1] - images[0]) * height * row,), _FLOAT32)
    copy_with_border(x, x, False, *images, (-first, left), (height, width), C, flat)
    return FeatureMaps(flat, (images[1] - images[0], height, width, C), 0, height * row, row, C)
