import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.winograd_gradient import output_gradient_transform, weight_gradient_transform
from tinycnn.ops.convolution.winograd.tiling import tiling
from tinycnn.testing.strategies import generators

# Outputs of an axis: all pairs of sizes, big tiles alone, small tiles alone, both.
AXES = {
    2: [t for t in (tiling(length, 2) for length in (3, 4, 7, 11)) if t],
    3: [t for t in (tiling(length, 3) for length in (2, 3, 4, 5, 6, 7, 9, 11, 13)) if t],
    5: [t for t in (tiling(length, 5) for length in (3, 4, 6, 7, 8, 11)) if t],
}


@st.composite
def tiled(draw):
    """How a map is cut, as the kernels read it, and its (OH, OW)."""
    kernel = draw(st.sampled_from(sorted(AXES)))
    rows, columns = draw(st.sampled_from(AXES[kernel])), draw(st.sampled_from(AXES[kernel]))
    tiles = kernel, rows.outputs, rows.big, rows.small, columns.outputs, columns.big, columns.small
    return tiles, (rows.length, columns.length)


@settings(max_examples=25)
@given(
    tiled(), st.integers(1, 2), st.sampled_from([1, LANES - 1, LANES, LANES + 1]),
    st.integers(1, 2), st.integers(0, 2), generators, st.data(),
)  # fmt: skip
def test_output_gradient_transform_is_its_twin(cut, images, F, vectors, begin, rng, data):
    tiles, (OH, OW) = cut
    n_rows, n = tiles[1] + tiles[0] - 1, tiles[4] + tiles[0] - 1
    rows, count = tiles[2] + tiles[3], (tiles[2] + tiles[3]) * (tiles[5] + tiles[6])
    line, width = -(-F // LANES) * LANES, vectors * LANES
    dz = read_only(whole(rng, (begin + images) * OH * OW * F, np.float32, top=4))
    step = count * images * width + LANES
    panel_step = n_rows * n * step + LANES
    Z = np.full(-(-line // width) * panel_step, 77, np.float32)
    first, last = data.draw(st.just((0, images * rows)) | ranges(images * rows))
    scratch = np.empty(n_rows * (OW * (line + width) + n * width), np.float32)
    against_twin(
        output_gradient_transform, dz, (OH, OW, F), begin, first, last, tiles, images,
        Z, step, panel_step, width, line, scratch, scratch=1,
    )  # fmt: skip


@settings(max_examples=25)
@given(
    st.sampled_from([2, 3, 5]), st.integers(1, 3), st.integers(1, 2 * LANES),
    st.integers(0, 1), st.integers(0, 3), generators, st.data(),
)  # fmt: skip
def test_weight_gradient_transform_is_its_twin(r, C, F, more, gap, rng, data):
    G = [
        read_only(whole(rng, data.draw(st.integers(4, 8)) * r, np.float32, top=4)) for _ in range(2)
    ]
    n_rows, n = (len(matrix) // r for matrix in G)
    line = (-(-F // LANES) + more) * LANES
    step = C * line + gap
    dU = read_only(whole(rng, n_rows * n * step, np.float32))
    dW = whole(rng, r * r * C * F, np.float32)
    scratch = np.empty((n + r) * r * LANES, np.float32)
    against_twin(
        weight_gradient_transform, dU, step, line, *G, (r, C, F), *data.draw(ranges(C)), dW, scratch,
        scratch=1,
    )  # fmt: skip
