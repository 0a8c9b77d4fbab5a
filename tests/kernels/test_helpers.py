"""Helpers that begin and leave, and a caller that waits for them."""

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from twins import against_twin

from tinycnn.kernels.helpers import (
    ASKED,
    LEFT,
    WORKING,
    begin_helping,
    wait_for_helpers,
)

SECONDS = 60  # a guard against hanging, never reached
STATES = st.lists(st.sampled_from([ASKED, WORKING, LEFT]), max_size=5)


@given(STATES.filter(len), st.data())
def test_a_helper_joins_if_it_is_still_asked(states, data):
    state = np.array([*states, 0])
    helper = data.draw(st.integers(0, len(states) - 1))
    ours = against_twin(begin_helping, state, helper)
    assert ours[0][helper] == max(states[helper], WORKING)


@given(STATES, st.booleans(), st.integers(0, 5))
def test_the_caller_closes_and_is_told_whether_some_are_left(states, stop, spins):
    state = np.array([*states, 0])
    ours = against_twin(wait_for_helpers, state, stop, spins)
    assert (WORKING in ours[0][:-1]) == (WORKING in states)
    assert ASKED not in ours[0][:-1]
    assert ours[0][-1] == stop


def started(work):
    """A thread that is at ``work``; one that never ends does not keep the process."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def until_set(state):
    while not state[-1]:
        pass


def seen_to_end(thread):
    thread.join(SECONDS)
    assert not thread.is_alive(), "it waits for ever"


def test_the_caller_spins_until_all_have_left():
    state, saw = np.array([WORKING, WORKING, 0]), []
    waiting = started(lambda: saw.append(wait_for_helpers(state, True, -1)))
    seen_to_end(started(lambda: until_set(state)))  # the caller has come
    state[0] = LEFT
    assert waiting.is_alive()  # for the other has not left
    state[1] = LEFT
    seen_to_end(waiting)
    assert saw == [True]


def test_of_two_who_come_at_once_one_is_first():
    """A helper that joins, and a caller that closes: whoever comes second knows it."""
    both, rounds = threading.Barrier(2), 300
    states, joined = np.zeros((rounds, 2), np.int64), np.zeros(rounds, bool)

    def helper():
        for number in range(rounds):
            both.wait(SECONDS)
            joined[number] = begin_helping(states[number], 0)

    other = started(helper)
    closed = np.zeros(rounds, bool)
    for number in range(rounds):
        both.wait(SECONDS)
        closed[number] = wait_for_helpers(states[number], False, 0)
    seen_to_end(other)
    np.testing.assert_array_equal(closed, ~joined)
    np.testing.assert_array_equal(states[:, 0], np.where(joined, WORKING, LEFT))
