"""BLAS is held to one thread in every thread that works on blocks, and gets back what it had."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from tinycnn import blocks
from tinycnn.kernels.waiting import wait_while

# With its first kernel Numba loads SciPy's BLAS, where there is SciPy: the limit must meet both.
wait_while(np.zeros(1, np.int64), 0, 1)


def blas_threads():
    return {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}


@pytest.fixture
def two_blas_threads(monkeypatch):
    monkeypatch.setattr(blocks._shared, "blas", None)  # Numba may have loaded SciPy's BLAS since
    with threadpool_limits(2, "blas"):
        assert blas_threads() == {2}
        yield


def in_a_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def test_a_limit_set_by_one_thread_does_not_keep_others_from_theirs(two_blas_threads):
    seen = []

    def look(_):
        seen.append(blas_threads())

    blocks.run(look, [0])  # from here on threadpoolctl may take this thread for OpenBLAS's owner
    in_a_thread(lambda: blocks.run(look, [0])).join()
    assert seen == [{1}, {1}]
    assert blas_threads() == {2}


def test_the_first_to_come_may_be_the_first_to_go(two_blas_threads):
    inside, first_gone, seen = threading.Event(), threading.Event(), []

    def wait(_):
        inside.set()
        assert first_gone.wait(10)
        seen.append(blas_threads())

    def come_second(_):
        threads.append(in_a_thread(lambda: blocks.run(wait, [0])))
        assert inside.wait(10)

    threads = []
    blocks.run(come_second, [0])
    assert blas_threads() == {1}
    first_gone.set()
    threads[0].join()
    assert seen == [{1}]
    assert blas_threads() == {2}


class OneThreadLimits:
    """A BLAS whose limit holds for the thread that sets it, as MKL's and that of OpenMP builds."""

    internal_api = "mkl"

    def __init__(self):
        self.limits = threading.local()

    def get_num_threads(self):
        return getattr(self.limits, "count", 8)

    def set_num_threads(self, count):
        self.limits.count = count


def test_limits_of_single_threads_are_set_in_each_that_works(monkeypatch):
    library = OneThreadLimits()
    monkeypatch.setattr(blocks._shared, "blas", [library])
    both, seen = threading.Barrier(2, timeout=10), {}

    def look(_):
        both.wait()
        seen[threading.get_ident()] = library.get_num_threads()

    with blocks.use_threads(2):
        blocks.run(look, range(2))
    assert list(seen.values()) == [1, 1]
    assert library.get_num_threads() == 8
