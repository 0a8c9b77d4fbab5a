import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.kernels.sgd import sgd_momentum
from tinycnn.testing.strategies import dtypes, generators

powers_of_two = st.sampled_from([0.0, 0.25, 0.5, 1.0])  # so that float32 is exact


def one(size, decay):
    """The table of a single parameter."""
    return np.array([size]), np.array([decay])


@given(st.data(), dtypes, generators)
def test_sgd_momentum_is_its_twin(data, dtype, rng):
    size = data.draw(st.integers(0, 40))
    rate, momentum, *decays = (data.draw(powers_of_two) for _ in range(5))
    buffers = whole(rng, (3, size), dtype)
    ends = np.array([*sorted(data.draw(ranges(size))), size])
    against_twin(
        sgd_momentum, *buffers, *data.draw(ranges(size)), rate, momentum, ends, np.array(decays)
    )


@given(dtypes, generators)
def test_sgd_momentum_rounds_like_its_twin(dtype, rng):
    buffers = rng.standard_normal((3, 40)).astype(dtype)
    bound = 8 * np.finfo(dtype).eps
    against_twin(sgd_momentum, *buffers, 0, 40, 0.01, 0.9, *one(40, 0.0005), bound=bound)


def test_two_steps_by_hand():
    w, g, v = np.array([1.0]), np.array([2.0]), np.array([0.0])
    sgd_momentum(w, g, v, 0, 1, 0.5, 0.5, *one(1, 0.0))
    assert (w[0], v[0]) == (0, -1)
    sgd_momentum(w, g, v, 0, 1, 0.5, 0.5, *one(1, 0.0))
    assert (w[0], v[0]) == (-1.5, -1.5)
