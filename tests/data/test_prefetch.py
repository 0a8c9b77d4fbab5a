"""Results made ahead: in order, never too many, and by threads of which none is left."""

import _thread
import gc
import threading

import pytest
from fresh_process import in_python
from interrupts import at_each_point
from running_threads import running, wait_for_others

from tinycnn.data.prefetch import Prefetch


@pytest.fixture(autouse=True)
def none_is_left():
    """Each test's threads have ended, or do when they are waited for."""
    before = running()
    yield
    wait_for_others(before)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("ahead", [0, 1, 3, 50])
def test_results_come_in_order(threads, ahead):
    assert list(Prefetch(lambda n: n * n, range(3, 20), threads, ahead)) == [
        n * n for n in range(3, 20)
    ]
    assert list(Prefetch(lambda n: n, (), threads, ahead)) == []


def test_a_later_result_waits_for_an_earlier_one():
    second = threading.Event()

    def work(number):
        if number == 0:
            assert second.wait(60)  # by another thread
        if number == 1:
            second.set()
        return number

    assert list(Prefetch(work, range(4), 2, 3)) == [0, 1, 2, 3]


@pytest.mark.parametrize("ahead", [1, 4])
def test_no_more_is_made_ahead_than_is_allowed(ahead):
    """After so many results were taken, no task beyond these and those ahead has ever begun."""
    begun = []
    results = Prefetch(begun.append, range(100), 3, ahead)
    for taken in range(1, 30):
        next(results)
        assert len(begun) <= taken + ahead
    results.close()
    assert len(begun) <= 29 + ahead


def test_without_threads_nothing_is_made_before_it_is_asked_for():
    begun = []
    results = Prefetch(begun.append, range(9), 2, 0)
    assert begun == []
    next(results)
    assert begun == [0]


@pytest.mark.parametrize("ahead", [0, 2])
def test_an_error_comes_in_its_turn_and_is_the_end(ahead):
    results = Prefetch(lambda n: 1 // (3 - n), range(9), 2, ahead)
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []


def test_a_stop_is_no_end():
    with pytest.raises(RuntimeError, match="raised StopIteration"):
        list(Prefetch(lambda n: next(iter(())), range(3), 2, 2))


def test_what_is_closed_or_let_go_leaves_no_thread():
    before = running()
    results = Prefetch(lambda n: n, range(100), 3, 4)
    next(results)
    results.close()
    wait_for_others(before)
    assert list(results) == []
    results = Prefetch(lambda n: n, range(100), 3, 4)
    next(results)
    del results
    wait_for_others(before)
    circle = [Prefetch(lambda n: n, range(100), 3, 4)]
    circle.append(circle)
    del circle
    gc.collect()
    wait_for_others(before)


def test_where_no_thread_can_be_started_the_caller_works(monkeypatch):
    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    assert list(Prefetch(lambda n: n + 1, range(5), 2, 3)) == [1, 2, 3, 4, 5]


def test_an_interrupt_at_any_point_leaves_no_thread():
    before = running()

    def work():
        for _ in Prefetch(lambda n: n, range(4), 2, 2):
            pass

    assert at_each_point(work, lambda: wait_for_others(before)) > 40


@pytest.mark.process
def test_a_process_may_end_while_results_are_made():
    printed = in_python("""
import time
from tinycnn.data.prefetch import Prefetch
results = Prefetch(lambda n: time.sleep(0.01) or n, range(1000), 3, 10)
print(next(results))
""")
    assert printed == ["0"]


@pytest.mark.process
def test_a_child_makes_its_results_itself():
    printed = in_python("""
from tinycnn.data.prefetch import Prefetch
results = Prefetch(lambda n: n, range(6), 2, 3)
first = [next(results), next(results)]
if os.fork() == 0:
    print(*first, *results, flush=True)
    os._exit(0)
os.wait()
print(*first, *results)
""")
    assert printed == 2 * list("012345")
