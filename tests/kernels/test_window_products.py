import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small_convolutions import channels, filters, grouped
from strategies import whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.window_products import window_products
from tinycnn.kernels.window_tiles import ADD, POOL, POOL_TWO_ROWS, POOLED, WRITE
from tinycnn.testing.strategies import generators

runs = st.tuples(st.integers(0, 3), st.integers(0, 3))


@settings(max_examples=200)
@given(
    st.integers(0, 20),
    runs,
    grouped | st.tuples(channels, filters, st.just(1)),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([WRITE, ADD, POOL, POOL_TWO_ROWS]),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([1, 2]),
    generators,
)
def test_products_of_windows_are_their_twin(
    rows, columns, sizes, gap, relu, into, dtype, a_step, rng
):
    """Rows and runs lie anywhere, up to each array's end; what is beside a row of c stays as it was."""
    (Cg, Fg, groups), (count, length) = sizes, columns
    pooled = {POOL: POOLED, POOL_TWO_ROWS: POOLED // 2}.get(into, 1)
    if pooled > 1:
        groups, Fg = 1, min(Fg, LANES * pooled // np.dtype(dtype).itemsize)
    F, b_step = Fg * groups, Fg * groups
    a = read_only(whole(rng, 30 + 29 + a_step * length + (groups - 1) * Cg, dtype, top=4))
    places = rng.integers(0, 30, rows * pooled)
    starts = rng.integers(0, 28, count)
    b = read_only(whole(rng, max(count * length, 1) * F, dtype, top=4))
    table = np.stack([starts, np.arange(count) * length * F], axis=1).reshape(-1)
    bias = read_only(whole(rng, F, dtype))
    c = whole(rng, 1 + max(rows, 1) * (F + gap) - gap, dtype)
    targets = rng.permutation(rows) * (F + gap)
    against_twin(
        window_products, a, 2, read_only(places), b, read_only(table), count, (length, a_step, b_step), F,
        (Cg, Fg), bias, relu, into, c, 1, read_only(targets),
    )  # fmt: skip


def test_a_column_alone_meets_no_other_number():
    """Where columns go two at a time, and one is left over: infinities beside it stay out of the sum."""
    a = np.array([np.inf, 1, 2, 3, np.inf, 5, np.nan], np.float32)
    b, bias = np.ones((3, 2), np.float32).reshape(-1), np.zeros(2, np.float32)
    c, rows = np.empty(2, np.float32), np.zeros(1, np.int64)
    table = np.zeros(2, np.int64)
    window_products(
        read_only(a), 1, read_only(rows), read_only(b), table, 1, (3, 1, 2), 2, (1, 2), bias, False, WRITE, c,
        0, read_only(rows),
    )  # fmt: skip
    np.testing.assert_array_equal(c, [6, 6])
