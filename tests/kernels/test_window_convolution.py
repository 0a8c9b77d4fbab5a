import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small_convolutions import small_convolutions
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels import window_convolution as module
from tinycnn.kernels.window_convolution import window_convolution
from tinycnn.runtime.feature_maps import FeatureMaps, aligned_zeros
from tinycnn.testing.strategies import generators


def called(x, W, b, relu, first, last, stride, padding, dilation, y):
    """The kernel's arguments for arrays, and maps in the place of y."""
    return (
        read_only(x.reshape(-1)), x.shape[1:], read_only(W.reshape(-1)), read_only(b), relu, first, last,
        W.shape[:2], stride, padding, dilation, y.flat, y.place, y.shape[1:3],
    )  # fmt: skip


borders = st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2)


@settings(max_examples=60)
@given(small_convolutions(), st.booleans(), generators, borders, st.booleans(), st.data())
def test_window_convolution_is_its_twin(sizes, relu, rng, border, whole_vectors, data):
    """And what lies beside the rows of y stays as it was, a border and numbers between cells too."""
    x_shape, (N, OH, OW, F), (kernel, *window) = sizes
    x, W, b = (
        read_only(whole(rng, shape, np.float32, top=4))
        for shape in (x_shape, (*kernel, x_shape[3], F), (F,))
    )
    rows = data.draw(st.just((0, N * OH)) | ranges(N * OH))
    y = FeatureMaps.bordered(aligned_zeros, (N, OH, OW, F), border, whole_vectors=whole_vectors)
    y.flat[...] = 77
    against_twin(window_convolution, *called(x, W, b, relu, *rows, *window, y))


def test_an_image_goes_in_some_rows_at_a_time():
    rng = np.random.default_rng(0)
    x, W, b = (
        read_only(whole(rng, shape, np.float32, top=4))
        for shape in ((2, 11, 70, 2), (3, 3, 2, 17), (17,))
    )
    y = FeatureMaps.of(np.full((2, 11, 70, 17), 77, np.float32))
    assert module._CELLS < 11 * 70
    against_twin(window_convolution, *called(x, W, b, True, 3, 19, (1, 1), (1, 1), (1, 1), y))
