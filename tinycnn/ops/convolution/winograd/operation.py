"""Convolution by Winograd's algorithm, in blocks of images or of rows of tiles.

2 x 2, 3 x 3 and 5 x 5 kernels of stride 1, and strided ones once their squares are stacked into
channels; float32, without dilation, and without groups where it is strided. The kernel calls of each
geometry are recorded once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from tinycnn.arrays import Array
from tinycnn.ops.convolution import grouped, im2col
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.winograd import blocking, gradient
from tinycnn.ops.convolution.winograd.convolution import WinogradConvolution
from tinycnn.ops.convolution.winograd.maps import bordered_maps_of, maps_of
from tinycnn.ops.convolution.winograd.setup import WinogradSetup, set_up, set_up_input_gradient
from tinycnn.ops.convolution.winograd.weights import Packed
from tinycnn.runtime import memory
from tinycnn.runtime.calls import Phase
from tinycnn.runtime.feature_maps import FeatureMaps
from tinycnn.runtime.recorded_work import KEPT, RecordedWork
from tinycnn.runtime.recording import Recorder
from tinycnn.runtime.threads import free_threads


def forward(
    x: Array, W: Array, b: Array | None, geometry: Geometry, y: Array, *, relu: bool
) -> None:
    """Write y = x convolved with W, plus b, rectified if ``relu``."""
    setup = _set_up(geometry)
    packed = setup.conv.pack(W if setup.squares is None else setup.squares.weights(W), b)
    _recorded_forward(geometry, relu, free_threads()).run(x, y, packed.U, packed.bias)


def weight_gradient(dz: Array, x: Array, geometry: Geometry, dW: Array) -> None:
    """Write dW; where the filters of a group leave a panel to be filled up, the grouped kernels serve."""
    setup = _set_up(geometry)
    conv = setup.conv
    if geometry.N == 0:
        dW[...] = 0
        return
    if conv.groups > 1 and conv.group[1] % conv.panel:
        grouped.weight_gradient(dz, x, geometry, dW)
        return
    work = _recorded_weight_gradient(geometry, free_threads())
    if setup.squares is None:
        work.run(x, dW, dz, *gradient.matrices(conv))
        return
    whole = memory.empty((conv.rows.kernel, conv.rows.kernel, conv.C, conv.F), dW.dtype)
    work.run(x, whole, dz, *gradient.matrices(conv))
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
    work = _recorded_input_gradient(conv, geometry, free_threads())
    work.run(dz, dx, packed.U, packed.bias)


@lru_cache(maxsize=KEPT)
def _recorded_forward(geometry: Geometry, relu: bool, threads: int) -> RecordedWork:
    setup = _set_up(geometry)

    def phases(recorder: Recorder, x: Any, y: Any, U: Any, bias: Any) -> Iterator[Phase]:
        source = maps_of(setup, FeatureMaps.plain(x, geometry.x_shape))
        target = FeatureMaps.plain(y, geometry.y_shape)
        return blocking.phases(
            recorder, setup.conv, source, Packed(U, bias), target, threads, relu=relu
        )

    return RecordedWork(4, threads, phases)


@lru_cache(maxsize=KEPT)
def _recorded_weight_gradient(geometry: Geometry, threads: int) -> RecordedWork:
    setup = _set_up(geometry)

    def phases(recorder: Recorder, x: Any, dW: Any, dz: Any, *G: Any) -> Iterator[Phase]:
        source = maps_of(setup, FeatureMaps.plain(x, geometry.x_shape))
        slopes = FeatureMaps.plain(dz, geometry.y_shape)
        return gradient.phases(recorder, setup.conv, source, slopes, (G[0], G[1]), dW)

    return RecordedWork(5, threads, phases)


@lru_cache(maxsize=KEPT)
def _recorded_input_gradient(
    conv: WinogradConvolution, geometry: Geometry, threads: int
) -> RecordedWork:
    def phases(recorder: Recorder, dz: Any, dx: Any, U: Any, bias: Any) -> Iterator[Phase]:
        source = bordered_maps_of(conv, FeatureMaps.plain(dz, geometry.y_shape))
        target = FeatureMaps.plain(dx, geometry.x_shape)
        return blocking.phases(recorder, conv, source, Packed(U, bias), target, threads, relu=False)

    return RecordedWork(4, threads, phases)


def _set_up(geometry: Geometry) -> WinogradSetup:
    setup = set_up(geometry)
    assert setup is not None, "the caller has asked whether the algorithm applies"
    return setup
