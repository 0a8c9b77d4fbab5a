"""Recorded work on arrays that come with each run: images with borders, against numpy.pad."""

from functools import partial
from threading import Thread

import numpy as np
import pytest

from tinycnn.arrays import read_only
from tinycnn.errors import TooLargeError
from tinycnn.kernels.border import copy_with_border
from tinycnn.runtime.recorded_work import RecordedWork

N, H, W, C = 5, 4, 3, 2
ONE = H * W * C


def padded(threads):
    """Images with a border of a cell: each through memory of all threads, then of its own."""

    def phases(recorder, x, y):
        between = recorder.shared("between", N * ONE)

        def gather(calls):
            calls(copy_with_border, calls.read(x), (H, W, C), 0, N, (0, 0), (H, W), C, between)

        def surround(calls, n, target):
            own = calls.scratch("own", ONE)
            calls(
                copy_with_border, calls.read(between), (H, W, C), n, n + 1, (0, 0), (H, W), C, own
            )
            calls(
                copy_with_border,
                calls.read(own),
                (H, W, C),
                0,
                1,
                (1, 1),
                (H + 2, W + 2),
                C,
                target,
            )

        yield [gather]
        yield [partial(surround, n=n, target=target) for n, target in enumerate(y)]

    return RecordedWork(1 + N, threads, lambda recorder, x, *y: phases(recorder, x, y))


def check(work, seed, runs):
    """What one caller does: images of its own, results of its own, run after run."""
    rng = np.random.default_rng(seed)
    for _ in range(runs):
        x = rng.standard_normal((N, H, W, C), dtype=np.float32)
        y = np.full((N, H + 2, W + 2, C), 77, np.float32)
        work.run(read_only(x), *y)
        np.testing.assert_array_equal(y, np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))))


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_whoever_carries_it_out(threads):
    check(padded(threads), 0, 20)


def test_callers_at_the_same_time_have_memory_of_their_own():
    work, passed = padded(2), []

    def call(seed):
        check(work, seed, 100)
        passed.append(seed)

    callers = [Thread(target=call, args=(seed,), daemon=True) for seed in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert sorted(passed) == [0, 1, 2]


def test_no_memory_is_kept_between_runs():
    work = padded(2)
    check(work, 0, 3)
    (table,) = work._free
    held = [value for value in vars(table).values() if isinstance(value, np.ndarray)]
    assert not any(array.dtype == np.float32 for array in held)


def test_more_than_any_memory_is_refused_before_it_is_written_down():
    def phases(recorder, x, y):
        recorder.shared("all", 2**62)
        yield []

    with pytest.raises(TooLargeError, match=r"takes .* GB, more than there is"):
        RecordedWork(2, 1, phases)
