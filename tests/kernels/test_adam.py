import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import ranges
from twins import against_twin

from tinycnn.kernels.adam import adam
from tinycnn.testing.strategies import dtypes, generators

betas = st.sampled_from([0.5, 0.9, 0.999])
factors = st.sampled_from([0.0, 0.01, 0.5, 1.0])


@given(st.data(), dtypes, generators)
def test_adam_is_its_twin(data, dtype, rng):
    size = data.draw(st.integers(0, 40))
    buffers = rng.standard_normal((4, size)).astype(dtype)
    buffers[3] = 0.1 + buffers[3] ** 2  # a step is divided by its root
    ends = np.array([*sorted(data.draw(ranges(size))), size])
    table = np.array([data.draw(factors) for _ in range(9)]).reshape(3, 3)
    given = data.draw(betas), data.draw(betas), data.draw(st.sampled_from([1.0, 31.6])), 1e-8
    bound = 64 * np.finfo(dtype).eps
    against_twin(adam, *buffers, *data.draw(ranges(size)), *given, ends, *table, bound=bound)


def test_the_first_step_is_the_rate_whatever_the_gradient():
    w, g = np.zeros(3), np.array([1e-3, -5.0, 1e3])
    m, q = np.zeros(3), np.zeros(3)
    table = (np.array([value]) for value in (3, 0.1 / (1 - 0.9), 0.0, 1.0))
    adam(w, g, m, q, 0, 3, 0.9, 0.999, 1 / math.sqrt(1 - 0.999), 0.0, *table)
    np.testing.assert_allclose(w, [-0.1, 0.1, -0.1], rtol=1e-12)
    np.testing.assert_allclose(m, 0.1 * g)
    np.testing.assert_allclose(q, 0.001 * g**2)
