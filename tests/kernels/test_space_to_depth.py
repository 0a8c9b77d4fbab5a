import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.space_to_depth import space_to_depth
from tinycnn.runtime.feature_maps import FeatureMaps, aligned_zeros
from tinycnn.testing.strategies import generators

pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))
sides = st.tuples(st.integers(1, 12), st.integers(1, 30))


@settings(max_examples=80)
@given(
    st.integers(0, 2), sides, st.sampled_from([1, 2, 3, 5, LANES]), pairs, pairs,
    st.tuples(st.integers(1, 5), st.integers(1, 30)), st.booleans(), st.booleans(), generators, st.data(),
)  # fmt: skip
def test_space_to_depth_is_its_twin(
    N, size, C, stride, padding, output, whole_vectors, rounded, rng, data
):
    x = whole(rng, (N, *size, C), np.float32)
    source = FeatureMaps.zeros(x.shape, ((1, 0), (0, 1))) if whole_vectors else FeatureMaps.of(x)
    source.flat[...] = 55  # the border's cells are not the image's
    source.view()[...] = x
    shape = N, *output, stride[0] * stride[1] * C
    target = FeatureMaps.bordered(aligned_zeros, shape, ((1, 1), (1, 1)), whole_vectors=rounded)
    target.flat[...] = 77
    rows = data.draw(st.one_of(st.just((0, N * output[0])), ranges(N * output[0])))
    against_twin(
        space_to_depth, read_only(source.flat), source.place, size, C, *rows,
        stride, padding, target.flat, target.place, output,
    )  # fmt: skip
