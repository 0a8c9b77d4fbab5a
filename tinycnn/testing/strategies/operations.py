"""Convolutions and pools: a window that fits, and what else an op takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from tinycnn.layers import Shape
from tinycnn.testing.strategies.sliding_windows import SlidingWindow, pool_windows, windows
from tinycnn.validation import Pair


@dataclass(frozen=True)
class Convolution:
    """A convolution's geometry, its number of filters and what else it takes."""

    geometry: SlidingWindow
    filters: int
    groups: int
    bias: bool
    activation: str | None

    @property
    def x_shape(self) -> Shape:
        """Shape of the input, (N, H, W, C)."""
        return self.geometry.shape

    @property
    def W_shape(self) -> Shape:  # noqa: N802
        """Shape of the weights, (KH, KW, C // groups, F)."""
        return *self.geometry.kernel, self.x_shape[3] // self.groups, self.filters

    @property
    def y_shape(self) -> Shape:
        """Shape of the output, (N, OH, OW, F)."""
        return *self.geometry.out_shape[:3], self.filters

    @property
    def window(self) -> dict[str, Any]:
        """The arguments that place the window."""
        geometry = self.geometry
        return {
            "stride": geometry.stride,
            "padding": geometry.pads,
            "dilation": geometry.dilation,
        }

    @property
    def options(self) -> dict[str, Any]:
        """The arguments that forward and backward share."""
        return {**self.window, "groups": self.groups, "activation": self.activation}


@st.composite
def convolutions(draw: st.DrawFn) -> Convolution:
    """Any convolution; where there are groups, each has a few channels and filters."""
    geometry = draw(windows())
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    channels = groups * draw(st.integers(1, 3 if groups == 1 else 2))
    N, H, W, _ = geometry.shape
    return Convolution(
        replace(geometry, shape=(N, H, W, channels)),
        groups * draw(st.integers(1, 2)),
        groups,
        draw(st.booleans()),
        draw(st.sampled_from([None, "relu"])),
    )


@dataclass(frozen=True)
class Pooling:
    """A pool's geometry and the arguments that ask for it."""

    geometry: SlidingWindow
    options: dict[str, Any]


@st.composite
def pools(draw: st.DrawFn, max_dilation: int = 2) -> Pooling:
    """Any pool whose windows all see the image, and a ceil mode that gives its output size."""
    geometry = draw(pool_windows(max_dilation))
    options: dict[str, Any] = {
        "kernel": geometry.kernel,
        "stride": geometry.stride,
        "padding": geometry.pads,
    }
    if max_dilation > 1:
        options["dilation"] = geometry.dilation
    sizes = [_sizes(geometry, axis) for axis in range(2)]
    modes = [mode for mode in (False, True) if geometry.size == tuple(s[mode] for s in sizes)]
    return Pooling(geometry, {**options, "ceil_mode": draw(st.sampled_from(modes))})


def _sizes(geometry: SlidingWindow, axis: int) -> Pair:
    """The output size of an axis without and with ceil mode: windows counted one by one."""
    length, (before, after) = geometry.shape[1 + axis], geometry.pads[axis]
    end, effective_kernel = (
        before + length + after,
        geometry.dilation[axis] * (geometry.kernel[axis] - 1) + 1,
    )
    starts = range(0, end, geometry.stride[axis])
    fit = [start for start in starts if start + effective_kernel <= end]
    overhanging = [
        start for start in starts if start + effective_kernel > end > fit[-1] + effective_kernel
    ][:1]
    return len(fit), len([start for start in fit + overhanging if start < before + length])
