"""Threads that are made to meet: a race is found on every run, a lock is no race and no deadlock."""

import threading

import numpy as np
import pytest

from tinycnn.testing.threads import at_once, interrupted

HERE = {__file__}


class Adder:
    """Adds to a running total in three steps, with or without a lock around them."""

    def __init__(self, lock):
        self.total, self.lock = 0, lock

    def add(self):
        if self.lock is None:
            return self.steps()
        with self.lock:
            return self.steps()

    def steps(self):
        before = self.total
        after = before + 1
        self.total = after
        return after


def lost(lock):
    """How many of the meetings lost one of the two additions."""
    adder, wrong = Adder(lock), []

    def work():
        adder.add()

    for place, *_ in interrupted(work, work, HERE):
        wrong.append((place, adder.total))
    return adder.total, wrong


def test_a_race_is_found_at_every_place_between_reading_and_writing():
    total, meetings = lost(None)
    assert total < 1 + 2 * len(meetings)  # one run alone, to learn the places; two each meeting
    assert len(meetings) > 8
    assert total == lost(None)[0]  # on every run the same


def test_a_lock_is_no_race_and_no_deadlock():
    total, meetings = lost(threading.Lock())
    assert total == 1 + 2 * len(meetings)
    assert meetings


def test_code_of_other_files_is_not_stopped():
    assert interrupted(lambda: np.ones(3).sum(), lambda: None, {"nowhere.py"}) == []


def test_both_results_are_given_and_an_exception_takes_the_place_of_one():
    def fails():
        raise KeyError("k")

    def works():
        return 7

    for place, mine, other in interrupted(works, fails, HERE):
        assert mine == 7 and isinstance(other, KeyError)
        assert place.startswith(f"{__file__}:")


def test_works_at_once_wait_for_each_other():
    seen = []

    def work(wait):
        seen.append("before")
        wait()
        return seen.count("before")

    assert at_once([work] * 5) == [5] * 5


@pytest.mark.parametrize("failing", [0, 2])
def test_one_that_fails_keeps_nobody_waiting(failing):
    def work(number):
        def run(wait):
            if number == failing:
                raise KeyError(number)
            wait()

        return run

    (error,) = at_once([work(number) for number in range(3)])
    assert isinstance(error, KeyError) and error.args == (failing,)
