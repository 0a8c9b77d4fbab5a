"""How many threads there are."""

import os
import re
import threading

import pytest

from tinycnn.errors import ArgumentError
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.threads import threads, use_threads


def test_threads_are_the_chosen_else_the_named_else_the_cores(monkeypatch):
    monkeypatch.delenv("TINYCNN_THREADS", raising=False)
    cores = threads()
    assert 1 <= cores <= os.cpu_count()
    monkeypatch.setenv("TINYCNN_THREADS", "3")
    assert threads() == 3
    with use_threads(5):
        assert threads() == 5
        with use_threads(2):
            assert threads() == 2
        assert threads() == 5
    assert threads() == 3


def test_use_threads_holds_in_its_own_thread_only():
    seen = []
    with use_threads(63):
        other = threading.Thread(target=lambda: seen.append(threads()))
        other.start()
        other.join()
    assert seen != [63]


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "two", "", " ", "\N{SUPERSCRIPT TWO}"])
def test_a_bad_number_of_threads_in_the_environment(monkeypatch, text):
    monkeypatch.setenv("TINYCNN_THREADS", text)
    message = f"TINYCNN_THREADS must be a whole number from 1 up, got {text!r}"
    with pytest.raises(ArgumentError, match=re.escape(message)):
        parallel_for(lambda _: None, range(3))
    with use_threads(2):
        parallel_for(lambda _: None, range(3))


@pytest.mark.parametrize("count", [0, -1, 1.5, "2", True, None])
def test_a_bad_number_of_threads_in_the_program(count):
    with pytest.raises(ArgumentError, match="threads must be"), use_threads(count):
        pass
