"""Arrays on memory that is used again.

A system hands out large memory page by page and zeroes each page when it is first touched. For the
37 MB of AlexNet's first feature maps, 32 images, that takes 8 ms, four times as long as the gradient
of max-pooling that is written there. So the memory of large arrays that nobody holds any more
serves the next ones.
"""

from __future__ import annotations

import itertools
import math
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from ctypes import addressof, c_char
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import TooLargeError

# Bytes of an array that is worth it. Of smaller ones the C library's allocator keeps the memory by itself;
# but what is freed at the end of its heap, a megabyte or more, goes back to the system: each step of LeNet-5
# with 32 images, whose largest maps are 602 kB, met 409 new pages, a quarter of its time.
LEAST = 9 << 16
# Bytes of an array that is in the first cache as a whole, where it matters little how it lies.
_SMALL = 1 << 15
# Memory serves arrays down to this part of its size.
_LEAST_FILLED = 0.5
# Spare memory that was not wanted for so many arrays goes back to the system. A training step of
# AlexNet makes some forty.
_PATIENCE = 64
_ALIGNMENT = 64  # bytes: a cache line, and the widest vector


# Spare memory. Any thread may give back at any moment, also one that is just taking (the garbage collector
# runs where it likes). So there is no lock: each step on the deque is whole by itself.
_spare: deque[_Lent] = deque()
_clock = itertools.count()  # of takings


def empty(shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    """Make an array of this process's own, uninitialised, that begins at a cache line.

    When the last of its views is gone, the memory becomes spare, for arrays that are made later.
    Raises TooLargeError, as all here do, where there is not so much.
    """
    size = math.prod(shape) * dtype.itemsize
    if size < LEAST:
        return _aligned(size, shape, dtype)
    return _made(lambda: np.asarray(_Lease(_take(size), tuple(shape), dtype)), shape, dtype)


def output(shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    """Make an array for what an op gives: as `empty` does, but a small one as NumPy has it.

    To find where a cache line begins takes a microsecond, as long as the work on a small array.
    """
    try:
        size = math.prod(shape) * dtype.itemsize
        return np.empty(shape, dtype) if size <= _SMALL else empty(shape, dtype)
    except ValueError:
        raise too_large(shape, dtype) from None


def zeros(shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    """Make an array of zeros, whose memory the system gives when it is written to."""
    return _made(lambda: np.zeros(shape, dtype), shape, dtype)


def aligned(shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    """Make an array as `empty` does, on memory that is used this once.

    A vector that crosses two cache lines costs twice, and cannot be streamed.
    """
    return _aligned(math.prod(shape) * dtype.itemsize, shape, dtype)


def _aligned(size: int, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    try:
        memory: Any = np.empty(size + _ALIGNMENT, np.uint8)
        # Asked through the buffer: a fifth of the time that NumPy takes to say it.
        first = -addressof(c_char.from_buffer(memory)) % _ALIGNMENT
        return np.ndarray(shape, dtype, memory, first)
    except (MemoryError, OverflowError, ValueError):
        raise too_large(shape, dtype) from None


def _made(make: Callable[[], Array], shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    """What ``make`` gives; NumPy says in three ways that an array is too large."""
    try:
        return make()
    except (MemoryError, OverflowError, ValueError):
        raise too_large(shape, dtype) from None


def too_large(shape: Sequence[int], dtype: np.dtype[Any]) -> TooLargeError:
    """What is raised where there is no memory for such an array."""
    return TooLargeError(
        f"an array of shape {tuple(shape)} takes {math.prod(shape) * dtype.itemsize // 10**9:,} GB, "
        f"more than there is; use less padding, smaller sizes, or fewer images at once"
    )


def release() -> None:
    """Let go of all spare memory: what no array uses goes back to the system."""
    _spare.clear()


class _Lease:
    """What an array and its views hold; when it goes, its memory is given back."""

    def __init__(self, memory: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        # Given back by compiled code alone: an interrupt in a `__del__` would be lost.
        self._lent = _Lent(self, _spare.append)
        self._lent.memory, self._lent.since = memory, None
        self._lent.room = memory.nbytes - _ALIGNMENT
        address = addressof(c_char.from_buffer(memory))
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": dtype.str,
            "data": (address + -address % _ALIGNMENT, False),
        }


class _Lent(weakref.ref[_Lease]):
    """Memory that is lent until the lease goes, and spare from then on."""

    __slots__ = ("memory", "room", "since")
    memory: Array
    room: int  # bytes of an array that it holds
    since: int | None  # the taking that first found it spare

    def age(self, now: int) -> int:
        """Takings since then."""
        if self.since is None:
            self.since = now
        return now - self.since


def _take(size: int) -> Array:
    """Give memory for ``size`` bytes, spare or new, and let go of what was spare for too long."""
    # A thread that comes meanwhile finds less, and takes new memory.
    spare, now = [], next(_clock)
    with suppress(IndexError):
        while True:
            spare.append(_spare.popleft())
    spare = [lent for lent in spare if lent.age(now) <= _PATIENCE]
    rooms = [lent.room for lent in spare]
    best = min([room for room in rooms if _LEAST_FILLED * room <= size <= room], default=0)
    if best:
        memory = spare.pop(rooms.index(best)).memory
        _spare.extend(spare)
        return memory
    _spare.extend(_without(spare, size))
    del spare  # so that what is let go goes before new memory comes
    return np.empty(size + _ALIGNMENT, np.uint8)


def _without(spare: list[_Lent], size: int) -> list[_Lent]:
    """Leave out smaller pieces of ``size`` bytes in all: so the sum does not grow with each new size."""
    kept = []
    for lent in sorted(spare, key=lambda lent: -lent.memory.nbytes):
        if size > 0 and lent.memory.nbytes <= size:
            size -= lent.memory.nbytes
        else:
            kept.append(lent)
    return kept
