"""What the property tests draw: a geometry first, then arrays that fit it.

Arrays hold small integers, so that float32 sums are exact and are compared bit for bit. They come
from a drawn seed: a geometry shrinks, a random array need not.
"""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

dtypes = st.sampled_from([np.float32, np.float64])
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def whole(rng, shape, dtype=np.float64, top=9):
    """Random integers from -top to top as ``dtype``."""
    return rng.integers(-top, top + 1, shape).astype(dtype)


def ranges(total):
    """A half-open range (first, last) within range(total), empty ones included."""
    ends = st.integers(0, total)
    return st.tuples(ends, ends).map(lambda pair: (min(pair), max(pair)))


@dataclass(frozen=True)
class Geometry:
    """An image batch and a window over it; every pair is (height, width)."""

    shape: tuple[int, int, int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pads: tuple[tuple[int, int], tuple[int, int]]
    dilation: tuple[int, int]
    size: tuple[int, int]

    @property
    def padding(self):
        """What the kernels are told: (top, left)."""
        return self.pads[0][0], self.pads[1][0]

    @property
    def limit(self):
        """What the averages are told: (H + bottom padding, W + right padding)."""
        return self.shape[1] + self.pads[0][1], self.shape[2] + self.pads[1][1]

    @property
    def out_shape(self):
        return self.shape[0], *self.size, self.shape[3]


@st.composite
def _axes(draw, max_kernel, max_dilation, ceil, max_before):
    """Length, kernel, stride, (before, after), dilation and output length of one axis."""
    kernel = draw(st.integers(1, max_kernel))
    dilation = draw(st.integers(1, max_dilation))
    stride = draw(st.integers(1, 4))
    reach = dilation * (kernel - 1) + 1
    before, after = draw(st.integers(0, max_before(reach))), draw(st.integers(0, 3))
    least = max(1, reach - before - after)  # a kernel may exceed the image that it fits once padded
    length = draw(st.integers(least, least + 7))
    room = length + before + after - reach
    output = room // stride + 1
    if ceil and room % stride and output * stride < length + before:
        output += 1  # one more window: it overhangs, but starts ahead of the padding at the end
    return length, kernel, stride, (before, after), dilation, output


def _sees_image(axis):
    length, kernel, stride, (before, _), dilation, output = axis
    return all(
        any(0 <= o * stride - before + i * dilation < length for i in range(kernel))
        for o in range(output)
    )


@st.composite
def _geometries(draw, axes):
    (H, W), kernel, stride, pads, dilation, size = zip(draw(axes), draw(axes), strict=True)
    N, C = draw(st.sampled_from([1, 2, 3, 1, 2, 3, 0])), draw(st.integers(1, 4))
    return Geometry((N, H, W, C), kernel, stride, pads, dilation, size)


def windows():
    """Geometries of a convolution; a window may lie wholly in the padding."""
    return _geometries(_axes(3, 2, ceil=False, max_before=lambda reach: 4))


@st.composite
def pool_windows(draw, max_dilation=2):
    """Geometries of a pool: with ceil mode too, and every window sees the image."""
    ceil = draw(st.booleans())
    axes = _axes(4, max_dilation, ceil, max_before=lambda reach: min(reach - 1, 3))
    return draw(_geometries(axes.filter(_sees_image)))
