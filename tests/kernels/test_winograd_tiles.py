import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.simd import LANES
from tinycnn.kernels.winograd_tiles import first_output, stream_frequencies, tile_number
from tinycnn.testing.strategies import generators

axes = st.tuples(st.integers(2, 5), st.integers(0, 4), st.integers(0, 4)).filter(
    lambda axis: axis[1] + axis[2] > 0
)


@given(st.integers(0, 9), st.integers(2, 5), st.integers(0, 9))
def test_first_output_is_its_twin(tile, outputs, big):
    against_twin(first_output, tile, outputs, big)


@given(axes, axes, st.data())
def test_tile_number_is_its_twin(rows, columns, data):
    a = data.draw(st.integers(0, rows[1] + rows[2] - 1))
    b = data.draw(st.integers(0, columns[1] + columns[2] - 1))
    against_twin(tile_number, a, b, (3, *rows, *columns))


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2), st.integers(1, 3), generators)
def test_stream_frequencies_is_its_twin(n_rows, n_columns, more, vectors, rng):
    n, count = n_columns + more, vectors * LANES
    width, step = count + LANES, count + 2 * LANES
    x = read_only(whole(rng, 3 + n_rows * n * width, np.float32))
    target = np.full(LANES + n_rows * n * step, 77, np.float32)
    against_twin(stream_frequencies, x, 3, n_rows, n_columns, n, width, count, target, LANES, step)
