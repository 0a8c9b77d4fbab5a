import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.kernels.weights import add_parts, exchange_channels, pack_channels
from tinycnn.testing.strategies import dtypes, generators


@given(
    st.integers(1, 5), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), dtypes, generators
)
def test_exchange_channels_is_its_twin(cells, groups, Cg, Fg, dtype, rng):
    W = whole(rng, cells * Cg * groups * Fg, dtype)
    against_twin(exchange_channels, W, cells, (Cg, groups * Fg), groups, np.full(W.size, 77, dtype))


@given(st.integers(1, 40), st.integers(1, 4), st.integers(0, 3), dtypes, generators, st.data())
def test_add_parts_is_its_twin(size, count, gap, dtype, rng, data):
    parts = whole(rng, count * (size + gap), dtype)
    total = np.full(size, 77, dtype)
    against_twin(add_parts, parts, size + gap, count, *data.draw(ranges(size)), total)


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 6), dtypes, generators, st.data())
def test_pack_channels_is_its_twin(cells, C, F, dtype, rng, data):
    first, last = data.draw(ranges(C).filter(lambda some: some[0] < some[1]))
    width = data.draw(st.integers(1, 8))
    panels = np.full((-(-cells * (last - first) // width), F, width), 77, dtype)
    against_twin(pack_channels, whole(rng, (cells, C, F), dtype), first, last, panels)
