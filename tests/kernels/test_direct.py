import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.direct import direct_convolution
from tinycnn.kernels.panels import PANEL
from tinycnn.kernels.simd import LANES
from tinycnn.runtime.feature_maps import FeatureMaps
from tinycnn.testing.strategies import generators

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
filters = st.sampled_from([1, LANES, LANES + 1, 2 * LANES + 3, PANEL - 1, PANEL, PANEL + 5])


@settings(max_examples=35)
@given(
    st.integers(0, 2), st.sampled_from([1, 2, 3, LANES]), filters, pairs, pairs, pairs,
    st.tuples(st.integers(1, 3), st.sampled_from([1, 2, 5, 63, 64, 66])),
    st.booleans(), st.booleans(), generators, st.data(),
)  # fmt: skip
def test_direct_convolution_is_its_twin(
    N, C, F, kernel, stride, dilation, output, rounded, relu, rng, data
):
    """On maps whose channels are rounded up or not, with gaps between cells, rows and images of y."""
    size = [
        (o - 1) * s + (k - 1) * d + 1
        for o, s, k, d in zip(output, stride, kernel, dilation, strict=True)
    ]
    x = FeatureMaps.bordered(
        lambda count: whole(rng, count, np.float32, top=4), (N, *size, C), ((1, 0), (0, 2)),
        whole_vectors=rounded,
    )  # fmt: skip
    y = FeatureMaps.zeros((N, *output, F), ((0, 1), (1, 0)))
    y.flat[...] = 77
    count = -(-F // PANEL)
    panels = whole(rng, (count, kernel[0] * kernel[1] * C, PANEL), np.float32, top=4)
    bias = whole(rng, F, np.float32)
    rows = data.draw(st.just((0, N * output[0])) | ranges(N * output[0]))
    first, last = data.draw(st.just((0, count)) | ranges(count))
    against_twin(
        direct_convolution, read_only(x.flat), x.place, C, *rows, kernel, stride, dilation,
        read_only(panels), read_only(bias), relu, first * PANEL, min(last * PANEL, F),
        y.flat, y.place, output, F,
    )  # fmt: skip


@pytest.mark.parametrize("width", [65, 130])
def test_rows_of_more_outputs_than_are_worked_out_at_once(width):
    rng, C, F = np.random.default_rng(0), 2, 3
    x = FeatureMaps.of(whole(rng, (2, 3, 2 * width, C), np.float32, top=4))
    y = FeatureMaps.zeros((2, 2, width, F), ((0, 1), (1, 0)))
    panels = whole(rng, (1, 2 * 2 * C, PANEL), np.float32, top=4)
    against_twin(
        direct_convolution, read_only(x.flat), x.place, C, 0, 4, (2, 2), (1, 2), (1, 1),
        read_only(panels), read_only(whole(rng, PANEL, np.float32)), True, 0, F, y.flat, y.place,
        (2, width), F,
    )  # fmt: skip


@pytest.mark.parametrize("rows", [(0, 6), (3, 6), (1, 5)])
@pytest.mark.parametrize(("kernel", "stride"), [((1, 1), (1, 1)), ((2, 2), (2, 2))])
def test_rows_without_gaps_are_done_as_one(rows, kernel, stride):
    """Of whole images; cells before and after those rows stay as they were."""
    rng, C, F, output = np.random.default_rng(0), 3, LANES + 1, (3, 30)
    size = [o * s for o, s in zip(output, stride, strict=True)]
    x = FeatureMaps.of(whole(rng, (2, *size, C), np.float32, top=4))
    y = FeatureMaps.of(np.full((2, *output, F), 77, np.float32))
    panels = whole(rng, (1, kernel[0] * kernel[1] * C, PANEL), np.float32, top=4)
    against_twin(
        direct_convolution, read_only(x.flat), x.place, C, *rows, kernel, stride, (1, 1),
        read_only(panels), read_only(whole(rng, PANEL, np.float32)), False, 0, F, y.flat, y.place,
        output, F,
    )  # fmt: skip
