"""What the tests of every op ask of it."""

from contextlib import contextmanager

import numpy as np

from tinycnn.runtime import parallel
from tinycnn.runtime.program import Program
from tinycnn.runtime.threads import use_threads
from tinycnn.testing.layouts import LAYOUTS, laid_out


def results(returned):
    """The arrays that an op returned, None and numbers left out."""
    values = returned if isinstance(returned, tuple) else (returned,)
    return [value for value in values if isinstance(value, np.ndarray)]


def assert_same_bits(returned, expected):
    ours, theirs = results(returned), results(expected)
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.dtype, mine.shape) == (other.dtype, other.shape)
        assert mine.tobytes() == other.tobytes()


@contextmanager
def untouched(*arrays):
    """The arrays hold the same bytes after the block as before."""
    before = [array.tobytes() for array in arrays]
    yield
    assert [array.tobytes() for array in arrays] == before


def call_is_polite(op, *arrays):
    """An op gives the same bits however its arrays lie in memory, and leaves them alone.

    What it returns is C-contiguous, may be written to, and shares memory with no argument.
    """
    expected = op(*arrays)
    for layout in LAYOUTS:
        given = [laid_out(array, layout) for array in arrays]
        with untouched(*given):
            returned = op(*given)
            assert_same_bits(returned, expected)
            for result in results(returned):
                assert result.flags.c_contiguous
                assert not any(np.shares_memory(result, array) for array in given)
                result[...] = 0  # may be written to, and no argument changes with it


def call_converts_once(op, *arrays):
    """Whole numbers of any real type give what their float32 gives; float64 stays float64."""
    for dtype in (np.int8, np.int64, np.uint16, np.bool_, np.float16):
        given = [np.abs(array).astype(dtype) for array in arrays]
        assert_same_bits(op(*given), op(*(array.astype(np.float32) for array in given)))
    for dtype in (np.float32, np.float64):
        for result in results(op(*(array.astype(dtype) for array in arrays))):
            assert result.dtype == dtype
    if np.dtype(np.longdouble) != np.float64:
        wide = op(*(array.astype(np.longdouble) for array in arrays))
        assert_same_bits(wide, op(*(array.astype(np.float64) for array in arrays)))


def call_is_repeatable(monkeypatch, call, least_blocks=4):
    """The same bits for 1 to 8 threads and from run to run, of work in so many blocks or, if small, one."""
    counts = []

    class Counted(parallel._Job):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            counts.append(len(self.items))

    def carry_out(program, *arrays):
        counts.extend(count for count in np.diff(program.tables[3]) if count > 1)
        uncounted(program, *arrays)

    uncounted = Program.carry_out
    with monkeypatch.context() as patch:
        patch.setattr(parallel, "_Job", Counted)
        patch.setattr(Program, "carry_out", carry_out)
        with use_threads(1):
            expected = call()
    # What is one block is no job.
    assert max(counts, default=1) >= least_blocks
    assert all(count >= least_blocks for count in counts)
    for threads in range(1, 9):
        with use_threads(threads):
            assert_same_bits(call(), expected)


def slopes(function, x, dy, step=1e-5):
    """The gradient of <function(x), dy> by central differences, a cell at a time, in float64."""
    gradient = np.empty(x.shape)
    for cell in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[cell] += step
        below[cell] -= step
        gradient[cell] = np.vdot(function(above) - function(below), dy) / (2 * step)
    return gradient
