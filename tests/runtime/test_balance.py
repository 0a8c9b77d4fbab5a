"""Helpers are called where they pay, and tried again later where they did not."""

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.runtime import balance as module
from tinycnn.runtime.balance import Balance
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.thread_pool import ThreadPool
from tinycnn.runtime.threads import use_threads


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "perf_counter", clock)
    return clock


def pause_of(balance, clock):
    """Seconds until helpers are called again, in steps of a thousandth; the clock has gone on by then."""
    began = clock.now
    while not balance.pays:
        clock.now += 0.001
    return clock.now - began


def test_helpers_are_called_at_first_and_as_long_as_they_pay(clock):
    balance = Balance()
    assert balance.pays
    for _ in range(1000):
        balance.enter(saved=0.002, lost=0.001)
        assert balance.pays


def test_a_loss_is_covered_by_what_was_saved_before(clock):
    balance = Balance()
    balance.enter(saved=0.003, lost=0.0)
    balance.enter(saved=0.0, lost=0.002)
    assert balance.pays
    balance.enter(saved=0.0, lost=0.002)
    assert not balance.pays


def test_what_was_saved_long_ago_does_not_count_for_ever(clock):
    balance = Balance()
    for _ in range(1000):
        balance.enter(saved=1.0, lost=0.0)
    balance.enter(saved=0.0, lost=0.01)
    assert not balance.pays


def test_each_loss_is_followed_by_a_longer_time_alone(clock):
    """So that all losses together stay small beside the time that is spent alone."""
    balance, pauses = Balance(), []
    for _ in range(12):
        balance.enter(saved=0.0, lost=0.001)
        pauses.append(pause_of(balance, clock))
    assert pauses[0] == pytest.approx(0.008, abs=0.002)
    assert pauses[-2:] == pytest.approx([1.0, 1.0], abs=0.002)
    assert all(second > first - 0.0015 for first, second in pairwise(pauses))


def test_once_they_paid_well_a_loss_is_forgiven_soon(clock):
    balance = Balance()
    for _ in range(12):
        balance.enter(saved=0.0, lost=0.001)
        pause_of(balance, clock)
    balance.enter(saved=1.0, lost=0.0)
    balance.enter(saved=0.0, lost=0.006)
    assert pause_of(balance, clock) == pytest.approx(0.008, abs=0.002)


@given(st.lists(st.tuples(st.floats(0, 0.1), st.floats(0, 0.1)), max_size=50))
def test_no_loss_is_answered_by_more_than_a_second(entries):
    balance, clock = Balance(), Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "perf_counter", clock)
        for saved, lost in entries:
            balance.enter(saved, lost)
            assert pause_of(balance, clock) < 1.002


@pytest.fixture
def asked(monkeypatch):
    """How many helpers each job called, and how long a job of their own they did: none."""
    asked = []

    def ask(pool, help, count):
        asked.append(count)
        return True

    monkeypatch.setattr(ThreadPool, "ask", ask)
    return asked


def test_a_kind_of_job_whose_helpers_come_too_late_works_alone_for_a_while(clock, asked):
    done = []

    def work(item):
        done.append(item)

    def other(item):
        done.append(item)

    with use_threads(3):
        for _ in range(10):
            parallel_for(work, range(5))
        parallel_for(other, range(2))
        clock.now += 2
        parallel_for(work, range(5))
    assert asked == [2, 1, 2]
    assert sorted(done) == sorted([*range(5)] * 11 + [0, 1])


def test_what_a_chain_of_steps_waited_for_others_is_a_loss(clock, monkeypatch):
    """The helper worked longer than calling it took; but the caller says that it waited for longer still."""
    entered, together = [], threading.Barrier(2, timeout=60)
    monkeypatch.setattr(
        Balance, "enter", lambda balance, saved, lost: entered.append((saved, lost))
    )

    def work(item):
        together.wait()
        yield 100.0 if threading.current_thread() is threading.main_thread() else 0.0

    with use_threads(2):
        parallel_for(work, range(2))  # may start the helper: that is no part of the account
        entered.clear()
        parallel_for(work, range(2))
    ((saved, lost),) = entered
    assert 0 < saved < 100
    assert 100 <= lost < 200
