import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.kernels.squares import squared_errors, sum_of_squares
from tinycnn.testing.strategies import dtypes, generators

sizes = st.integers(0, 70)


@given(sizes, dtypes, generators, st.data())
def test_sum_of_squares_is_its_twin(size, dtype, rng, data):
    against_twin(sum_of_squares, whole(rng, size, dtype), *data.draw(ranges(size)))


@given(sizes, dtypes, generators, st.data())
def test_squared_errors_is_its_twin(size, dtype, rng, data):
    y, targets = whole(rng, (2, size), dtype)
    count = data.draw(st.sampled_from([1, 64, 1024]))
    dy = np.full(size, 77, dtype)
    against_twin(squared_errors, y, targets, *data.draw(ranges(size)), count, dy)


def test_squares_beyond_float32_do_not_overflow():
    assert sum_of_squares(np.full(4, 1e30, np.float32), 0, 4) == 4 * float(np.float32(1e30)) ** 2
