"""A child of `os.fork` has threads, locks and a limit of its own."""

import re
from pathlib import Path

import pytest
from fresh_process import in_python

import tinycnn

PACKAGE = Path(tinycnn.__file__).parent


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


@pytest.mark.process
def test_a_fork_while_another_thread_is_inside():
    code = """
inside, leave = threading.Event(), threading.Event()

def stay(item):
    inside.set()
    assert leave.wait(30)

with threadpool_limits(2, user_api="blas"):
    other = threading.Thread(
        target=parallel_for, args=(stay, [None]), kwargs={"uses_blas": True}
    )
    other.start()
    assert inside.wait(30)
    assert blas_threads() == {1}
    child_must_do_well()
    leave.set()
    other.join()
    assert blas_threads() == {2}
"""
    in_python(FORKED + code)


HELD = """
import numpy as np
import tinycnn as tc
from tinycnn.runtime.held import PackedWeights

parent, inside, leave = os.getpid(), threading.Event(), threading.Event()

def pause():
    if os.getpid() == parent:
        inside.set()
        assert leave.wait(30)

def in_a_child_while_another_thread_is_at_it(work):
    other = threading.Thread(target=work)
    other.start()
    assert inside.wait(30)
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        work()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    leave.set()
    other.join()
"""


@pytest.mark.process
def test_a_fork_while_another_thread_draws_parameters():
    code = """
class Slow(tc.layers.Dense):
    def initializer(self, name):
        draw = super().initializer(name)
        return lambda array, rng: (pause(), draw(array, rng))

model, x = tc.Sequential([Slow(3)], (4,)), np.ones((2, 4))
in_a_child_while_another_thread_is_at_it(lambda: model.predict(x))
"""
    in_python(HELD + code)


@pytest.mark.process
def test_a_fork_while_another_thread_packs_weights():
    code = """
weights = PackedWeights(0, {})
in_a_child_while_another_thread_is_at_it(lambda: weights.get("some", lambda parameters: pause()))
"""
    in_python(HELD + code)


@pytest.mark.process
def test_a_fork_while_another_thread_compiles():
    code = """
from tinycnn.kernels.jit import kernel

def compile_and_call():
    @kernel
    def double(x):
        return 2 * x

    pause()
    assert double(3) == 6

leave.set()
in_a_child_while_another_thread_is_at_it(compile_and_call)
"""
    in_python(HELD + code)


@pytest.mark.process
def test_a_fork_while_another_thread_imports_numba():
    code = """
import numpy as np, tinycnn as tc

model = tc.Sequential([tc.layers.Conv2D(4, 3), tc.layers.Dense(2)], (8, 8, 3))
x = np.ones((2, 8, 8, 3))
other = threading.Thread(target=model.predict, args=(x,))
assert "numba" not in sys.modules
other.start()
while "numba" not in sys.modules:
    pass
pid = os.fork()
if pid == 0:
    signal.alarm(120)
    os._exit(0 if model.predict(x).shape == (2, 2) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
other.join()
"""
    in_python(code)


def test_every_lock_of_the_engine_is_free_in_a_child():
    files = {*PACKAGE.rglob("*.py"), *(PACKAGE / "kernels").glob("*.py")}  # a symlink in a checkout
    names = {
        file.relative_to(PACKAGE).as_posix()
        for file in files
        if re.search(r"threading\.(R?Lock|Condition|Semaphore|Event)\(", file.read_text())
    }
    # A lock that nobody but a caller and the thread it waits for knows; that of plain Python kernels, which
    # frees itself; tools for tests and benchmarks, which never fork.
    assert names <= {
        "runtime/locks.py", "runtime/parallel.py", "kernels/numba_start.py", "kernels/shared_memory.py",
        "testing/threads.py", "bench/memory_peak.py",
    }  # fmt: skip
