"""A kernel called on ranges of its rows by all threads, which take them in compiled code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinycnn.runtime.parallel import parallel_for
from tinycnn.runtime.ranges import Range, split_range
from tinycnn.runtime.threads import free_threads

if TYPE_CHECKING:
    from tinycnn.runtime.calls import Calls, Phase
    from tinycnn.runtime.recorded_work import RecordedWork

_FLOAT32 = np.dtype(np.float32)
# Dtypes of arrays of recorded calls.
_RECORDED = {_FLOAT32, np.dtype(np.float64), np.dtype(np.uint8)}
# By kernel, sizes and threads: what was recorded. Of so many.
_works: dict[Any, RecordedWork] = {}
_KEPT = 512
# Ranges that one thread has done before a helper would have gained anything.
_ALONE = 4
# Ranges that are enough for any number of cores.
_MOST = 128


def cut(total: int, size: int, least: int = 1) -> list[Range]:
    """Cut range(``total``) into ranges of about ``size``, some five microseconds of work each.

    Where there would be few, it is one: a thread has done them before another had come. None is below
    ``least``.
    """
    if total <= max(_ALONE * size, 1):
        return [(0, total)] if total else []
    return split_range(total, max(size, total // _MOST), least=least)


class ByRanges(NamedTuple):
    """Calls ``kernel(*before, first, last, *after)`` on ranges of range(``total``), of about ``size``.

    Arguments are C-contiguous arrays, whole numbers and tuples of these. The first is read, and tells the
    dtype; the last is written to.
    """

    kernel: Callable[..., Any]
    total: int
    size: int
    before: tuple[Any, ...]
    after: tuple[Any, ...]

    def phase(self) -> Phase:
        """The calls as tasks of a recorded phase, where a helper begins at once."""
        return [partial(self.call, part) for part in split_range(self.total, max(self.size, 1))]

    def call(self, part: Range, calls: Calls) -> None:
        """Make one of them through ``calls``."""
        calls(self.kernel, *self.before, *part, *self.after)


def by_ranges(
    kernel: Callable[..., Any],
    total: int,
    size: int,
    before: tuple[Any, ...],
    after: tuple[Any, ...],
    least: int = 1,
) -> None:
    """Make the calls of `ByRanges` on ranges as `cut` gives them.

    Several calls in float32 are recorded, once for their sizes, so that a helper begins within a
    microsecond: where Python hands them over, it takes twenty.
    """
    if total <= max(_ALONE * size, 1):
        if total:
            kernel(*before, 0, total, *after)
        return
    given = before + after
    arrays = [value for value in given if type(value) is np.ndarray]
    sizes = [(value.shape, value.dtype) if type(value) is np.ndarray else value for value in given]
    key = (kernel, total, size, least, free_threads(), *sizes)
    work = _works.get(key)
    if work is None:
        if arrays[0].dtype != _FLOAT32 or not _RECORDED.issuperset([a.dtype for a in arrays]):
            parallel_for(lambda part: kernel(*before, *part, *after), cut(total, size, least))
            return
        work = _record(key, before, after)
    work.run(arrays[0], arrays[-1], *arrays[1:-1])


def _record(key: tuple[Any, ...], before: tuple[Any, ...], after: tuple[Any, ...]) -> RecordedWork:
    """Write the calls down; an array is its slot, with a shape where it has several axes."""
    from tinycnn.runtime.recorded_work import RecordedWork  # with it come all kernels

    kernel, total, size, least, threads, *_ = key
    count = sum(isinstance(value, np.ndarray) for value in before + after)

    def phases(recorder: Any, first: Any, last: Any, *others: Any) -> Iterator[Any]:
        slots = iter((first, *others, last))

        def standing_in(value: Any) -> Any:
            if not isinstance(value, np.ndarray):
                return value
            return next(slots).reshape(*(value.shape if value.ndim > 1 else (-1,)))

        given = [tuple(map(standing_in, values)) for values in (before, after)]
        calls = ByRanges(kernel, total, size, *given)
        yield [partial(calls.call, part) for part in cut(total, size, least)]

    if len(_works) >= _KEPT:
        _works.clear()
    work = _works[key] = RecordedWork(count, threads, phases, from_both_ends=True)
    return work
