"""BLAS is held to one thread in every thread that works, and gets back what it had."""

import threading

import numpy as np
import pytest
from numpy_blas import blas_threads
from threadpoolctl import threadpool_limits

from tinycnn.kernels.helpers import wait_for_helpers
from tinycnn.runtime import blas
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.threads import use_threads

# With its first kernel Numba loads SciPy's BLAS, where there is SciPy: the limit must meet both.
wait_for_helpers(np.zeros(1, np.int64), False, 0)

SECONDS = 60  # a guard against hanging, never reached


@pytest.fixture
def two_blas_threads(monkeypatch):
    monkeypatch.setattr(blas, "_limit", blas._Limit())  # Numba may have loaded SciPy's BLAS since
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

    parallel_for(
        look, [0], uses_blas=True
    )  # from here on threadpoolctl may take this thread for OpenBLAS's owner
    in_a_thread(lambda: parallel_for(look, [0], uses_blas=True)).join()
    assert seen == [{1}, {1}]
    assert blas_threads() == {2}


def test_the_first_to_come_may_be_the_first_to_go(two_blas_threads):
    inside, first_gone, seen = threading.Event(), threading.Event(), []

    def wait(_):
        inside.set()
        assert first_gone.wait(10)
        seen.append(blas_threads())

    def come_second(_):
        threads.append(in_a_thread(lambda: parallel_for(wait, [0], uses_blas=True)))
        assert inside.wait(10)

    threads = []
    parallel_for(come_second, [0], uses_blas=True)
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
    limit = blas._Limit()
    limit.libraries, limit.libraries_by_thread = [], [library]
    monkeypatch.setattr(blas, "_limit", limit)
    both, seen = threading.Barrier(2, timeout=10), {}

    def look(_):
        both.wait()
        seen[threading.get_ident()] = library.get_num_threads()

    with use_threads(2):
        parallel_for(look, range(2), uses_blas=True)
    assert list(seen.values()) == [1, 1]
    assert library.get_num_threads() == 8


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("fails", [False, True])
def test_blas_has_one_thread_inside_and_its_own_number_outside(threads, fails):
    seen = []

    def work(item):
        seen.append(blas_threads())
        if fails and item == 2:
            raise ZeroDivisionError

    with threadpool_limits(2, user_api="blas"), use_threads(threads):
        try:
            parallel_for(work, range(4), uses_blas=True)
        except ZeroDivisionError:
            assert fails
        assert blas_threads() == {2}
    assert seen
    assert all(counts == {1} for counts in seen)


@pytest.mark.parametrize("leaving", [(0, 1), (1, 0)])
def test_overlapping_runs_restore_blas_in_either_order_of_leaving(leaving):
    entered = [threading.Event(), threading.Event()]
    leave = [threading.Event(), threading.Event()]

    def call(caller):
        def stay(_):
            entered[caller].set()
            assert leave[caller].wait(SECONDS)

        parallel_for(stay, [None], uses_blas=True)

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(2)]
    with threadpool_limits(2, user_api="blas"):
        seen = []
        for caller, event in zip(callers, entered, strict=True):
            caller.start()
            assert event.wait(SECONDS)
            seen.append(blas_threads())
        for caller in leaving:
            leave[caller].set()
            callers[caller].join(SECONDS)
            seen.append(blas_threads())
        assert seen == [{1}, {1}, {1}, {2}]


def test_a_nested_run_leaves_the_limit_to_the_outer_one():
    seen = []

    def work(_):
        parallel_for(lambda _: None, range(2), uses_blas=True)
        seen.append(blas_threads())

    with threadpool_limits(2, user_api="blas"):
        parallel_for(work, range(2), uses_blas=True)
        assert blas_threads() == {2}
    assert seen == [{1}, {1}]


@pytest.mark.parametrize(("threads", "items"), [(1, 3), (2, 1)])
def test_one_thread_that_calls_kernels_only_leaves_it_alone(two_blas_threads, threads, items):
    seen = []
    with use_threads(threads):
        parallel_for(lambda _: seen.append(blas_threads()), range(items))
    assert seen == [{2}] * items
