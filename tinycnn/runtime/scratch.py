"""Memory that a thread works in, kept from call to call."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinycnn.runtime import memory

_own = threading.local()


def scratch(name: str, shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Give this thread's uninitialised buffer ``name``, kept from call to call and grown as needed.

    It is the caller's until the same thread asks for the same name again.
    """
    buffers: dict[tuple[str, np.dtype[Any]], NDArray[Any]] = _own.__dict__.setdefault("buffers", {})
    size = math.prod(shape)
    buffer = buffers.get((name, dtype))
    if buffer is None or buffer.size < size:
        buffer = buffers[name, dtype] = memory.aligned((size,), dtype)
    return buffer[:size].reshape(tuple(shape))
