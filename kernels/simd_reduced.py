"""What the lanes of a vector come to together, in LLVM's language, for `simd`.

Half of the lanes meet the other half, again and again: lane i is joined with lane i + LANES / 2, what comes
of them with what stands LANES / 4 further, and so on.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from tinycnn.kernels.simd_code import emit_at_least
from tinycnn.kernels.simd_permuted import shuffled

_ir: Any = import_module("llvmlite.ir")
_INT32 = _ir.IntType(32)


def emit_sum_of(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.sum_of` compiles to."""
    return _reduced(builder, values[0], builder.fadd)


def emit_largest_of(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.largest_of` compiles to."""
    return _reduced(builder, values[0], lambda x, y: emit_at_least(context, builder, kinds, (x, y)))


def emit_sums_of(builder: Any, vectors: list[Any]) -> list[Any]:
    """The sums of all lanes of each of the ``vectors``, side by side in their order, in as few as hold them.

    Their number is a power of two. Two vectors become one wherever their lanes are halved, so that to sum up
    many takes one addition each. Lanes meet as in `emit_sum_of`.
    """
    width = vectors[0].type.count  # lanes that belong to one sum
    while width > 1:
        half, alone = width // 2, len(vectors) == 1
        pairs = [vectors * 2] if alone else zip(vectors[0::2], vectors[1::2], strict=True)
        sums = range(0, vectors[0].type.count * (1 if alone else 2), width)
        lower, upper = (
            [first + by + lane for first in sums for lane in range(half)] for by in (0, half)
        )
        vectors = [
            builder.fadd(*(shuffled(builder, x, y, lanes) for lanes in (lower, upper)))
            for x, y in pairs
        ]
        width = half
    return vectors


def _reduced(builder: Any, x: Any, join: Callable[[Any, Any], Any]) -> Any:
    count = x.type.count
    while count > 1:
        count //= 2
        lower, upper = (
            shuffled(builder, x, x, list(range(first, first + count))) for first in (0, count)
        )
        x = join(lower, upper)
    return builder.extract_element(x, _INT32(0))
