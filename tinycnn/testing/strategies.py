"""Hypothesis strategies: the arguments of convolutions, pools and dense layers, with their arrays.

A geometry is drawn first, then what fits it. Arrays come from a drawn seed: a geometry shrinks, a
random array need not. Needs hypothesis, which the extra "test" brings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.values import separated, tied
from tinycnn.errors import MissingExtraError

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise MissingExtraError(
        "tc.testing.strategies needs hypothesis: pip install 'tinycnn[test]'"
    ) from error

Pair = tuple[int, int]
Shape = tuple[int, ...]

dtypes = st.sampled_from([np.float32, np.float64])
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


# ------------------------------------------------------------------------------------ geometries


@dataclass(frozen=True)
class Geometry:
    """An image batch and a window over it; every pair is (height, width).

    ``size`` is (OH, OW), worked out here and not by the code that tests use it on.
    """

    shape: tuple[int, int, int, int]
    kernel: Pair
    stride: Pair
    pads: tuple[Pair, Pair]
    dilation: Pair
    size: Pair

    @property
    def padding(self) -> Pair:
        """What the kernels are told: (top, left)."""
        return self.pads[0][0], self.pads[1][0]

    @property
    def limit(self) -> Pair:
        """What the averages are told: (H + bottom padding, W + right padding)."""
        return self.shape[1] + self.pads[0][1], self.shape[2] + self.pads[1][1]

    @property
    def out_shape(self) -> tuple[int, int, int, int]:
        """Shape of a pool's output, (N, OH, OW, C)."""
        return self.shape[0], *self.size, self.shape[3]


@dataclass(frozen=True)
class _Axis:
    """One axis of a window over an image; ``pads`` are before and after it."""

    length: int
    kernel: int
    stride: int
    pads: Pair
    dilation: int
    output: int


@st.composite
def _axes(
    draw: st.DrawFn,
    max_kernel: int,
    max_dilation: int,
    ceil: bool,
    max_before: Callable[[int], int],
) -> _Axis:
    kernel = draw(st.integers(1, max_kernel))
    dilation = draw(st.integers(1, max_dilation))
    stride = draw(st.integers(1, 4))
    effective_kernel = dilation * (kernel - 1) + 1
    before, after = draw(st.integers(0, max_before(effective_kernel))), draw(st.integers(0, 3))
    least = max(
        1, effective_kernel - before - after
    )  # a kernel may exceed the image that it fits once padded
    length = draw(st.integers(least, least + 7))
    room = length + before + after - effective_kernel
    output = room // stride + 1
    if ceil and room % stride and output * stride < length + before:
        output += 1  # one more window: it overhangs, but starts ahead of the padding at the end
    return _Axis(length, kernel, stride, (before, after), dilation, output)


def _sees_image(axis: _Axis) -> bool:
    starts = (o * axis.stride - axis.pads[0] for o in range(axis.output))
    return all(
        any(0 <= start + i * axis.dilation < axis.length for i in range(axis.kernel))
        for start in starts
    )


@st.composite
def _geometries(draw: st.DrawFn, axes: st.SearchStrategy[_Axis]) -> Geometry:
    h, w = draw(axes), draw(axes)
    N, C = draw(st.sampled_from([1, 2, 3, 1, 2, 3, 0])), draw(st.integers(1, 4))
    return Geometry(
        (N, h.length, w.length, C),
        (h.kernel, w.kernel),
        (h.stride, w.stride),
        (h.pads, w.pads),
        (h.dilation, w.dilation),
        (h.output, w.output),
    )


def windows() -> st.SearchStrategy[Geometry]:
    """Geometries of a convolution; a window may lie wholly in the padding."""
    return _geometries(_axes(3, 2, ceil=False, max_before=lambda effective_kernel: 4))


@st.composite
def pool_windows(draw: st.DrawFn, max_dilation: int = 2) -> Geometry:
    """Geometries of a pool: with ceil mode too, and every window sees the image."""
    ceil = draw(st.booleans())
    axes = _axes(
        4, max_dilation, ceil, max_before=lambda effective_kernel: min(effective_kernel - 1, 3)
    )
    return draw(_geometries(axes.filter(_sees_image)))


# ------------------------------------------------------------------------ convolutions and pools


@dataclass(frozen=True)
class Convolution:
    """A convolution's geometry, its number of filters and what else it takes."""

    geometry: Geometry
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
class Pool:
    """A pool's geometry and the arguments that ask for it."""

    geometry: Geometry
    options: dict[str, Any]


@st.composite
def pools(draw: st.DrawFn, max_dilation: int = 2) -> Pool:
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
    return Pool(geometry, {**options, "ceil_mode": draw(st.sampled_from(modes))})


def _sizes(geometry: Geometry, axis: int) -> Pair:
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


# ---------------------------------------------------------------------------------------- arrays

Values = Callable[[np.random.Generator, Shape, Any], Array]
_VALUES: dict[str, Values] = {"separated": separated, "tied": tied}


def arrays(
    shape: Shape, *, values: str = "separated", dtype: Any = np.float64
) -> st.SearchStrategy[Array]:
    """An array of ``shape``.

    ``values`` is "separated" (all different and none zero, so that small steps cross no tie of a
    maximum and no zero of a ReLU) or "tied" (whole numbers from -2 to 2).
    """
    return generators.map(lambda rng: _VALUES[values](rng, shape, dtype))


@st.composite
def images(
    draw: st.DrawFn,
    *,
    max_size: int = 12,
    max_channels: int = 4,
    max_batch: int = 3,
    values: str = "separated",
    dtype: Any = np.float64,
) -> Array:
    """A batch of images, (N, H, W, C), none of the axes empty."""
    N, H, W, C = (
        draw(st.integers(1, most)) for most in (max_batch, max_size, max_size, max_channels)
    )
    return draw(arrays((N, H, W, C), values=values, dtype=dtype))


@dataclass(frozen=True)
class Arguments:
    """Arrays that fit each other, and the keyword arguments that go with them.

    ``f(*arrays, **options)`` gives an output of ``dy``'s shape.
    """

    arrays: tuple[Array, ...]
    options: dict[str, Any]
    dy: Array


@st.composite
def conv_arguments(
    draw: st.DrawFn, *, values: str = "separated", dtype: Any = np.float64
) -> Arguments:
    """What `ops.conv2d` takes: x, W and b (or x and W), its options, and a dy of its output's shape."""
    case = draw(convolutions())
    shapes = [case.x_shape, case.W_shape, *[(case.filters,)] * case.bias, case.y_shape]
    *given, dy = (draw(arrays(shape, values=values, dtype=dtype)) for shape in shapes)
    return Arguments(tuple(given), case.options, dy)


@st.composite
def pool_arguments(
    draw: st.DrawFn, *, max_dilation: int = 2, values: str = "separated", dtype: Any = np.float64
) -> Arguments:
    """What `ops.max_pool2d` takes; `ops.avg_pool2d` with ``max_dilation=1``."""
    case = draw(pools(max_dilation))
    shapes = [case.geometry.shape, case.geometry.out_shape]
    x, dy = (draw(arrays(shape, values=values, dtype=dtype)) for shape in shapes)
    return Arguments((x,), case.options, dy)


@st.composite
def dense_arguments(
    draw: st.DrawFn, *, values: str = "separated", dtype: Any = np.float64
) -> Arguments:
    """What `ops.dense` takes: x (N, D) or images to be flattened, W (D, F) and perhaps b (F,)."""
    N, F = draw(st.integers(0, 4)), draw(st.integers(1, 5))
    cells = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    D = int(np.prod(cells))
    shapes: list[Shape] = [(N, *cells), (D, F), *[(F,)] * draw(st.booleans()), (N, F)]
    *given, dy = (draw(arrays(shape, values=values, dtype=dtype)) for shape in shapes)
    activation = draw(st.sampled_from([None, "relu"]))
    return Arguments(tuple(given), {"activation": activation}, dy)
