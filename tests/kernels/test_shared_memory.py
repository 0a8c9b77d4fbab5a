"""Counters of several threads, and arrays by their address."""

from threading import Thread

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.shared_memory import atomic_add, atomic_load, floats_at
from tinycnn.kernels.simd import LANES, load, store


@kernel
def _take(counters, index, most, seen):
    """Count up to ``most``, and mark each number that was got."""
    while atomic_load(counters, index) < most:
        number = atomic_add(counters, index)
        if number < most:
            seen[number] += 1


def test_two_threads_never_get_the_same_number():
    counters, seen = np.zeros(5, np.int64), np.zeros(20_000, np.int64)
    arguments = counters, 3, len(seen), seen
    threads = [Thread(target=_take, args=arguments, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "it counts for ever"
    np.testing.assert_array_equal(seen, 1)
    assert counters[3] >= len(seen)
    assert not counters[[0, 1, 2, 4]].any()


@kernel
def _copy(source, target, count):
    """Copy ``count`` numbers from one address to another, and tell both sizes."""
    x, y = floats_at(source, count), floats_at(target, count)
    for i in range(0, count, LANES):
        store(y, i, load(x, i))
    return x.size, y.size


@given(st.integers(0, 5), st.integers(0, 7))
def test_floats_are_read_and_written_where_the_address_says(vectors, offset):
    count = vectors * LANES
    x = np.arange(100 + count, dtype=np.float32)
    y = np.full_like(x, -1)
    sizes = _copy(x[offset:].ctypes.data, y[2 * offset :].ctypes.data, count)
    expected = np.full_like(x, -1)
    expected[2 * offset : 2 * offset + count] = x[offset : offset + count]
    np.testing.assert_array_equal(y, expected)
    assert sizes == (count, count)
