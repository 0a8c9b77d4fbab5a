"""Ctrl-C at any moment: what runs ends, and the process stays usable."""

import threading
from copy import deepcopy
from functools import partial

import numpy as np
import pytest
from fresh_process import in_python
from interrupts import at_each_point
from numpy_blas import blas_threads
from threadpoolctl import threadpool_limits

import tinycnn as tc
from tinycnn.layers import Conv2D, Dense, Dropout, MaxPool2D, Softmax
from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.threads import busy, use_threads

SECONDS = 10  # a guard against hanging, never reached


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
    with use_threads(threads), threadpool_limits(2, user_api="blas"):
        try:
            parallel_for(work, items, uses_blas=True)
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
    return frame.f_code is parallel._Job.share.__code__

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
    assert not busy().locked()
    run_everywhere()
"""


@pytest.mark.parametrize("threads", [1, 3])
def test_an_interrupt_in_a_block_of_the_calling_thread(threads):
    # Each thread has begun its block and no other; those that ran were seen to their end.
    words = in_python(INTERRUPTED + IN_A_BLOCK, THREADS=str(threads))
    assert words == ["interrupted", str(threads), str(threads - 1)]


@pytest.mark.process
def test_an_interrupt_while_the_calling_thread_waits():
    words = in_python(INTERRUPTED + WHILE_WAITING, THREADS="2")
    assert words == ["interrupted", "2", "2"]


@pytest.mark.process
def test_an_impatient_user():
    words = in_python(INTERRUPTED + IMPATIENT, THREADS="2")
    assert words in ([], ["interrupted", "2", "1"])


def as_before(limits):
    """What must hold after an interrupt, wherever it came."""
    assert not busy().locked()
    assert blas_threads() == limits
    both, seen = threading.Barrier(2, timeout=SECONDS), set()

    def work(item):
        assert blas_threads() == {1}
        both.wait()  # passed only by two threads at a time
        seen.add(threading.get_ident())

    parallel_for(work, range(2), uses_blas=True)
    assert len(seen) == 2
    assert blas_threads() == limits


def chain(item):
    for _ in range(3):
        yield


@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.slow), 2])
@pytest.mark.parametrize("work", [np.zeros, chain])
@pytest.mark.parametrize("uses_blas", [True, False])
def test_an_interrupt_at_any_point_leaves_all_as_it_was(threads, work, uses_blas):
    def call():
        with use_threads(threads):
            parallel_for(work, range(4), uses_blas=uses_blas)

    with threadpool_limits(2, user_api="blas"), use_threads(2):
        as_before({2})
        assert at_each_point(call, lambda: as_before({2})) > 30


def test_no_helper_is_left_at_work_by_an_interrupt():
    inside, caller = [], threading.get_ident()

    def work(item):
        if threading.get_ident() == caller:
            return
        inside.append(item)
        try:
            yield from chain(item)
        finally:
            inside.remove(item)

    def nobody_works():
        assert not inside

    with use_threads(3):
        assert at_each_point(lambda: parallel_for(work, range(20)), nobody_works) > 50


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


def every(work, step):
    return pytest.param(work, step, marks=pytest.mark.slow, id=f"{work}, every {step}")


# The points of a backward pass layer by layer are some thousands: of those, every so many.
@pytest.mark.parametrize(
    ("work", "step"),
    [
        ("predict", 2), ("trace", 15), ("backward", 15), ("layer by layer", 40), ("step", 2),
        every("predict", 1), every("trace", 7), every("backward", 7), every("layer by layer", 20),
        every("step", 1),
    ],
)  # fmt: skip
def test_an_interrupt_at_any_point_of_a_model(work, step):
    layers = [Conv2D(8, 3, padding=1, activation="relu"), MaxPool2D(2), Dropout(0.5), Dense(5)]
    model = tc.Sequential([*layers, Softmax()], (12, 12, 3))
    x = np.random.default_rng(0).standard_normal((4, *model.input_shape), np.float32)
    labels = np.arange(4) % model.shapes[-1][0]
    gradients = model.trace(x).backward(labels=labels)
    optimizer = tc.optimizers.SGD(model, rate=1e-6)
    errors = np.geterr()
    plain = partial(model.trace, x, algorithm="im2col")
    works = {
        "predict": lambda: model.predict(x),
        "trace": lambda: model.trace(x),
        "backward": lambda: model.trace(x, training=True, rng=0).backward(labels=labels),
        "layer by layer": lambda: plain(training=True, rng=0).backward(labels=labels),
        "step": lambda: optimizer.step(gradients),
    }

    def after():
        assert not busy().locked()
        assert blas_threads() == {2}
        assert np.geterr() == errors
        assert not model.is_being_edited
        anew = deepcopy(model)  # holds nothing that was worked out before
        np.testing.assert_array_equal(model.predict(x), anew.predict(x))

    with threadpool_limits(2, user_api="blas"), use_threads(2):
        works[work]()
        assert at_each_point(works[work], after, step=step) > 30


@pytest.mark.process
def test_an_interrupt_while_numba_is_imported():
    """Half of it would stay in the process, and never start again."""
    code = """
import numpy as np, tinycnn as tc

def press():
    while "numba" not in sys.modules:
        pass
    os.kill(os.getpid(), signal.SIGINT)

model = tc.Sequential([tc.layers.Conv2D(4, 3), tc.layers.Dense(2)], (8, 8, 3))
assert "numba" not in sys.modules
threading.Thread(target=press).start()
try:
    while True:
        model.predict(np.ones((2, 8, 8, 3)))
except KeyboardInterrupt:
    print("interrupted", model.predict(np.ones((2, 8, 8, 3))).shape)
"""
    assert in_python(code) == ["interrupted", "(2,", "2)"]


# ------------------------------------------------------------------- signals at random moments

STORM = """
import random
import numpy as np, tinycnn as tc
from tinycnn.runtime.balance import Balance
from tinycnn.bench.worker import Worker
from tinycnn.layers import Conv2D, Dense, Dropout, MaxPool2D

signal.signal(signal.SIGALRM, signal.default_int_handler)
Balance.pays = True  # helpers are called each time

def network():
    layers = [
        Conv2D(8, 3, padding="same", activation="relu"),
        Conv2D(16, 3, padding="same", activation="relu", algorithm="winograd"),
        MaxPool2D(2), Dropout(0.5), Dense(32, activation="relu"), Dense(10, activation="softmax"),
    ]
    return tc.Sequential(layers, (16, 16, 3))

model, x = network(), np.random.default_rng(0).standard_normal((16, 16, 16, 3), np.float32)
labels = np.arange(16) % 10
gradients = model.trace(x).backward(labels=labels)
optimizer = tc.optimizers.SGD(model, rate=1e-6)

def everything():
    trace = model.trace(x, training=True, rng=0)
    found = trace.backward(labels=labels)
    return [model.predict(x), trace.y, found.flat.copy()]

worker = Worker("tinycnn", 2, None)
worker.load("backward", "conv 8 8 3 4 3 1 1", 2)

works = {
    "predict": lambda: model.predict(x),
    "trace": lambda: model.trace(x),
    "backward": lambda: model.trace(x, training=True, rng=0).backward(labels=labels),
    "step": lambda: optimizer.step(gradients),
    "bench": lambda: worker.time(0.0),
}
work, wanted, beside = works[sys.argv[1]], int(sys.argv[2]), len(sys.argv) > 3
others = network()
expected, stop, wrong = others.predict(x), threading.Event(), []

def predict_meanwhile():
    while not stop.is_set():
        if not np.array_equal(others.predict(x), expected):
            wrong.append(1)

with threadpool_limits(2, user_api="blas"), use_threads(2):
    work()
    before = everything()
    other = threading.Thread(target=predict_meanwhile)
    if beside:
        other.start()
    moments, interrupted = random.Random(0), 0
    while interrupted < wanted:
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, moments.uniform(1e-5, 3e-3))
                while True:
                    work()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            interrupted += 1
        assert not busy().locked()
        assert beside or blas_threads() == {2}, "the limit on BLAS is left"
    stop.set()
    if beside:
        other.join()
    assert not wrong
    assert blas_threads() == {2}
    if sys.argv[1] != "step":  # which moves the weights
        for now, then in zip(everything(), before):
            np.testing.assert_array_equal(now, then)
    copied = network()  # packs its weights anew
    with copied.edit() as weights:
        weights.flat[...] = model.parameters().flat
    np.testing.assert_array_equal(model.predict(x), copied.predict(x))
run_everywhere()
"""


@pytest.mark.slow
@pytest.mark.parametrize("work", ["predict", "trace", "backward", "step", "bench"])
def test_two_thousand_signals_at_random_moments(work):
    assert in_python(STORM, work, 2000) == []


@pytest.mark.slow
@pytest.mark.parametrize("work", ["predict", "trace", "backward", "step", "bench"])
def test_signals_while_another_thread_predicts(work):
    assert in_python(STORM, work, 50, "beside") == []
