"""What the lanes of a vector come to together, in LLVM's language, for `simd`.

Half of the lanes meet the other half, again and again: lane i is joined with lane i + LANES / 2, what comes
of them with what stands LANES / 4 further, and so on.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from tinycnn.kernels.simd_code import emit_at_least

_ir: Any = import_module("llvmlite.ir")
_INT32 = _ir.IntType(32)


def emit_sum_of(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.sum_of` compiles to."""
    return _reduced(builder, values[0], builder.fadd)


def emit_largest_of(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.largest_of` compiles to."""
    return _reduced(builder, values[0], lambda x, y: emit_at_least(context, builder, kinds, (x, y)))


def _reduced(builder: Any, x: Any, join: Callable[[Any, Any], Any]) -> Any:
    count = x.type.count
    while count > 1:
        count //= 2
        numbers = _ir.VectorType(_INT32, count)
        lower, upper = (
            builder.shuffle_vector(x, x, _ir.Constant(numbers, list(range(first, first + count))))
            for first in (0, count)
        )
        x = join(lower, upper)
    return builder.extract_element(x, _INT32(0))
