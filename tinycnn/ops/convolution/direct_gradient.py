"""The gradient of a convolution's input without unrolling, in float32: by phases, or output by output."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

from tinycnn.arrays import Array, read_only
from tinycnn.kernels.dense import PANEL, pack_images
from tinycnn.kernels.direct_gradient import direct_input_gradient
from tinycnn.ops.convolution import grouped
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.runtime import memory
from tinycnn.runtime.calls import Calls, Phase
from tinycnn.runtime.feature_maps import round_up
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.recorded_work import KEPT, RecordedWork
from tinycnn.runtime.recording import Recorder
from tinycnn.runtime.threads import free_threads

# Channels of dx that are a part of their own where images are few; less lose more than they gain.
_LEAST_CHANNELS = 32
# Numbers of weights that stay in a core's L2: a copy costs nothing beside the products.
MOST_WEIGHTS = 1 << 18
# Work in multiply-adds: of a kernel's row added to dx, of a weight that is packed, or turned by NumPy.
_RUN = 1500
_PACKED = 26
_TURNED = 80


def input_gradient(dz: Array, W: Array, geometry: Geometry, dx: Array) -> None:
    """Write dx: as convolutions of dz, or what each output gives to its window."""
    if _is_a_convolution(geometry):
        grouped.input_gradient(dz, W, geometry, dx)
    else:
        _, channels = _scattered_parts(geometry)
        panels = [_packed(W, *some) for some in channels]
        _recorded_scatter(geometry, free_threads()).run(dz, dx, *panels)


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
    C, count = geometry.C, grouped.parts(_counted_scatter(geometry))
    images = split_range(geometry.N, -(-geometry.N // count))
    return images, split_range(C, -(-C * len(images) // count), least=min(_LEAST_CHANNELS, C))


def counted_input_gradient(geometry: Geometry) -> int:
    """Those of `input_gradient`, with what else it does, as many as its time is worth."""
    if _is_a_convolution(geometry):
        return _counted_phases(geometry)
    return _counted_scatter(geometry)


def _is_a_convolution(geometry: Geometry) -> bool:
    fits = _weights(geometry) * geometry.F <= MOST_WEIGHTS
    return fits and _counted_phases(geometry) < _counted_scatter(geometry)


def _counted_phases(geometry: Geometry) -> int:
    return grouped.counted_input_gradient(geometry) + _TURNED * _weights(geometry) * geometry.F


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
