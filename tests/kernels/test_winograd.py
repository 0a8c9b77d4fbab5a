"""Winograd's transforms against their twins."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.winograd import input_transform, output_transform, weight_transform
from tinycnn.testing.strategies import generators

# For each kernel, the outputs of a big tile.
OUTPUTS = {2: (4,), 3: (3, 4, 5, 6), 5: (4,)}


@st.composite
def tilings(draw):
    """How a map is cut, as the kernels are told; up to eleven columns of tiles, for they come in groups."""
    r = draw(st.sampled_from([2, 3, 5]))
    axes = []
    for most in (2, 6):
        big, small = draw(st.integers(0, most)), draw(st.integers(0, most - 1))
        axes += [draw(st.sampled_from(OUTPUTS[r])), big, small + (big + small == 0)]
    return (r, *axes)


def size_of(tiles):
    """Outputs (OH, OW)."""
    _, m, big, small, n, wide, narrow = tiles
    return m * big + (m - 1) * small, n * wide + (n - 1) * narrow


def rows_of(tiles, images):
    return images * (tiles[2] + tiles[3]) * (tiles[5] + tiles[6])


def frequencies_of(tiles):
    return (tiles[1] + tiles[0] - 1) * (tiles[4] + tiles[0] - 1)


def scratch_for(tiles):
    """As much as the convolution gives: a group of columns of tiles and a tile, or one half and whole."""
    n = tiles[1] + tiles[0] - 1
    most = max(n * (8 * tiles[4] + tiles[0]), tiles[1] * tiles[4]) + frequencies_of(tiles)
    return np.empty(most * LANES, np.float32)


@settings(max_examples=40)
@given(tilings(), st.integers(1, 2), st.integers(1, 2), st.data(), generators)
def test_input_transform_is_its_twin(tiles, images, vectors, data, rng):
    """Bit for bit: of small whole numbers, all that occurs is exact."""
    r, channels = tiles[0], vectors * LANES
    height, width = (length + r - 1 for length in size_of(tiles))
    column = channels + 3
    row, image = width * column + 1, height * (width * column + 1) + 2
    origin = 5
    x = whole(rng, origin + images * image, np.float32)
    streamed = data.draw(st.booleans())
    step = rows_of(tiles, images) * channels + (LANES if streamed else 7)
    V = np.full(frequencies_of(tiles) * step, 77, np.float32)
    rows = data.draw(ranges(images * (tiles[2] + tiles[3])))
    some = [vector * LANES for vector in data.draw(ranges(vectors))]
    against_twin(
        input_transform, read_only(x), origin, image, row, column, tiles, images, channels,
        *rows, *some, V, step, scratch_for(tiles), streamed, scratch=2,
    )  # fmt: skip


@settings(max_examples=40)
@given(tilings(), st.integers(1, 2), st.integers(1, 2), st.data(), generators)
def test_output_transform_is_its_twin(tiles, images, vectors, data, rng):
    """With filters beyond the last one, which have no room in y."""
    width = vectors * LANES
    filters = data.draw(st.integers(1, 2 * width))
    filter = data.draw(st.sampled_from([0, width]))
    OH, OW = size_of(tiles)
    column = filters + 1
    row, image = OW * column + 1, OH * (OW * column + 1) + 2
    y = np.full(4 + images * image, 77, np.float32)
    step = rows_of(tiles, images) * width + 5
    M = whole(rng, frequencies_of(tiles) * step, np.float32)
    bias = whole(rng, 2 * width, np.float32)
    against_twin(
        output_transform, read_only(M), step, tiles, images, width, read_only(bias), data.draw(st.booleans()),
        y, 4, image, row, column, filter, filters, scratch_for(tiles), bound=1e-6, scratch=1,
    )  # fmt: skip


@settings(max_examples=30)
@given(
    st.sampled_from([(2, (5, 5)), (3, (5, 7)), (3, (6, 6)), (3, (8, 8)), (5, (8, 8))]),
    st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.booleans(), st.data(), generators,
)  # fmt: skip
def test_weight_transform_is_its_twin(kind, vectors, panels, more, turned, data, rng):
    """With channels and filters that are not there, and with the kernel turned."""
    r, n = kind
    width = vectors * LANES
    C, F = data.draw(st.integers(1, more * LANES)), data.draw(st.integers(1, panels * width))
    W = rng.standard_normal(r * r * C * F).astype(np.float32)
    strides = (r * C * F, C * F, F, 1)
    origin = 0
    if turned:
        origin, strides = (r * r - 1) * C * F, (-r * C * F, -C * F, 1, C)
    G = [read_only(rng.standard_normal((size, r))) for size in n]
    U = np.full(n[0] * n[1] * more * LANES * panels * width, 77, np.float32)
    some = [vector * LANES for vector in data.draw(ranges(panels * vectors))]
    against_twin(
        weight_transform, read_only(W), origin, *strides, C, F, *G, *some, U, more * LANES, width,
        bound=1e-7,
    )  # fmt: skip
