import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.dense import PANEL, dense, pack_weights
from tinycnn.testing.strategies import generators

columns = st.one_of(st.integers(1, 5), st.integers(PANEL - 2, PANEL + 2), st.just(2 * PANEL))


@settings(max_examples=50)
@given(st.integers(1, 9), columns, generators, st.data())
def test_pack_weights_is_its_twin(K, F, rng, data):
    count = -(-F // PANEL)
    first, last = data.draw(ranges(count))
    W, panels = whole(rng, (K, F), np.float32), np.full((count, K, PANEL), 77, np.float32)
    against_twin(pack_weights, read_only(W), first, last, panels)


@settings(max_examples=50)
@given(
    st.integers(0, 14), st.sampled_from([1, 2, 7, 127, 128, 300]), columns, generators,
    st.booleans(), st.data(),
)  # fmt: skip
def test_dense_is_its_twin(N, K, F, rng, relu, data):
    count = -(-F // PANEL)
    rows = data.draw(st.one_of(st.just((0, N)), ranges(N)))
    chosen = data.draw(st.one_of(st.just((0, count)), ranges(count)))
    x, panels = whole(rng, N * K, np.float32), whole(rng, (count, K, PANEL), np.float32)
    bias, y = whole(rng, count * PANEL, np.float32), np.full(N * F, 77, np.float32)
    against_twin(
        dense, read_only(x), K, *rows, read_only(panels), read_only(bias), relu, *chosen, y, F
    )
