"""Where a pass begins to hold NaN or infinity."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinycnn.arrays import Array
from tinycnn.trace import Trace
from tinycnn.wording import many


def origin(trace: Trace) -> str | None:
    """Which array of a pass, in the order of the work, is the first with a number that is not finite."""
    for name, array, cause in _arrays(trace):
        if not _finite(array):
            return f"{name} holds {_what(array)}{cause}"
    return None


def _arrays(trace: Trace) -> Iterator[tuple[str, Array, str]]:
    """Name, numbers, and why those overflow that are made of finite ones."""
    yield "the input", trace.x, ""
    for record in trace.records:
        for name, array in record.params.items():
            yield f"{record.name}.{name}", array, ""
        limit = f"{np.finfo(record.y.dtype).max:.1e}"
        overflow = f"; what it is made of is finite, so {record.y.dtype} overflows, above {limit}"
        yield f"{record.name}'s output", record.y, overflow
    for record in reversed(trace.records):
        for name, array in (record.grads or {}).items():
            yield f"dL/d {record.name}.{name}", array, ", though all activations are finite"
        if record.dx is not None:
            yield f"dL/dx of {record.name}", record.dx, ", though all activations are finite"


def _finite(array: Array) -> bool:
    """Without an array of bools: 38 million weights are looked through."""
    return array.size == 0 or bool(np.isfinite(array.min()) and np.isfinite(array.max()))


def _what(array: Array) -> str:
    """What is not finite, how much of it, and where the first stands."""
    bad = ~np.isfinite(array)
    count = int(np.count_nonzero(bad))
    kinds = [("NaN", np.isnan(array).any()), ("infinity", np.isinf(array).any())]
    what = " and ".join(kind for kind, there in kinds if there)
    first = np.unravel_index(int(bad.argmax()), array.shape)
    where = f", the first at [{','.join(str(int(i)) for i in first)}]" if array.ndim else ""
    return f"{what}: {count:,} of its {many(array.size, 'number')}{where}"
