"""What the tests of the ops draw: convolutions, pools and the many forms one array can have."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st
from strategies import Geometry, pool_windows, windows

LAYOUTS = (
    "C",
    "Fortran",
    "transposed",
    "reversed",
    "spread",
    "big-endian",
    "read-only",
    "unaligned",
)
layouts = st.sampled_from(LAYOUTS)


def laid_out(array, layout):
    """The same numbers, laid out in memory in another way."""
    array = np.array(array, order="C")
    if layout == "Fortran":
        return np.asfortranarray(array)
    if layout == "transposed":
        axes = np.roll(np.arange(array.ndim), 1)
        return np.ascontiguousarray(array.transpose(axes)).transpose(np.argsort(axes))
    if layout == "reversed":
        back = (slice(None, None, -1),) * array.ndim
        return np.ascontiguousarray(array[back])[back]
    if layout == "spread":
        wide = np.full(np.multiply(array.shape, 2), 77, array.dtype)
        view = wide[(slice(None, None, 2),) * array.ndim]
        view[...] = array
        return view
    if layout == "big-endian":
        return array.astype(array.dtype.newbyteorder(">"))
    if layout == "unaligned":
        memory = np.zeros(array.nbytes + 1, np.uint8)[1:]
        view = memory.view(array.dtype).reshape(array.shape)
        view[...] = array
        return view
    array.flags.writeable = layout != "read-only"
    return array


@dataclass(frozen=True)
class Convolution:
    """A convolution's geometry, its number of filters and what else it takes."""

    geometry: Geometry
    filters: int
    groups: int
    bias: bool
    activation: str | None

    @property
    def x_shape(self):
        return self.geometry.shape

    @property
    def W_shape(self):  # noqa: N802
        return *self.geometry.kernel, self.x_shape[3] // self.groups, self.filters

    @property
    def y_shape(self):
        return *self.geometry.out_shape[:3], self.filters

    @property
    def window(self):
        """The arguments that place the window."""
        geometry = self.geometry
        return {
            "stride": geometry.stride,
            "padding": geometry.pads,
            "dilation": geometry.dilation,
        }

    @property
    def options(self):
        """The arguments that forward and backward share."""
        return {**self.window, "groups": self.groups, "activation": self.activation}


@st.composite
def convolutions(draw):
    """Any convolution; where there are groups, each has a few channels and filters."""
    geometry = draw(windows())
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    channels = groups * draw(st.integers(1, 3 if groups == 1 else 2))
    return Convolution(
        replace(geometry, shape=(*geometry.shape[:3], channels)),
        groups * draw(st.integers(1, 2)),
        groups,
        draw(st.booleans()),
        draw(st.sampled_from([None, "relu"])),
    )


@dataclass(frozen=True)
class Pool:
    """A pool's geometry and the arguments that ask for it."""

    geometry: Geometry
    options: dict


@st.composite
def pools(draw, max_dilation=2):
    """Any pool whose windows all see the image, and a ceil mode that gives its output size."""
    geometry = draw(pool_windows(max_dilation))
    options = {"kernel": geometry.kernel, "stride": geometry.stride, "padding": geometry.pads}
    if max_dilation > 1:
        options["dilation"] = geometry.dilation
    sizes = [_sizes(geometry, axis) for axis in range(2)]
    modes = [mode for mode in (False, True) if geometry.size == tuple(s[mode] for s in sizes)]
    return Pool(geometry, {**options, "ceil_mode": draw(st.sampled_from(modes))})


def _sizes(geometry, axis):
    """The output size of an axis without and with ceil mode: windows counted one by one."""
    length, (before, after) = geometry.shape[1 + axis], geometry.pads[axis]
    end, reach = before + length + after, geometry.dilation[axis] * (geometry.kernel[axis] - 1) + 1
    starts = range(0, end, geometry.stride[axis])
    fit = [start for start in starts if start + reach <= end]
    overhanging = [start for start in starts if start + reach > end > fit[-1] + reach][:1]
    return len(fit), len([start for start in fit + overhanging if start < before + length])
