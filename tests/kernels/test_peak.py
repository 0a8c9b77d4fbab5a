from hypothesis import given
from hypothesis import strategies as st
from strategies import whole
from twins import against_twin

from tinycnn.kernels.peak import CHAINS, add_products
from tinycnn.kernels.simd import LANES
from tinycnn.testing.strategies import generators


@given(st.integers(0, 9), generators)
def test_add_products_is_its_twin(count, rng):
    a, b = whole(rng, (2, LANES), "float32")
    against_twin(add_products, count, a, b, whole(rng, (CHAINS * LANES,), "float32"))
