"""Arrays on their way from a user to a kernel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.arrays import row_major
from tinycnn.errors import ArgumentError
from tinycnn.testing.layouts import LAYOUTS, laid_out

shapes = st.lists(st.integers(0, 4), min_size=1, max_size=5).map(tuple)


@given(shapes)
def test_numbers_in_a_row_and_their_strides_belong_together(shape):
    array = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    flat, strides = row_major(array)
    assert np.shares_memory(flat, array) == (array.size > 0)
    for cell in np.ndindex(shape):
        assert flat[np.dot(cell, strides)] == array[cell]


@given(shapes, st.sampled_from(LAYOUTS))
def test_what_is_no_row_is_refused(shape, layout):
    array = laid_out(np.ones(shape, np.float32), layout)
    if array.flags.c_contiguous:
        assert row_major(array)[0].shape == (array.size,)
        return
    with pytest.raises(ArgumentError, match=r"must be C-contiguous, got shape .* with strides"):
        row_major(array)


def test_an_axis_of_one_cell_has_the_stride_of_its_place():
    """NumPy calls an array C-contiguous whatever the stride of an axis of one cell says."""
    array = np.lib.stride_tricks.as_strided(np.arange(6.0), (2, 1, 3), (24, 400, 8))
    assert array.flags.c_contiguous
    assert row_major(array)[1] == (3, 3, 1)
