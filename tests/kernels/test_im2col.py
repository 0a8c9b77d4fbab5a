import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.kernels.im2col import col2im, im2col
from tinycnn.testing.strategies import dtypes, generators, windows


@st.composite
def parts(draw):
    """A geometry, a range of its output cells and, as for a group, a range of its channels."""
    window = draw(windows())
    N, OH, OW, C = window.out_shape
    channel = draw(st.integers(0, C - 1))
    cells = draw(st.one_of(st.just((0, N * OH * OW)), ranges(N * OH * OW)))
    return window, cells, (channel, draw(st.integers(channel + 1, C)))


def arguments(window, first, channel):
    return first, channel, window.size, window.stride, window.padding, window.dilation


@given(parts(), dtypes, generators)
def test_im2col_is_its_twin(part, dtype, rng):
    window, (first, last), (channel, end) = part
    cols = np.full((last - first, *window.kernel, end - channel), 77, dtype)
    against_twin(im2col, whole(rng, window.shape, dtype), *arguments(window, first, channel), cols)


@given(parts(), dtypes, generators)
def test_col2im_is_its_twin(part, dtype, rng):
    window, (first, last), (channel, end) = part
    cols = whole(rng, (last - first, *window.kernel, end - channel), dtype)
    dx = whole(rng, window.shape, dtype)  # it adds to what is there
    against_twin(col2im, cols, *arguments(window, first, channel), dx)


@given(parts(), generators)
def test_col2im_is_the_adjoint_of_im2col(part, rng):
    window, (first, last), (channel, end) = part
    x, dx = whole(rng, window.shape), np.zeros(window.shape)
    cols = np.empty((last - first, *window.kernel, end - channel))
    c = whole(rng, cols.shape)
    im2col(x, *arguments(window, first, channel), cols)
    col2im(c, *arguments(window, first, channel), dx)
    assert np.vdot(cols, c) == np.vdot(x, dx)


@given(windows(), generators, st.data())
def test_col2im_sums_to_the_same_bits_however_its_cells_are_cut(window, rng, data):
    N, OH, OW, C = window.out_shape
    cols = rng.standard_normal((N * OH * OW, *window.kernel, C), np.float32)
    cut = data.draw(st.integers(0, len(cols)))
    whole_sum, cut_sum = np.zeros((2, *window.shape), np.float32)
    col2im(cols, *arguments(window, 0, 0), whole_sum)
    col2im(cols[:cut], *arguments(window, 0, 0), cut_sum)
    col2im(cols[cut:], *arguments(window, cut, 0), cut_sum)
    np.testing.assert_array_equal(whole_sum, cut_sum)
