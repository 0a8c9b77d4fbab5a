"""Convolution by Winograd's algorithm, in blocks of images or of rows of tiles.

2 x 2, 3 x 3 and 5 x 5 kernels of stride 1, and strided ones once their squares are stacked into
channels; float32, without dilation, and without groups where it is strided.
"""

from __future__ import annotations

from tinycnn.arrays import Array
from tinycnn.ops.convolution import grouped, im2col
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.winograd import gradient
from tinycnn.ops.convolution.winograd.blocking import convolve
from tinycnn.ops.convolution.winograd.maps import bordered_maps_of, maps_of
from tinycnn.ops.convolution.winograd.setup import WinogradSetup, set_up, set_up_input_gradient
from tinycnn.runtime import memory
from tinycnn.runtime.feature_maps import FeatureMaps


def forward(
    x: Array, W: Array, b: Array | None, geometry: Geometry, y: Array, *, relu: bool
) -> None:
    """Write y = x convolved with W, plus b, rectified if ``relu``."""
    setup = _set_up(geometry)
    packed = setup.conv.pack(W if setup.squares is None else setup.squares.weights(W), b)
    convolve(setup.conv, maps_of(setup, x), packed, FeatureMaps.of(y), relu=relu)


def weight_gradient(dz: Array, x: Array, geometry: Geometry, dW: Array) -> None:
    """Write dW; where the filters of a group leave a panel to be filled up, the grouped kernels serve."""
    setup = _set_up(geometry)
    conv, source = setup.conv, maps_of(setup, x)
    if conv.groups > 1 and conv.group[1] % conv.panel:
        grouped.weight_gradient(dz, x, geometry, dW)
        return
    if setup.squares is None:
        gradient.weight_gradient(conv, source, dz, dW)
        return
    whole = memory.empty((conv.rows.kernel, conv.rows.kernel, conv.C, conv.F), dW.dtype)
    gradient.weight_gradient(conv, source, dz, whole)
    dW[...] = setup.squares.weight_gradient(whole)


def input_gradient(dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx: dz convolved with the kernel turned by 180 degrees, its padding k - 1 less the given.

    im2col serves where the convolution is strided, or where no tiles fit x; the grouped kernels, in groups.
    """
    conv = set_up_input_gradient(geometry)
    if conv is None:
        (im2col if geometry.groups == 1 else grouped).input_gradient(dz, W, geometry, dx)
        return
    packed = conv.pack(W, None, rotated180=True)
    convolve(conv, bordered_maps_of(conv, dz), packed, FeatureMaps.of(dx), relu=False)


def _set_up(geometry: Geometry) -> WinogradSetup:
    setup = set_up(geometry)
    assert setup is not None, "the caller has asked whether the algorithm applies"
    return setup
