"""Memory of threads."""

import threading

import numpy as np

from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.scratch import scratch
from tinycnn.runtime.threads import use_threads

SECONDS = 60  # a guard against hanging, never reached


def test_a_threads_buffer_is_kept_and_grows():
    float32 = np.dtype(np.float32)
    first = scratch("test", (4, 5), float32)
    assert (first.shape, first.dtype) == ((4, 5), float32)
    assert first.flags.c_contiguous
    smaller = scratch("test", (3, 2), float32)
    assert smaller.shape == (3, 2)
    assert np.shares_memory(first, smaller)
    larger = scratch("test", (40, 5), float32)
    assert larger.shape == (40, 5)
    assert not np.shares_memory(first, larger)
    assert np.shares_memory(larger, scratch("test", (4, 5), float32))
    assert scratch("test", (0, 5), float32).shape == (0, 5)


def test_buffers_of_other_names_and_dtypes_are_others():
    one = scratch("one", (8,), np.dtype(np.float32))
    assert not np.shares_memory(one, scratch("two", (8,), np.dtype(np.float32)))
    assert not np.shares_memory(one, scratch("one", (8,), np.dtype(np.float64)))


def test_threads_have_buffers_of_their_own():
    all_there, buffers = threading.Barrier(4), []

    def work(_):
        buffers.append(scratch("test", (100,), np.dtype(np.float32)))
        all_there.wait(SECONDS)

    with use_threads(4):
        parallel_for(work, range(4))
    for i, buffer in enumerate(buffers):
        assert not any(np.shares_memory(buffer, other) for other in buffers[:i])
