"""Windows over images: sizes, kernel, stride, padding and dilation that fit each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from tinycnn.validation import Pair


@dataclass(frozen=True)
class SlidingWindow:
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
        """The padding that kernels take: (top, left)."""
        return self.pads[0][0], self.pads[1][0]

    @property
    def limit(self) -> Pair:
        """The limit that averages take: (H + bottom padding, W + right padding)."""
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
    *,
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
def _geometries(draw: st.DrawFn, axes: st.SearchStrategy[_Axis]) -> SlidingWindow:
    h, w = draw(axes), draw(axes)
    N, C = draw(st.sampled_from([1, 2, 3, 1, 2, 3, 0])), draw(st.integers(1, 4))
    return SlidingWindow(
        (N, h.length, w.length, C),
        (h.kernel, w.kernel),
        (h.stride, w.stride),
        (h.pads, w.pads),
        (h.dilation, w.dilation),
        (h.output, w.output),
    )


def windows() -> st.SearchStrategy[SlidingWindow]:
    """Geometries of a convolution; a window may lie wholly in the padding."""
    return _geometries(_axes(3, 2, ceil=False, max_before=lambda effective_kernel: 4))


@st.composite
def pool_windows(draw: st.DrawFn, max_dilation: int = 2) -> SlidingWindow:
    """Geometries of a pool: with ceil mode too, and every window sees the image."""
    ceil = draw(st.booleans())
    axes = _axes(
        4, max_dilation, ceil=ceil, max_before=lambda effective_kernel: min(effective_kernel - 1, 3)
    )
    return draw(_geometries(axes.filter(_sees_image)))
