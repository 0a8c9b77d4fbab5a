import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.dense_rows import rows_product
from tinycnn.testing.strategies import dtypes, generators

sizes = st.tuples(st.integers(0, 8), st.integers(1, 11), st.integers(1, 35))  # N, D, F


def arrays(rng, dtype, *shapes):
    """Whole numbers, whose sums are exact whatever their order."""
    return [read_only(whole(rng, shape, dtype)) for shape in shapes]


@given(sizes, dtypes, generators)
def test_rows_product_is_its_twin(size, dtype, rng):
    N, D, F = size
    x, W = arrays(rng, dtype, (N, D), (D, F))
    against_twin(rows_product, x, W, np.full((N, F), 77, dtype))
