"""Grouped convolution and the maps it reads, beside their twins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples, ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.group_maps import cells_seen, copy_channels, rows_that_fit, spread_channels
from tinycnn.kernels.grouped import grouped_convolution
from tinycnn.kernels.grouped_gradient import grouped_weight_gradient
from tinycnn.kernels.simd import LANES
from tinycnn.runtime.feature_maps import FeatureMaps
from tinycnn.testing.strategies import generators

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
dtypes = st.sampled_from([np.float32, np.float64])
paddings = st.tuples(st.integers(-2, 3), st.integers(-2, 3))
sizes = st.tuples(st.integers(1, 6), st.integers(1, 9))


@examples(60)
@given(
    st.integers(1, 9),
    st.integers(0, 1),
    pairs,
    pairs,
    pairs,
    st.integers(1, 99),
    st.integers(0, 999),
)
def test_sizes_are_their_twins(outputs, axis, kernel, stride, dilation, line, room):
    against_twin(cells_seen, outputs, axis, kernel, stride, dilation)
    against_twin(rows_that_fit, room, line, kernel, stride, dilation)


@examples(60)
@given(sizes, sizes, paddings, st.integers(1, 7), st.integers(0, 3), dtypes, generators)
def test_copy_channels_is_its_twin(image, size, pad_top_left, count, gap, dtype, rng):
    C = count + 2
    x = whole(rng, image[0] * image[1] * C, dtype)
    target = np.full(size[0] * size[1] * (count + gap) + 3, 77, dtype)
    against_twin(
        copy_channels, read_only(x), 1, image[1] * C, C, image, pad_top_left, size, count,
        target, 3, count + gap,
    )  # fmt: skip


def lanes_of(dtype):
    return LANES * 4 // np.dtype(dtype).itemsize


KINDS = ["depthwise", "narrow", "whole"]


@st.composite
def groups(draw, kind, lanes):
    """(channels and filters of a group, groups): depthwise, narrow, and of whole vectors."""
    if kind == "depthwise":
        return (1, 1), draw(st.sampled_from([2, lanes, lanes + 3, 8 * lanes]))
    if kind == "whole":
        return (draw(st.integers(1, 3)), lanes * draw(st.integers(1, 2))), draw(st.integers(1, 2))
    return (draw(st.integers(1, 3)), draw(st.integers(1, lanes + 1))), draw(st.integers(1, 9))


@pytest.mark.parametrize("kind", KINDS)
@examples(30)
@given(st.data(), sizes, sizes, paddings, dtypes, generators)
def test_spread_channels_is_its_twin(kind, data, image, size, pad_top_left, dtype, rng):
    lanes = lanes_of(dtype)
    (Cg, Fg), count = data.draw(groups(kind, lanes))
    C, F = Cg * count, Fg * count
    x = whole(rng, image[0] * image[1] * C, dtype)
    filter = data.draw(st.integers(0, max(F - lanes, 0)))
    target = np.full(size[0] * size[1] * Cg * lanes + 2 * lanes, 77, dtype)
    against_twin(
        spread_channels, read_only(x), 0, image[1] * C, C, image, pad_top_left, size, (Cg, Fg),
        filter, F, lanes, target, lanes,
    )  # fmt: skip


class Drawn:
    """A grouped convolution over maps with gaps between cells, rows and images."""

    def __init__(self, kind, data, kernel, stride, dilation, dtype, rng):
        self.window = kernel, stride, dilation
        self.lanes, self.dtype, self.rng = lanes_of(dtype), dtype, rng
        self.group, self.count = data.draw(groups(kind, self.lanes))
        self.C, self.F = (each * self.count for each in self.group)
        self.vectors = -(-self.F // self.lanes)
        self.output = data.draw(
            st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 6, 7, 8, 14, 16, 24]))
        )
        self.pads = data.draw(st.just((0, 0)) | paddings)
        seen = [
            (o - 1) * s + (k - 1) * d + 1
            for o, s, k, d in zip(self.output, stride, kernel, dilation, strict=True)
        ]
        more = data.draw(st.integers(-2, 2))
        self.image = tuple(max(s - p + more, 1) for s, p in zip(seen, self.pads, strict=True))
        self.N = data.draw(st.integers(1, 2))
        self.rows = data.draw(
            st.just((0, self.N * self.output[0])) | ranges(self.N * self.output[0])
        )
        self.some = data.draw(st.just((0, self.vectors)) | ranges(self.vectors))
        least = seen[1] * (kernel[0] - 1) * dilation[0] + seen[1]
        depthwise = self.group == (1, 1)
        least *= (self.vectors + 1 if depthwise else self.group[0]) * self.lanes
        self.room = data.draw(st.sampled_from([1, 2, 3])) * least + self.output[1] * self.lanes

    def maps(self, size, channels):
        """Small whole numbers as images with gaps."""
        N, (H, W) = self.N, size
        column, row, image = (
            channels + 1,
            (W + 1) * (channels + 1),
            (H + 1) * (W + 1) * (channels + 1),
        )
        flat = whole(self.rng, N * image + 5 + self.lanes, self.dtype, top=4)
        return FeatureMaps(flat, (N, H, W, channels), 5, image, row, column)


WINDOWS = (st.data(), pairs, pairs, pairs, dtypes, st.booleans(), generators)


@pytest.mark.parametrize("kind", KINDS)
@examples(90)
@given(*WINDOWS)
def test_grouped_convolution_is_its_twin(kind, data, kernel, stride, dilation, dtype, relu, rng):
    it = Drawn(kind, data, kernel, stride, dilation, dtype, rng)
    x, y = it.maps(it.image, it.C), it.maps(it.output, it.F)
    weights = whole(rng, (it.vectors, *kernel, it.group[0], it.lanes), dtype, top=4)
    bias = whole(rng, (it.vectors, it.lanes), dtype)
    if it.vectors > 1:  # filters that two vectors hold are the same in both
        again = it.vectors * it.lanes - it.F
        weights[-1, ..., :again] = weights[-2, ..., it.lanes - again :]
        bias[-1, :again] = bias[-2, it.lanes - again :]
    against_twin(
        grouped_convolution, read_only(x.flat), x.place, it.image, it.pads, it.group, *it.rows,
        kernel, stride, dilation, read_only(weights), read_only(bias), relu, it.some,
        y.flat, y.place, it.output, it.F, np.empty(it.room, dtype), scratch=1,
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@examples(90)
@given(*WINDOWS)
def test_grouped_weight_gradient_is_its_twin(kind, data, kernel, stride, dilation, dtype, _, rng):
    it = Drawn(kind, data, kernel, stride, dilation, dtype, rng)
    x, dz = it.maps(it.image, it.C), it.maps(it.output, it.F)
    dW = whole(rng, (it.vectors, *kernel, it.group[0], it.lanes), dtype)
    against_twin(
        grouped_weight_gradient, read_only(x.flat), x.place, it.image, it.pads, it.group, *it.rows,
        kernel, stride, dilation, read_only(dz.flat), dz.place, it.output, it.F, it.some,
        dW, np.empty(it.room, dtype), scratch=1,
    )  # fmt: skip
