import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from small_convolutions import small_convolutions
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels import window_convolution as module
from tinycnn.kernels.window_convolution import window_convolution
from tinycnn.testing.strategies import generators


@settings(max_examples=60)
@given(small_convolutions(), st.booleans(), generators, st.data())
def test_window_convolution_is_its_twin(sizes, relu, rng, data):
    """And what lies beside the rows of y stays as it was."""
    x_shape, (N, OH, OW, F), (kernel, *window) = sizes
    x, W, b = (
        read_only(whole(rng, shape, np.float32, top=4))
        for shape in (x_shape, (*kernel, x_shape[3], F), (F,))
    )
    rows = data.draw(st.just((0, N * OH)) | ranges(N * OH))
    y = np.full((N, OH, OW, F), 77, np.float32)
    against_twin(window_convolution, x, W, b, relu, *rows, *window, y)


def test_an_image_goes_in_some_rows_at_a_time():
    rng = np.random.default_rng(0)
    x, W, b = (
        read_only(whole(rng, shape, np.float32, top=4))
        for shape in ((2, 11, 70, 2), (3, 3, 2, 17), (17,))
    )
    y = np.full((2, 11, 70, 17), 77, np.float32)
    assert y[0].size > 2 * module._SUMS
    against_twin(window_convolution, x, W, b, True, 3, 19, (1, 1), (1, 1), (1, 1), y)
