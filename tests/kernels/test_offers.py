"""Work that helpers find while they look for it, and a caller that takes it back or waits for them."""

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from twins import against_twin

from tinycnn.kernels.function_pointers import address_of
from tinycnn.kernels.jit import kernel
from tinycnn.kernels.offers import (
    CODE,
    FIRST_TICKET,
    HELPER,
    LEFT,
    LINE,
    LOOKS,
    OWN,
    RESERVED,
    SLEEPS,
    STOP,
    TICKET,
    WORKS,
    look_for_work,
    offer,
    withdraw,
)
from tinycnn.kernels.shared_memory import atomic_load
from tinycnn.runtime import thread_pool

SECONDS = 60  # a guard against hanging, never reached
STATES = st.lists(st.sampled_from([SLEEPS, LOOKS, RESERVED, WORKS, FIRST_TICKET + 9]), max_size=5)


@kernel
def count_up(row, first, second, number):
    row[OWN] += 1


@kernel
def until_stopped(row, first, second, number):
    while not atomic_load(row, STOP):
        pass


def board_of(states):
    board = np.zeros(len(states) * LINE, np.int64)
    board[::LINE] = states
    return board


def rows_of(count, code=0):
    rows = np.zeros((count, OWN + 1), np.int64)
    rows[:, CODE] = code
    return rows


def test_the_pool_has_room_for_the_board():
    assert (thread_pool.LINE, thread_pool.LAST_TICKET) == (LINE, FIRST_TICKET - 1)


@given(STATES, st.integers(0, 4))
def test_helpers_that_look_are_offered_a_row_each(states, count):
    board, rows = board_of(states), rows_of(count)
    tickets = np.array([FIRST_TICKET + 20])
    against_twin(offer, rows, tickets, board, scratch=1)  # the board has addresses
    ours = offer(rows, tickets, board)
    assert ours == min(states.count(LOOKS), count)
    told = rows[:ours]
    assert [board[helper * LINE] for helper in told[:, HELPER]] == list(told[:, TICKET])
    assert all(states[helper] == LOOKS for helper in told[:, HELPER])
    assert list(told[:, TICKET]) == [FIRST_TICKET + 21 + i for i in range(ours)]
    for row in told:
        at = row[HELPER] * LINE
        assert list(board[at + 1 : at + 3]) == [row.ctypes.data, row.size]
    untouched = [state for at, state in enumerate(states) if at not in told[:, HELPER]]
    assert [board[at * LINE] for at in range(len(states)) if at not in told[:, HELPER]] == untouched
    assert not rows[ours:].any()


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=4),
    st.booleans(),
    st.integers(0, 3),
)
def test_what_nobody_has_begun_is_taken_back(kinds, stop, spins):
    """Each row: offered or not, begun or not, left or not."""
    board, rows = board_of([SLEEPS] * len(kinds)), rows_of(len(kinds))
    for helper, (offered, begun, left) in enumerate(kinds):
        ticket = FIRST_TICKET + helper if offered else 0
        rows[helper, TICKET], rows[helper, HELPER] = ticket, helper
        rows[helper, LEFT] = offered and begun and left
        board[helper * LINE] = WORKS if begun else ticket
    against_twin(withdraw, board, rows, stop, spins)


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 5))
def test_a_helper_looks_for_a_call_for_a_while(calls, seen, spins):
    board = board_of([SLEEPS, SLEEPS])
    against_twin(look_for_work, board, 1, np.array([calls]), seen, spins)
    assert look_for_work(board, 1, np.array([calls]), seen, spins) == (calls > seen)
    assert not board.any()  # it sleeps again


def started(work):
    """A thread that is at ``work``; one that never ends does not keep the process."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def seen_to_end(thread):
    thread.join(SECONDS)
    assert not thread.is_alive(), "it waits for ever"


class Looking:
    """A helper that looks for work until the end of the block."""

    def __init__(self):
        self.board, self.tickets = board_of([SLEEPS]), np.array([FIRST_TICKET - 1])
        self.calls, self.saw = np.array([0]), []

    def __enter__(self):
        self.thread = started(self.look)
        return self

    def look(self):
        self.saw.append(look_for_work(self.board, 0, self.calls, 0, -1))

    def __exit__(self, *error):
        self.calls[0] += 1
        seen_to_end(self.thread)
        assert self.saw == [True]

    def offer(self, rows):
        while not offer(rows, self.tickets, self.board):
            pass


def test_work_is_done_once_or_taken_back():
    rounds = 2000
    rows = rows_of(1, address_of(count_up))
    with Looking() as helper:
        for number in range(rounds):
            done = rows[0, OWN]
            helper.offer(rows)
            if number % 2:  # at once, or once it has been begun
                while helper.board[0] == rows[0, TICKET]:
                    pass
            assert withdraw(helper.board, rows, False, -1)
            assert rows[0, OWN] - done in ((1,) if number % 2 else (0, 1))
    assert rows[0, OWN] >= rounds // 2


def test_who_is_told_to_stop_is_waited_for():
    rows = rows_of(1, address_of(until_stopped))
    with Looking() as helper:
        helper.offer(rows)
        while helper.board[0] == rows[0, TICKET]:
            pass
        assert not withdraw(helper.board, rows, False, 10)
        assert withdraw(helper.board, rows, True, -1)
        assert rows[0, LEFT] == 1
