import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.border import copy_with_border
from tinycnn.testing.strategies import generators

sides = st.integers(1, 5)


@settings(max_examples=60)
@given(
    st.tuples(st.integers(0, 3), sides, sides, sides), st.tuples(*[st.integers(-6, 6)] * 2),
    st.tuples(st.integers(1, 9), st.integers(1, 9)), st.sampled_from([0, 3]),
    generators, st.data(),
)  # fmt: skip
def test_copy_with_border_is_its_twin(shape, pad_top_left, size, gap, rng, data):
    x = whole(rng, shape, np.float32)
    first, last = data.draw(ranges(shape[0]))
    column = shape[3] + gap
    target = np.full((last - first) * size[0] * size[1] * column + 2, 77, np.float32)
    against_twin(
        copy_with_border,
        read_only(x.reshape(-1)),
        shape[1:],
        first,
        last,
        pad_top_left,
        size,
        column,
        target,
    )
