"""Waiting for another thread."""

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from twins import against_twin

from tinycnn.kernels.waiting import wait_while

FOREVER = 10**12


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 5))
def test_it_changes_nothing_and_ends(signal, value, most):
    against_twin(wait_while, np.array([signal]), value, most)


def test_it_ends_when_another_thread_writes():
    signal = np.zeros(1, np.int64)
    waiting = threading.Thread(target=wait_while, args=(signal, 0, FOREVER))
    waiting.start()
    signal[0] = 1
    waiting.join(60)
    assert not waiting.is_alive()


def test_it_returns_at_once_where_the_number_has_changed_already():
    wait_while(np.array([5]), 4, FOREVER)
