"""Every item once, in all threads; exceptions; helpers that are busy elsewhere."""

import gc
import threading
import weakref
from contextlib import suppress

import numpy as np
import pytest

from tinycnn.runtime import thread_pool
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.threads import use_threads

SECONDS = 60  # a guard against hanging, never reached


@pytest.mark.parametrize("threads", range(1, 9))
@pytest.mark.parametrize("items", [0, 1, 2, 50])
def test_every_item_is_worked_on_once(threads, items):
    counts = [0] * items

    def work(item):
        counts[item] += 1

    with use_threads(threads):
        parallel_for(work, iter(range(items)))
    assert counts == [1] * items


@pytest.mark.parametrize("threads", range(1, 9))
def test_a_generator_is_a_chain_of_steps_in_one_thread(threads):
    steps = {}

    def work(item):
        for step in range(item):
            steps.setdefault(item, []).append((step, threading.get_ident()))
            yield

    with use_threads(threads):
        parallel_for(work, range(20))
    assert sorted(steps) == list(range(1, 20))
    for item, taken in steps.items():
        assert [step for step, _ in taken] == list(range(item))
        assert len({thread for _, thread in taken}) == 1


def test_all_threads_work_the_calling_one_among_them():
    everybody, seen = threading.Barrier(4), set()

    def work(_):
        everybody.wait(SECONDS)  # passed only by four threads at a time
        seen.add(threading.get_ident())

    with use_threads(4):
        parallel_for(work, range(4))
    assert len(seen) == 4
    assert threading.get_ident() in seen


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_an_exception_ends_what_has_not_begun_and_is_raised(threads):
    begun, ended = [], []

    def work(item):
        begun.append(item)
        if item == 7:
            raise ZeroDivisionError("in block 7")
        ended.append(item)

    with use_threads(threads):
        with pytest.raises(ZeroDivisionError, match="in block 7"):
            parallel_for(work, range(100_000))
        # Those that ran when block 7 failed have ended, and nobody goes on behind our back.
        assert sorted(begun) == sorted([*ended, 7])
        assert len(begun) < 100_000
        counts = [0] * 100

        def count(item):
            counts[item] += 1

        parallel_for(count, range(100))
    assert counts == [1] * 100


def test_an_exception_ends_the_chains_that_others_work_on():
    both, closed = threading.Barrier(2), []

    def work(item):
        both.wait(SECONDS)
        if item == 0:
            raise KeyError("first")
        try:
            while True:  # only the other's failure ends it
                yield
        finally:
            closed.append(item)

    with use_threads(2), pytest.raises(KeyError, match="first"):
        parallel_for(work, range(2))
    assert closed == [1]


@pytest.mark.parametrize("second", [OSError, KeyboardInterrupt])
def test_the_first_exception_is_raised_unless_an_interrupt_follows(second):
    both = threading.Barrier(2)

    def work(item):
        both.wait(SECONDS)
        if item == 0:
            raise ValueError
        try:
            while True:
                yield
        finally:
            raise second

    expected = second if second is KeyboardInterrupt else ValueError
    with use_threads(2), pytest.raises(expected):
        parallel_for(work, range(2))


@pytest.mark.parametrize("error", [StopIteration, GeneratorExit, SystemExit])
def test_no_exception_is_taken_for_an_end(error):
    def work(_):
        raise error

    with pytest.raises(error):
        parallel_for(work, range(3))


def test_an_exception_keeps_no_arrays_alive_once_it_is_dealt_with():
    def call():
        array = np.zeros(3)

        def fail(_):
            raise ValueError(array)

        with suppress(ValueError):
            parallel_for(fail, range(4))
        return weakref.ref(array)

    gc.disable()  # so that a cycle would keep it
    try:
        with use_threads(1):
            assert call()() is None
    finally:
        gc.enable()


def test_a_nested_run_works_alone_in_the_thread_of_its_block():
    inner = {}

    def work(item):
        taken = inner.setdefault(item, [])
        parallel_for(lambda part: taken.append((part, threading.get_ident())), range(5))
        assert {thread for _, thread in taken} == {threading.get_ident()}

    with use_threads(3):
        parallel_for(work, range(6))
    assert {item: [part for part, _ in taken] for item, taken in inner.items()} == {
        item: list(range(5)) for item in range(6)
    }


def test_after_a_nested_run_the_thread_may_share_again():
    parallel_for(lambda _: parallel_for(lambda _: None, range(2)), range(2))
    test_all_threads_work_the_calling_one_among_them()


def test_runs_of_several_threads_share_the_pool():
    counts = np.zeros((6, 200), int)

    def call(caller):
        def work(item):
            counts[caller, item] += 1

        with use_threads(4):
            parallel_for(work, range(200))

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(SECONDS)
    assert (counts == 1).all()


def test_what_the_caller_ignores_is_ignored_in_every_thread():
    both, results = threading.Barrier(2), []

    def work(_):
        both.wait(SECONDS)
        results.append(np.zeros(1) / np.zeros(1))

    with use_threads(2), np.errstate(invalid="ignore"):
        parallel_for(work, range(2))
    assert np.isnan(results).all()
    with use_threads(2), np.errstate(invalid="raise"), pytest.raises(FloatingPointError):
        parallel_for(work, range(2))
    assert len(results) == 2


def test_a_run_does_not_wait_for_helpers_that_are_busy_elsewhere():
    """All the pool's threads are held by a job that ends only after ours."""
    with use_threads(3):
        parallel_for(lambda _: None, range(3))
    held, release = threading.Barrier(thread_pool.thread_pool().size + 2), threading.Event()

    def hold(_):
        held.wait(SECONDS)
        assert release.wait(SECONDS)

    def holder():
        with use_threads(thread_pool.thread_pool().size + 1):
            parallel_for(hold, range(thread_pool.thread_pool().size + 1))

    other = threading.Thread(target=holder)
    other.start()
    held.wait(SECONDS)
    counts = [0] * 10

    def work(item):
        counts[item] += 1

    with use_threads(2):
        parallel_for(work, range(10))
    release.set()
    other.join(SECONDS)
    assert counts == [1] * 10


def test_a_pool_that_gives_no_threads_costs_speed_only(monkeypatch):
    def exhausted(*arguments):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(thread_pool, "_pool", thread_pool.ThreadPool())
    monkeypatch.setattr("_thread.start_new_thread", exhausted)
    done = []
    with use_threads(4):
        parallel_for(done.append, range(9))
    assert done == list(range(9))

    def fail(item):
        raise ZeroDivisionError

    with use_threads(4), pytest.raises(ZeroDivisionError):
        parallel_for(fail, range(9))


def test_a_thread_whose_start_was_interrupted_keeps_its_number_to_itself(monkeypatch):
    """Two with one line of the board would wait for each other's work for ever."""
    numbers = []

    def start(serve, arguments):
        numbers.append(arguments[0])
        if len(numbers) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("_thread.start_new_thread", start)
    pool = thread_pool.ThreadPool()
    with pytest.raises(KeyboardInterrupt):
        pool.wake(1)
    pool.wake(2)
    assert len(numbers) == 3 == len(set(numbers))
