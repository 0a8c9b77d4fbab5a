import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges, whole
from twins import against_twin

from tinycnn.kernels.sgd import sgd_momentum
from tinycnn.testing.strategies import dtypes, generators

powers_of_two = st.sampled_from([0.0, 0.25, 0.5, 1.0])  # so that float32 is exact


def one(size, rate, decay, keep=1.0):
    """The table of a single parameter."""
    return tuple(np.array([value]) for value in (size, rate, decay, keep))


@given(st.data(), dtypes, generators, st.booleans())
def test_sgd_momentum_is_its_twin(data, dtype, rng, nesterov):
    size = data.draw(st.integers(0, 40))
    momentum, *of_each = (data.draw(powers_of_two) for _ in range(10))
    buffers = whole(rng, (3, size), dtype)
    ends = np.array([*sorted(data.draw(ranges(size))), size])
    table = np.array(of_each).reshape(3, 3)
    against_twin(sgd_momentum, *buffers, *data.draw(ranges(size)), momentum, nesterov, ends, *table)


@given(dtypes, generators, st.booleans())
def test_sgd_momentum_rounds_like_its_twin(dtype, rng, nesterov):
    buffers = rng.standard_normal((3, 40)).astype(dtype)
    bound = 8 * np.finfo(dtype).eps
    against_twin(
        sgd_momentum, *buffers, 0, 40, 0.9, nesterov, *one(40, 0.01, 0.0005, 0.999), bound=bound
    )


@pytest.mark.parametrize(("nesterov", "expected"), [(False, [0, -1.5]), (True, [-0.5, -2.25])])
def test_two_steps_by_hand(nesterov, expected):
    """v is -1, then -1.5; looking ahead, the step is half of v and half of -2 besides."""
    w, g, v = np.array([1.0]), np.array([2.0]), np.array([0.0])
    for value in expected:
        sgd_momentum(w, g, v, 0, 1, 0.5, nesterov, *one(1, 0.5, 0.0))
        assert w[0] == value
    assert v[0] == -1.5
