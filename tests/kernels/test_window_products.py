import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.window_products import window_products
from tinycnn.testing.strategies import generators

FILTERS = st.integers(1, 3) | st.integers(1, 5 * LANES + 1)


@settings(max_examples=150)
@given(
    st.integers(0, 20),
    st.integers(0, 9),
    FILTERS,
    st.integers(0, 3),
    st.booleans(),
    st.booleans(),
    generators,
)
def test_products_of_windows_are_their_twin(rows, depth, F, gap, relu, add, rng):
    """Rows and columns lie anywhere; what is beside a row of c stays as it was, also at the array's end."""
    a = read_only(whole(rng, (60,), np.float32))
    places, offsets = rng.integers(0, 30, rows), rng.integers(0, 28, depth)
    b = read_only(whole(rng, (depth * F + LANES,), np.float32))
    bias = read_only(whole(rng, (F + LANES,), np.float32))
    c = whole(rng, (1 + max(rows, 1) * (F + gap) - gap,), np.float32)
    targets = rng.permutation(rows) * (F + gap)
    against_twin(window_products, a, 2, places, offsets, b, F, bias, relu, add, c, 1, targets)
