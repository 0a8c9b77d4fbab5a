"""The SIMD functions that max-pooling with winners and its gradient are made of, lane by lane."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.simd import LANES, load, select_first, store, store_uint8, where_equal

numbers = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, math.inf, -math.inf, math.nan]), st.floats(width=32)
)
vectors = st.lists(numbers, min_size=LANES, max_size=LANES).map(
    lambda values: np.array(values, np.float32)
)


@kernel
def select(x, y, a, b, chosen):
    store(chosen, 0, select_first(load(x, 0), load(y, 0), load(a, 0), load(b, 0)))


@kernel
def narrow(x, at, target):
    store_uint8(target, at, load(x, 0))


def first_wins(x, y):
    if math.isnan(x):
        return True
    return not math.isnan(y) and x >= y


@given(vectors, vectors)
def test_select_first_asks_each_lane(x, y):
    a, b, chosen = np.full(LANES, 7, np.float32), np.full(LANES, 8, np.float32), np.empty_like(x)
    select(x, y, a, b, chosen)
    expected = [7 if first_wins(*pair) else 8 for pair in zip(x.tolist(), y.tolist(), strict=True)]
    np.testing.assert_array_equal(chosen, expected)


@pytest.mark.parametrize("at", [0, 3])
def test_store_uint8_writes_a_byte_for_each_lane(at):
    x = np.linspace(0, 255, LANES).round().astype(np.float32)
    target = np.full(LANES + 5, 77, np.uint8)
    narrow(x, at, target)
    np.testing.assert_array_equal(target[at : at + LANES], x)
    assert (np.delete(target, np.s_[at : at + LANES]) == 77).all()


@kernel
def picked(numbers, at, number, x, target):
    store(target, 0, where_equal(numbers, at, number, load(x, 0)))


@given(vectors, st.lists(st.sampled_from([0, 1, 127, 128, 255]), min_size=LANES, max_size=LANES))
def test_where_equal_asks_each_byte(x, bytes_):
    numbers, target = np.array([9, 9, *bytes_], np.uint8), np.empty(LANES, np.float32)
    for number in (0, 128, 255):
        picked(numbers, 2, number, x, target)
        np.testing.assert_array_equal(target, np.where(numbers[2:] == number, x, 0))
