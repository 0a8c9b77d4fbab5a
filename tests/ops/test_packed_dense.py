"""Packed weights give what the formula gives, whatever the sizes, the threads and the other rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from op_checks import assert_same_bits, call_is_repeatable, untouched
from strategies import whole
from twins import error

from tinycnn.arrays import read_only
from tinycnn.kernels.panels import PANEL
from tinycnn.ops.packed_dense import PackedDense
from tinycnn.runtime.calls import run
from tinycnn.testing.strategies import generators


def multiplied(x, W, b, *, relu=False):
    y = np.full((len(x), W.shape[1]), 77, np.float32)
    multiply(PackedDense.pack(W, b), x, y, relu=relu)
    return y


def multiply(packed, x, y, *, relu):
    sizes = (len(x), x.shape[1], y.shape[1])
    run(packed.phases(sizes, x.reshape(-1), y.reshape(-1), relu=relu))


@settings(max_examples=50)
@given(
    st.sampled_from([0, 1, 2, 5, 8, 13, 128, 131, 300]), st.integers(1, 300),
    st.integers(1, 2 * PANEL + 3), generators, st.booleans(), st.booleans(),
)  # fmt: skip
def test_whole_numbers_are_multiplied_exactly(N, K, F, rng, bias, relu):
    x, W = whole(rng, (N, K), np.float32), whole(rng, (K, F), np.float32)
    b = whole(rng, F, np.float32, top=300) if bias else None
    expected = x.astype(np.int64) @ W.astype(np.int64) + (b if bias else 0)
    ours = multiplied(x, W, b, relu=relu)
    np.testing.assert_array_equal(ours, np.maximum(expected, 0) if relu else expected)


def test_sums_of_many_products_are_off_by_rounding_only():
    rng = np.random.default_rng(0)
    x, W = (rng.standard_normal(shape, np.float32) for shape in ((7, 4096), (4096, 70)))
    b = rng.standard_normal(70, np.float32)
    assert error(multiplied(x, W, b), x.astype(np.float64) @ W + b) < 2e-6


@pytest.mark.parametrize("N", [1, 4, 150])
def test_the_same_bits_for_every_number_of_threads(monkeypatch, N):
    rng = np.random.default_rng(1)
    monkeypatch.setattr("tinycnn.ops.packed_dense._WEIGHTS", 1)  # a panel a block
    x, W = (rng.standard_normal(shape, np.float32) for shape in ((N, 40), (40, 4 * PANEL)))
    packed = PackedDense.pack(W, None)

    def call():
        y = np.empty((N, W.shape[1]), np.float32)
        multiply(packed, x, y, relu=True)
        return y

    call_is_repeatable(monkeypatch, call)


def test_a_rows_bits_do_not_depend_on_the_other_rows():
    rng = np.random.default_rng(2)
    x, W = (rng.standard_normal(shape, np.float32) for shape in ((140, 60), (60, 70)))
    b = rng.standard_normal(70, np.float32)
    together = multiplied(x, W, b, relu=True)
    for first, last in ((0, 1), (3, 5), (10, 17), (130, 140)):
        assert_same_bits(multiplied(x[first:last], W, b, relu=True), together[first:last])
    x[5, 7], x[9, 0] = np.nan, np.inf
    others = np.setdiff1d(np.arange(140), [5, 9])
    with np.errstate(invalid="ignore"):  # where kernels are not compiled, NumPy would warn
        spoiled = multiplied(x, W, b, relu=True)
    assert_same_bits(spoiled[others], together[others])
    assert np.isnan(spoiled[5]).all()
    assert np.isin(spoiled[9], [0, np.inf]).all()


def test_what_is_given_is_only_read():
    rng = np.random.default_rng(3)
    x, W, b = (whole(rng, shape, np.float32) for shape in ((3, 5), (5, 70), 70))
    with untouched(x, W, b):
        multiplied(x, W, b)
    packed = PackedDense.pack(read_only(W), read_only(b))
    W[...] = 0  # the packed weights are a copy
    y = np.empty((3, 70), np.float32)
    multiply(packed, x, y, relu=False)
    assert y.any()
