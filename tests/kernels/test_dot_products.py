import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small_convolutions import filters
from strategies import whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.dot_products import dot_products
from tinycnn.testing.strategies import generators

lengths = st.integers(0, 3) | st.sampled_from([15, 16, 17, 32, 50])


@settings(max_examples=200)
@given(
    st.integers(0, 20), st.integers(0, 3), lengths, filters, st.integers(1, 3), st.integers(0, 3),
    st.booleans(), st.booleans(), st.sampled_from([np.float32, np.float64]), generators,
)  # fmt: skip
def test_dot_products_are_their_twin(
    rows, count, length, Fg, groups, gap, beside, relu, dtype, rng
):
    """Runs lie anywhere, up to each array's end; beside one of b lies the next filter's, or its next."""
    F = Fg * groups
    Cg = length + gap
    a = read_only(whole(rng, 32 + 30 + length + (groups - 1) * Cg, dtype, top=4))
    places, starts = rng.integers(0, 31, rows), rng.integers(0, 30, count)
    between = length if beside else count * length
    b = read_only(whole(rng, count * F * length + 1, dtype, top=4))
    table = np.stack([starts, np.arange(count) * (F * length if beside else length)], axis=1)
    bias = read_only(whole(rng, F, dtype))
    c = whole(rng, 1 + max(rows, 1) * (F + gap) - gap, dtype)
    targets = rng.permutation(rows) * (F + gap)
    against_twin(
        dot_products, a, 2, read_only(places), b, table.reshape(-1), count, length, F, (Cg, Fg),
        (between, Fg * between), bias, relu, c, 1, read_only(targets),
    )  # fmt: skip


def test_what_lies_beside_a_run_stays_out_of_the_sum():
    """The last vector of a run is not whole: neither numbers of x after it nor other weights are in it."""
    a = np.array([np.nan, 1, 2, 3, np.inf, 5, np.nan], np.float32)
    b = np.array([1, 1, 1, np.inf, 1, 1, 1, np.nan], np.float32)
    c, rows, bias = np.empty(2, np.float32), np.zeros(1, np.int64), np.zeros(2, np.float32)
    dot_products(
        read_only(a), 1, read_only(rows), read_only(b), np.zeros(2, np.int64), 1, 3, 2, (3, 2), (4, 8),
        read_only(bias), False, c, 0, read_only(rows),
    )  # fmt: skip
    np.testing.assert_array_equal(c, [6, 6])
