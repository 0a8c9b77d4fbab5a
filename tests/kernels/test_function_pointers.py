"""Kernels called by their address."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.kernels.function_pointers import address_of, call_at
from tinycnn.kernels.jit import kernel


@kernel
def add_column(row, first, second, number):
    for i in range(len(first)):
        second[i, 0] += row[i] * first[i, number]


@kernel
def refuse(row, first, second, number):
    row[0] = number
    if number < 0:
        raise ValueError("below zero")


@kernel
def call_each(addresses, row, first, second, number):
    for address in addresses:
        call_at(address, row, first, second, number)


@given(st.integers(1, 5), st.integers(0, 3), st.integers(0, 4))
def test_each_address_calls_its_kernel(rows, number, times):
    row, first, second = (
        np.arange(rows),
        np.arange(4 * rows).reshape(rows, 4),
        np.ones((rows, 2), np.int64),
    )
    expected = second.copy()
    expected[:, 0] += times * row * first[:, number]
    call_each(np.array([address_of(add_column)] * times, np.int64), row, first, second, number)
    np.testing.assert_array_equal(second, expected)


def test_what_a_kernel_raises_comes_out_and_ends_the_caller():
    row, table = np.zeros(1, np.int64), np.ones((1, 1), np.int64)
    both = np.array([address_of(refuse), address_of(add_column)])
    call_each(both, row, table, table, 0)
    assert (row[0], table[0, 0]) == (0, 1)
    with pytest.raises(ValueError, match="below zero"):
        call_each(both, row, table, table, -7)
    assert (row[0], table[0, 0]) == (-7, 1)


def test_an_address_stays():
    assert address_of(add_column) == address_of(add_column) != address_of(refuse)
