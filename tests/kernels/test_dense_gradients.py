import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.arrays import read_only
from tinycnn.kernels.dense_gradients import dense_gradients
from tinycnn.testing.strategies import generators


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(
    st.integers(0, 5), st.integers(1, 9), st.integers(1, 70), st.booleans(), generators, st.data()
)
def test_dense_gradients_is_its_twin(dtype, N, D, F, need_dx, rng, data):
    dz, x, W = (read_only(whole(rng, shape, dtype)) for shape in ((N, F), (N, D), (D, F)))
    rows = data.draw(st.just((0, D)) | ranges(D))
    dW, dx = np.full((D, F), 77, dtype), np.full((N if need_dx else 0, D), 77, dtype)
    against_twin(dense_gradients, dz, x, W, *rows, dW, dx)
