"""Blocks: every item once, errors, Ctrl-C, forks, threads, and the limit on BLAS."""

import gc
import os
import re
import subprocess
import sys
import threading
import weakref
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from tinycnn import blocks
from tinycnn.errors import ArgumentError
from tinycnn.kernels.waiting import wait_while

# With its first kernel Numba loads SciPy's BLAS, where there is SciPy: the limit must meet both.
wait_while(np.zeros(1, np.int64), 0, 1)

SECONDS = 60  # a guard against hanging, never reached


def in_python(code, **environment):
    """Run ``code`` in a fresh process; the words it prints, once it has ended well."""
    ended = subprocess.run(
        [sys.executable, "-c", PROLOGUE + code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


PROLOGUE = """
import os, signal, sys, threading, warnings
from threadpoolctl import threadpool_info, threadpool_limits
from tinycnn import blocks

warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork beside threads

def blas_threads():
    return {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}

def run_everywhere():
    # Each of three threads must take its block before any may end: a pool without threads hangs.
    barrier, seen = threading.Barrier(3), set()
    def work(item):
        barrier.wait(30)
        seen.add(threading.get_ident())
    with blocks.use_threads(3):
        blocks.run(work, range(3))
    assert len(seen) == 3
"""


def blas_threads():
    return {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}


# -------------------------------------------------------------------------------------------- cut


@given(st.integers(0, 5000), st.integers(-1, 600), st.integers(1, 40))
def test_a_cut_covers_the_range_in_near_equal_parts(total, size, least):
    ranges = blocks.cut(total, size, least=least)
    assert [i for first, last in ranges for i in range(first, last)] == list(range(total))
    lengths = [last - first for first, last in ranges]
    assert all(lengths)
    if len(ranges) > 1:
        assert max(lengths) - min(lengths) <= 1
        assert min(lengths) >= least
    elif total:
        # One part, because it is small enough or because two would be too small.
        assert total <= max(size, 1) or total < 2 * least


@given(st.integers(1, 5000), st.integers(1, 600))
def test_parts_are_no_larger_than_asked_where_nothing_forbids_it(total, size):
    ranges = blocks.cut(total, size)
    assert max(last - first for first, last in ranges) <= size
    assert len(ranges) == -(-total // size)


def test_cuts_by_hand():
    assert blocks.cut(0, 5) == []
    assert blocks.cut(10, 4) == [(0, 3), (3, 6), (6, 10)]
    assert blocks.cut(40, 4, least=16) == [(0, 20), (20, 40)]
    assert blocks.cut(15, 4, least=16) == [(0, 15)]


# -------------------------------------------------------------------------------------------- run


@pytest.mark.parametrize("threads", range(1, 9))
@pytest.mark.parametrize("items", [0, 1, 2, 50])
def test_every_item_is_worked_on_once(threads, items):
    counts = [0] * items

    def work(item):
        counts[item] += 1

    with blocks.use_threads(threads):
        blocks.run(work, iter(range(items)))
    assert counts == [1] * items


@pytest.mark.parametrize("threads", range(1, 9))
def test_a_generator_is_a_chain_of_steps_in_one_thread(threads):
    steps = {}

    def work(item):
        for step in range(item):
            steps.setdefault(item, []).append((step, threading.get_ident()))
            yield

    with blocks.use_threads(threads):
        blocks.run(work, range(20))
    assert sorted(steps) == list(range(1, 20))
    for item, taken in steps.items():
        assert [step for step, _ in taken] == list(range(item))
        assert len({thread for _, thread in taken}) == 1


def test_all_threads_work_the_calling_one_among_them():
    everybody, seen = threading.Barrier(4), set()

    def work(_):
        everybody.wait(SECONDS)  # passed only by four threads at a time
        seen.add(threading.get_ident())

    with blocks.use_threads(4):
        blocks.run(work, range(4))
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

    with blocks.use_threads(threads):
        with pytest.raises(ZeroDivisionError, match="in block 7"):
            blocks.run(work, range(100_000))
        # Those that ran when block 7 failed have ended, and nobody goes on behind our back.
        assert sorted(begun) == sorted([*ended, 7])
        assert len(begun) < 100_000
        counts = [0] * 100

        def count(item):
            counts[item] += 1

        blocks.run(count, range(100))
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

    with blocks.use_threads(2), pytest.raises(KeyError, match="first"):
        blocks.run(work, range(2))
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
    with blocks.use_threads(2), pytest.raises(expected):
        blocks.run(work, range(2))


@pytest.mark.parametrize("error", [StopIteration, GeneratorExit, SystemExit])
def test_no_exception_is_taken_for_an_end(error):
    def work(_):
        raise error

    with pytest.raises(error):
        blocks.run(work, range(3))


def test_an_exception_keeps_no_arrays_alive_once_it_is_dealt_with():
    def call():
        array = np.zeros(3)

        def fail(_):
            raise ValueError(array)

        with suppress(ValueError):
            blocks.run(fail, range(4))
        return weakref.ref(array)

    gc.disable()  # so that a cycle would keep it
    try:
        with blocks.use_threads(1):
            assert call()() is None
    finally:
        gc.enable()


def test_a_nested_run_works_alone_in_the_thread_of_its_block():
    inner = {}

    def work(item):
        taken = inner.setdefault(item, [])
        blocks.run(lambda part: taken.append((part, threading.get_ident())), range(5))
        assert {thread for _, thread in taken} == {threading.get_ident()}

    with blocks.use_threads(3):
        blocks.run(work, range(6))
    assert {item: [part for part, _ in taken] for item, taken in inner.items()} == {
        item: list(range(5)) for item in range(6)
    }


def test_after_a_nested_run_the_thread_may_share_again():
    blocks.run(lambda _: blocks.run(lambda _: None, range(2)), range(2))
    test_all_threads_work_the_calling_one_among_them()


def test_runs_of_several_threads_share_the_pool():
    counts = np.zeros((6, 200), int)

    def call(caller):
        def work(item):
            counts[caller, item] += 1

        with blocks.use_threads(4):
            blocks.run(work, range(200))

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

    with blocks.use_threads(2), np.errstate(invalid="ignore"):
        blocks.run(work, range(2))
    assert np.isnan(results).all()
    with blocks.use_threads(2), np.errstate(invalid="raise"), pytest.raises(FloatingPointError):
        blocks.run(work, range(2))
    assert len(results) == 2


def test_a_run_does_not_wait_for_helpers_that_are_busy_elsewhere():
    """All the pool's threads are held by a job that ends only after ours."""
    with blocks.use_threads(3):
        blocks.run(lambda _: None, range(3))
    held, release = threading.Barrier(blocks._shared.pool_size + 2), threading.Event()

    def hold(_):
        held.wait(SECONDS)
        assert release.wait(SECONDS)

    def holder():
        with blocks.use_threads(blocks._shared.pool_size + 1):
            blocks.run(hold, range(blocks._shared.pool_size + 1))

    other = threading.Thread(target=holder)
    other.start()
    held.wait(SECONDS)
    counts = [0] * 10

    def work(item):
        counts[item] += 1

    with blocks.use_threads(2):
        blocks.run(work, range(10))
    release.set()
    other.join(SECONDS)
    assert counts == [1] * 10


def test_a_pool_that_gives_no_threads_costs_speed_only(monkeypatch):
    class Exhausted:
        def submit(self, *arguments):
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(blocks, "_pool", lambda size: Exhausted())
    done = []
    with blocks.use_threads(4):
        blocks.run(done.append, range(9))
    assert done == list(range(9))


# ------------------------------------------------------------------------------------------- team


# ----------------------------------------------------------------------------------- BLAS's limit


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("fails", [False, True])
def test_blas_has_one_thread_inside_and_its_own_number_outside(threads, fails):
    seen = []

    def work(item):
        seen.append(blas_threads())
        if fails and item == 2:
            raise ZeroDivisionError

    with threadpool_limits(2, user_api="blas"), blocks.use_threads(threads):
        try:
            blocks.run(work, range(4))
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

        blocks.run(stay, [None])

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
        blocks.run(lambda _: None, range(2))
        seen.append(blas_threads())

    with threadpool_limits(2, user_api="blas"):
        blocks.run(work, range(2))
        assert blas_threads() == {2}
    assert seen == [{1}, {1}]


# ----------------------------------------------------------------------------------------- Ctrl-C

INTERRUPTED = """
threads = int(os.environ["THREADS"])
together = threading.Barrier(threads)
begun, ended = [], []

def endless(item):
    try:
        while True:  # only the interrupt ends it
            yield
    finally:
        ended.append(item)

def call(work, items):
    with blocks.use_threads(threads), threadpool_limits(2, user_api="blas"):
        try:
            blocks.run(work, items)
        except KeyboardInterrupt:
            print("interrupted", len(begun), len(ended))
        assert blas_threads() == {2}
    run_everywhere()
"""

# The threads begin a block each; then the signal comes.
IN_A_BLOCK = """
def work(item):
    begun.append(item)
    together.wait(30)
    if threading.current_thread() is threading.main_thread():
        signal.raise_signal(signal.SIGINT)
    yield from endless(item)

call(work, range(1000))
"""

# The calling thread has no block left and waits for a helper, in whose block the signal comes.
WHILE_WAITING = """
def main_waits():
    frame = sys._current_frames()[threading.main_thread().ident]
    while frame is not None and frame.f_code is not blocks._Job.drain.__code__:
        frame = frame.f_back
    return frame is not None

def work(item):
    begun.append(item)
    together.wait(30)
    if threading.current_thread() is threading.main_thread():
        ended.append(item)
        return
    while not main_waits():
        pass
    os.kill(os.getpid(), signal.SIGINT)
    yield from endless(item)

call(work, range(threads))
"""

# A second and a third signal while the first is dealt with.
IMPATIENT = """
def work(item):
    begun.append(item)
    together.wait(30)
    try:
        if threading.current_thread() is threading.main_thread():
            signal.raise_signal(signal.SIGINT)
        yield from endless(item)
    finally:
        os.kill(os.getpid(), signal.SIGINT)

try:
    call(work, range(1000))
except KeyboardInterrupt:  # what came after the run had ended
    assert blocks._shared.inside == 0
    run_everywhere()
"""


@pytest.mark.parametrize("threads", [1, 3])
def test_an_interrupt_in_a_block_of_the_calling_thread(threads):
    # Each thread has begun its block and no other; those that ran were seen to their end.
    words = in_python(INTERRUPTED + IN_A_BLOCK, THREADS=str(threads))
    assert words == ["interrupted", str(threads), str(threads - 1)]


def test_an_interrupt_while_the_calling_thread_waits():
    words = in_python(INTERRUPTED + WHILE_WAITING, THREADS="2")
    assert words == ["interrupted", "2", "2"]


def test_an_impatient_user():
    words = in_python(INTERRUPTED + IMPATIENT, THREADS="2")
    assert words in ([], ["interrupted", "2", "1"])


@pytest.mark.parametrize("place", ["submit", "drain"])
def test_an_interrupt_between_blocks(monkeypatch, place):
    """As a signal there would raise it."""
    pool, drain, pressed = blocks._pool(1), blocks._Job.drain, []

    def press():
        if not pressed:
            pressed.append(place)
            raise KeyboardInterrupt

    class Pool:
        def submit(self, *arguments):
            pool.submit(*arguments)
            if place == "submit":
                press()

    def pressed_drain(job):
        if place == "drain":
            press()
        drain(job)

    monkeypatch.setattr(blocks, "_pool", lambda size: Pool())
    monkeypatch.setattr(blocks._Job, "drain", pressed_drain)
    begun, ended = [], []

    def work(item):
        begun.append(item)
        yield
        ended.append(item)

    with blocks.use_threads(2):
        with pytest.raises(KeyboardInterrupt):
            blocks.run(work, range(100))
        after = len(begun)
        if place == "drain":
            assert sorted(ended) == list(range(100))
        blocks.run(lambda _: None, range(5))
    assert len(begun) == after
    assert blocks._shared.inside == 0


def test_an_interrupt_ends_a_model_and_leaves_it_usable():
    code = """
import numpy as np, tinycnn as tc

class Press(tc.layers.Layer):
    pressed = False
    def output_shape(self, input_shape):
        return input_shape
    def forward(self, params, x, context):
        if not Press.pressed:
            Press.pressed = True
            signal.raise_signal(signal.SIGINT)
        return x, None

model = tc.Sequential([tc.layers.Conv2D(4, 3), Press(), tc.layers.Dense(2)], (8, 8, 3))
x = np.ones((2, 8, 8, 3), np.float32)
try:
    model.predict(x)
except KeyboardInterrupt:
    print("interrupted", model.predict(x).shape)
"""
    assert in_python(code) == ["interrupted", "(2,", "2)"]


# ------------------------------------------------------------------------------------------- fork

FORKED = """
def child_must_do_well():
    pid = os.fork()
    if pid == 0:
        good = False
        try:
            assert blas_threads() == {2}
            run_everywhere()
            assert blas_threads() == {2}
            good = True
        finally:
            os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""


def test_a_child_has_a_pool_of_its_own():
    code = """
with threadpool_limits(2, user_api="blas"):
    run_everywhere()
    child_must_do_well()
    run_everywhere()
"""
    in_python(FORKED + code)


def test_a_fork_while_another_thread_is_inside():
    code = """
inside, leave = threading.Event(), threading.Event()

def stay(item):
    inside.set()
    assert leave.wait(30)

with threadpool_limits(2, user_api="blas"):
    other = threading.Thread(target=blocks.run, args=(stay, [None]))
    other.start()
    assert inside.wait(30)
    assert blas_threads() == {1}
    child_must_do_well()
    leave.set()
    other.join()
    assert blas_threads() == {2}
"""
    in_python(FORKED + code)


# ---------------------------------------------------------------------------------------- threads


def test_threads_are_the_chosen_else_the_named_else_the_cores(monkeypatch):
    monkeypatch.delenv("TINYCNN_THREADS", raising=False)
    cores = blocks.threads()
    assert 1 <= cores <= os.cpu_count()
    monkeypatch.setenv("TINYCNN_THREADS", "3")
    assert blocks.threads() == 3
    with blocks.use_threads(5):
        assert blocks.threads() == 5
        with blocks.use_threads(2):
            assert blocks.threads() == 2
        assert blocks.threads() == 5
    assert blocks.threads() == 3


def test_cores_where_the_system_does_not_tell_which_are_ours(monkeypatch):
    monkeypatch.delenv("TINYCNN_THREADS", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert blocks.threads() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert blocks.threads() == 1


def test_use_threads_holds_in_its_own_thread_only():
    seen = []
    with blocks.use_threads(63):
        other = threading.Thread(target=lambda: seen.append(blocks.threads()))
        other.start()
        other.join()
    assert seen != [63]


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "two", "", " ", "\N{SUPERSCRIPT TWO}"])
def test_a_bad_number_of_threads_in_the_environment(monkeypatch, text):
    monkeypatch.setenv("TINYCNN_THREADS", text)
    message = f"TINYCNN_THREADS must be a whole number from 1 up, got {text!r}"
    with pytest.raises(ArgumentError, match=re.escape(message)):
        blocks.run(lambda _: None, range(3))
    with blocks.use_threads(2):
        blocks.run(lambda _: None, range(3))


@pytest.mark.parametrize("count", [0, -1, 1.5, "2", True, None])
def test_a_bad_number_of_threads_in_the_program(count):
    with pytest.raises(ArgumentError, match="threads must be"), blocks.use_threads(count):
        pass


# ---------------------------------------------------------------------------------------- scratch


def test_a_threads_buffer_is_kept_and_grows():
    float32 = np.dtype(np.float32)
    first = blocks.scratch("test", (4, 5), float32)
    assert (first.shape, first.dtype) == ((4, 5), float32)
    assert first.flags.c_contiguous
    smaller = blocks.scratch("test", (3, 2), float32)
    assert smaller.shape == (3, 2)
    assert np.shares_memory(first, smaller)
    larger = blocks.scratch("test", (40, 5), float32)
    assert larger.shape == (40, 5)
    assert not np.shares_memory(first, larger)
    assert np.shares_memory(larger, blocks.scratch("test", (4, 5), float32))
    assert blocks.scratch("test", (0, 5), float32).shape == (0, 5)


def test_buffers_of_other_names_and_dtypes_are_others():
    one = blocks.scratch("one", (8,), np.dtype(np.float32))
    assert not np.shares_memory(one, blocks.scratch("two", (8,), np.dtype(np.float32)))
    assert not np.shares_memory(one, blocks.scratch("one", (8,), np.dtype(np.float64)))


def test_threads_have_buffers_of_their_own():
    all_there, buffers = threading.Barrier(4), []

    def work(_):
        buffers.append(blocks.scratch("test", (100,), np.dtype(np.float32)))
        all_there.wait(SECONDS)

    with blocks.use_threads(4):
        blocks.run(work, range(4))
    for i, buffer in enumerate(buffers):
        assert not any(np.shares_memory(buffer, other) for other in buffers[:i])
