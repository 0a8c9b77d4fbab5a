"""The gradient of a convolution's input without unrolling, in float32: by phases, or output by output."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import product
from typing import Any

from tinycnn.arrays import Array
from tinycnn.kernels.direct_gradient import direct_input_gradient
from tinycnn.kernels.panels import PANEL
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.weights import pack_channels
from tinycnn.ops.convolution import grouped, window_work
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.feature_maps import round_up
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.recorded_work import KEPT, RecordedWork
from tinycnn.runtime.recording import Recorder
from tinycnn.runtime.threads import free_threads
from tinycnn.shapes import Axis

# Channels of dx that are a part of their own where images are few; less lose more than they gain.
_LEAST_CHANNELS = 32
# Numbers of weights that stay in a core's L2: a copy costs nothing beside the products.
MOST_WEIGHTS = 1 << 18
# Work in multiply-adds: of a vector of terms added to dx, of a weight that is packed,
_TERMS = 150
_PACKED = 26
# and of products with the cells that hang over the same edges, to begin them.
_EDGES = 40_000


def input_gradient(dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx: as convolutions of dz, or what each output gives to its window."""
    if _is_a_convolution(geometry):
        grouped.input_gradient(dz, W, geometry, dx)
    else:
        _recorded_scatter(geometry, free_threads()).run(dz, dx, W)


def input_gradients(calls: Calls, geometry: Geometry, dz: Any, dx: Any, W: Any) -> Iterator[Phase]:
    """Do the same to flat arrays."""
    if _is_a_convolution(geometry):
        return grouped.input_gradients(calls, geometry, dz, dx, W)
    return _scatter(calls, geometry, dz, dx, W)


@lru_cache(maxsize=KEPT)
def _recorded_scatter(geometry: Geometry, threads: int) -> RecordedWork:
    def phases(recorder: Recorder, dz: Any, dx: Any, W: Any) -> Iterator[Phase]:
        return _scatter(recorder, geometry, dz, dx, W)

    return RecordedWork(3, threads, phases)


def _scatter(calls: Calls, geometry: Geometry, dz: Any, dx: Any, W: Any) -> Iterator[Phase]:
    """Each image's dx by one thread, and ranges of channels where images are few."""
    win, F = geometry.window, geometry.F
    images, channels = _scattered_parts(geometry)
    W = W.reshape(win.cells, geometry.C, F)
    panels = []
    for first, last in channels:
        count = -(-win.cells * (last - first) // PANEL)
        room = calls.shared(f"panels {first} to {last} of {geometry}", count * F * PANEL)
        panels.append(room.reshape(count, F, PANEL))

    def pack(calls: Calls, part: int) -> None:
        calls(pack_channels, calls.read(W), *channels[part], panels[part])

    def scatter(calls: Calls, some: Range, part: int) -> None:
        first, last = channels[part]
        calls(
            direct_input_gradient, calls.read(dz), geometry.y_shape[1:], calls.read(panels[part].reshape(-1)),
            *some, first, last - first, win.kernel, win.stride, win.pad_top_left, win.dilation, dx,
            geometry.x_shape[1:],
        )  # fmt: skip

    parts = range(len(channels))
    yield [partial(pack, part=part) for part in parts]
    yield [partial(scatter, some=some, part=part) for some, part in product(images, parts)]


def _scattered_parts(geometry: Geometry) -> tuple[list[Range], list[Range]]:
    """The blocks of images, and of channels."""
    C, count = geometry.C, window_work.parts(_counted_scatter(geometry))
    images = split_range(geometry.N, -(-geometry.N // count))
    return images, split_range(C, -(-C * len(images) // count), least=min(_LEAST_CHANNELS, C))


def counted_input_gradient(geometry: Geometry) -> int:
    """Those of `input_gradient`, with what else it does, as many as its time is worth."""
    if _is_a_convolution(geometry):
        return _counted_phases(geometry)
    return _counted_scatter(geometry)


def _is_a_convolution(geometry: Geometry) -> bool:
    fits = geometry.weights <= MOST_WEIGHTS or window_work.input_gradient_by_dots(geometry)
    return fits and _counted_phases(geometry) < _counted_scatter(geometry)


def _counted_phases(geometry: Geometry) -> int:
    products = window_work.counted_input_gradient(geometry)
    begun, turned = _EDGES, window_work.TURNED * geometry.weights
    if window_work.input_gradient_by_dots(geometry):  # weights are read as they are
        turned = 0
    elif geometry.C <= LANES // 2:  # two columns a vector, packed for each
        begun += _PACKED * geometry.window.cells * geometry.F * (LANES // 2 + geometry.C)
    edges = _same_edges(geometry.window.height) * _same_edges(geometry.window.width)
    return products + edges * window_work.parts(products) * begun + turned


def _same_edges(axis: Axis) -> int:
    """Kinds of cells of x on an axis, by the edges of dz that their outputs hang over."""
    over = max((axis.kernel - 1) * axis.dilation - axis.before, 0)
    under = max(axis.input - 1 + axis.before - axis.stride * (axis.output - 1), 0)
    return min(over + under + axis.stride, axis.input)


def _counted_scatter(geometry: Geometry) -> int:
    products = round_up(_weights(geometry), PANEL) * geometry.F
    terms = geometry.window.cells * -(-geometry.C // LANES)
    return _outputs(geometry) * (products + _TERMS * terms) + _PACKED * geometry.weights


def _outputs(geometry: Geometry) -> int:
    return geometry.N * geometry.cells_per_image


def _weights(geometry: Geometry) -> int:
    """Of one filter."""
    return geometry.window.cells * geometry.C
