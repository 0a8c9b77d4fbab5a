import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.dense_rows import rows_input_gradient, rows_product, rows_weight_gradient
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


@given(sizes, dtypes, generators)
def test_rows_weight_gradient_is_its_twin(size, dtype, rng):
    N, D, F = size
    dz, x = arrays(rng, dtype, (N, F), (N, D))
    against_twin(rows_weight_gradient, dz, x, np.full((D, F), 77, dtype))


@given(sizes, dtypes, generators)
def test_rows_input_gradient_is_its_twin(size, dtype, rng):
    N, D, F = size
    dz, W = arrays(rng, dtype, (N, F), (D, F))
    against_twin(rows_input_gradient, dz, W, np.full((N, D), 77, dtype))
