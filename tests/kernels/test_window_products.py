import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small_convolutions import channels, filters, grouped
from strategies import whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.window_products import window_products
from tinycnn.testing.strategies import generators

runs = st.tuples(st.integers(0, 3), st.integers(0, 3))


@settings(max_examples=200)
@given(
    st.integers(0, 20),
    runs,
    grouped | st.tuples(channels, filters, st.just(1)),
    st.integers(0, 3),
    st.booleans(),
    st.booleans(),
    st.sampled_from([np.float32, np.float64]),
    generators,
)
def test_products_of_windows_are_their_twin(rows, columns, sizes, gap, relu, add, dtype, rng):
    """Rows and runs lie anywhere, up to each array's end; what is beside a row of c stays as it was."""
    (Cg, Fg, groups), (count, length) = sizes, columns
    F, a_step, b_step = Fg * groups, 2, Fg * groups
    a = read_only(whole(rng, 30 + 28 + 2 * length + (groups - 1) * Cg, dtype, top=4))
    places, starts = rng.integers(0, 30, rows), rng.integers(0, 28, count)
    b = read_only(whole(rng, max(count * length, 1) * F, dtype, top=4))
    table = np.stack([starts, np.arange(count) * length * F], axis=1).reshape(-1)
    bias = read_only(whole(rng, F, dtype))
    c = whole(rng, 1 + max(rows, 1) * (F + gap) - gap, dtype)
    targets = rng.permutation(rows) * (F + gap)
    against_twin(
        window_products, a, 2, read_only(places), b, read_only(table), count, (length, a_step, b_step), F,
        (Cg, Fg), bias, relu, add, c, 1, read_only(targets),
    )  # fmt: skip
