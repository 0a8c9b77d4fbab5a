"""Vectors for Numba kernels: `LANES` numbers of float32, or half as many of float64, in one register.

A loop over scalars leaves it to the compiler which numbers share a register and which of them stay
there. These functions say it: each is one instruction or two, on 16 lanes with AVX-512, 8 with AVX2,
4 elsewhere. A vector is a local variable: it is loaded from a one-dimensional array of either dtype at an
index, and stored to one. ``+ - * /`` work on vectors and round as their dtype does; nothing is
reassociated, so a kernel gives the same bits for every number of lanes. docs/simd.md has examples.

Indices are counted in numbers from the array's first; negative ones are errors, not wrapped.
``NUMBA_BOUNDSCHECK=1`` checks both ends of each load and store. Under ``NUMBA_DISABLE_JIT=1`` a
vector is a NumPy array, and the functions are what is written below.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinycnn.kernels.jit import LANES as LANES
from tinycnn.kernels.jit import numba
from tinycnn.kernels.simd_code import (
    ANY_VECTOR,
    READ,
    READ_UINT8,
    VECTOR,
    WIDE_VECTOR,
    WRITTEN,
    WRITTEN_UINT8,
    emit_at_least,
    emit_broadcast,
    emit_fma,
    emit_from_lane,
    emit_keep_rolled,
    emit_lanes_of,
    emit_load,
    emit_maximum,
    emit_pause,
    emit_prefetch,
    emit_select_first,
    emit_splat,
    emit_store,
    emit_store_uint8,
    emit_stream,
    emit_stream_end,
    emit_where_equal,
    extending,
    types,
    vector_operation,
)
from tinycnn.kernels.simd_exp import emit_exp
from tinycnn.kernels.simd_first import emit_load_first, emit_store_first
from tinycnn.kernels.simd_reduced import emit_largest_of, emit_sum_of
from tinycnn.kernels.simd_wide import emit_load_wide


@vector_operation(emit_lanes_of, types.intp, READ)
def lanes_of(array: Any) -> int:
    """Numbers in a vector of what ``array`` holds: LANES of float32, half as many of float64."""
    return int(LANES * 4 // array.itemsize)


@vector_operation(emit_load, ANY_VECTOR, READ, types.intp)
def load(array: Any, index: int) -> Any:
    """The vector of numbers from ``array[index]`` on."""
    assert 0 <= index <= array.size - lanes_of(array)
    return array[index : index + lanes_of(array)].copy()


@vector_operation(emit_store, types.void, WRITTEN, types.intp, ANY_VECTOR)
def store(array: Any, index: int, x: Any) -> None:
    """Write ``x`` to the numbers from ``array[index]`` on."""
    assert 0 <= index <= array.size - lanes_of(array)
    array[index : index + lanes_of(array)] = x


@vector_operation(emit_load_first, ANY_VECTOR, READ, types.intp, types.intp)
def load_first(array: Any, index: int, count: int) -> Any:
    """The ``count`` numbers from ``array[index]`` on in the first lanes, 0 in the others."""
    assert 0 <= index <= array.size - count and 0 <= count <= lanes_of(array)
    vector = np.zeros(lanes_of(array), array.dtype)
    vector[:count] = array[index : index + count]
    return vector


@vector_operation(emit_store_first, types.void, WRITTEN, types.intp, types.intp, ANY_VECTOR)
def store_first(array: Any, index: int, count: int, x: Any) -> None:
    """Write the first ``count`` lanes of ``x`` to the numbers from ``array[index]`` on."""
    assert 0 <= index <= array.size - count and 0 <= count <= lanes_of(array)
    array[index : index + count] = x[:count]


@vector_operation(emit_load_wide, WIDE_VECTOR, READ, types.intp)
def load_wide(array: Any, index: int) -> Any:
    """The LANES // 2 numbers from ``array[index]`` on, in float64 whatever they are."""
    assert 0 <= index <= array.size - LANES // 2
    return array[index : index + LANES // 2].astype(np.float64)


@vector_operation(emit_stream, types.void, WRITTEN, types.intp, ANY_VECTOR)
def stream(array: Any, index: int, x: Any) -> None:
    """Write ``x`` past the caches to ``array[index]`` and on: 4*LANES bytes that begin at such a multiple.

    For what is not read again before the caches have been overwritten: a line that is stored is
    first read, one that is streamed is not. The processor faults where the address is not
    aligned.
    """
    assert 0 <= index <= array.size - lanes_of(array)
    assert array[index:].ctypes.data % (4 * LANES) == 0
    array[index : index + lanes_of(array)] = x


@vector_operation(emit_stream_end, types.void)
def stream_end() -> None:
    """Let no later write be seen before what was streamed: to be called before others are told."""


@vector_operation(emit_store_uint8, types.void, WRITTEN_UINT8, types.intp, VECTOR)
def store_uint8(array: Any, index: int, x: Any) -> None:
    """Write ``x``, whole numbers from 0 to 255, to the LANES bytes from ``array[index]`` on."""
    assert 0 <= index <= array.size - LANES
    array[index : index + LANES] = x


@vector_operation(emit_splat, VECTOR, types.float32)
def splat(number: float) -> Any:
    """``number``, rounded to float32, in every lane."""
    return np.full(LANES, number, np.float32)


@vector_operation(emit_broadcast, ANY_VECTOR, READ, types.intp)
def broadcast(array: Any, index: int) -> Any:
    """``array[index]`` in every lane."""
    assert 0 <= index < array.size
    return np.full(lanes_of(array), array[index], array.dtype)


@vector_operation(emit_fma, ANY_VECTOR, ANY_VECTOR, ANY_VECTOR, ANY_VECTOR)
def fma(x: Any, y: Any, z: Any) -> Any:
    """x*y + z, rounded once; twice on a processor that has no fused multiply-add."""
    return (np.multiply(x, y, dtype=np.float64) + z).astype(x.dtype)


@vector_operation(emit_exp, VECTOR, VECTOR)
def exp(x: Any) -> Any:
    """The exponential, within two units of float32's last place; NaN stays."""
    return np.exp(x.astype(np.float64)).astype(np.float32)


@vector_operation(emit_maximum, ANY_VECTOR, ANY_VECTOR, ANY_VECTOR)
def maximum(x: Any, y: Any) -> Any:
    """The larger of each pair; NaN where one of the two is."""
    return np.maximum(x, y)


@vector_operation(emit_sum_of, types.float32, VECTOR)
def sum_of(x: Any) -> Any:
    """The sum of all lanes: of lane i and lane i + LANES / 2 first, and so on by halves."""
    while len(x) > 1:
        x = x[: len(x) // 2] + x[len(x) // 2 :]
    return x[0]


@vector_operation(emit_largest_of, types.float32, VECTOR)
def largest_of(x: Any) -> Any:
    """The largest of all lanes, none of which is NaN."""
    return x.max()


@vector_operation(emit_at_least, ANY_VECTOR, ANY_VECTOR, ANY_VECTOR)
def at_least(x: Any, least: Any) -> Any:
    """``x`` where it is above ``least`` or NaN, ``least`` elsewhere.

    One instruction where `maximum` needs three, for a bound that is never NaN: at_least(x, zero) is
    the rectifier.
    """
    return np.where(least > x, least, x)


@vector_operation(emit_select_first, VECTOR, VECTOR, VECTOR, VECTOR, VECTOR)
def select_first(x: Any, y: Any, a: Any, b: Any) -> Any:
    """``a`` where ``x`` is the first maximum of ``x`` and ``y``, ``b`` where ``y`` is.

    Of equal numbers the first is taken; NaN counts as larger than every number, the first NaN as larger
    than another.
    """
    return np.where((y <= x) | np.isnan(x), a, b)


@vector_operation(emit_from_lane, ANY_VECTOR, ANY_VECTOR, types.intp, ANY_VECTOR)
def from_lane(x: Any, lane: int, y: Any) -> Any:
    """``y`` in lane number ``lane`` and those after it, ``x`` in those before."""
    return np.where(np.arange(len(x)) >= lane, y, x)


@vector_operation(emit_where_equal, VECTOR, READ_UINT8, types.intp, types.intp, VECTOR)
def where_equal(array: Any, index: int, number: int, x: Any) -> Any:
    """``x`` where the byte of uint8 from ``array[index]`` on is ``number``, 0 elsewhere."""
    assert 0 <= index <= array.size - LANES
    return np.where(array[index : index + LANES] == number, x, np.float32(0))


@vector_operation(emit_prefetch, types.void, READ, types.intp)
def prefetch(array: Any, index: int) -> None:
    """Ask for the cache line of ``array[index]`` to be brought into L2; it may lie outside."""


@vector_operation(emit_pause, types.void)
def pause() -> None:
    """Wait for some ten nanoseconds, in a loop that watches for what another thread writes."""


@vector_operation(emit_keep_rolled, types.void)
def keep_rolled() -> None:
    """Keep the innermost loop around this call as it is written.

    LLVM unrolls a short loop; where its vectors filled the registers, they are then moved to memory
    and back: at half the speed.
    """


def read_only(array: Any) -> Any:
    """The same array as one that cannot be written to, so that a callee is compiled once for both."""
    view = array.view()
    view.flags.writeable = False
    return view


if not numba.config.DISABLE_JIT:

    @extending.intrinsic  # type: ignore[untyped-decorator]
    def read_only(context: Any, array: Any) -> Any:
        """See above."""

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            context.nrt.incref(builder, signature.args[0], values[0])  # a second reference
            return values[0]

        return array.copy(readonly=True)(array), generate


def _define(operation: Any, instruction: str) -> None:
    """Let ``operation`` work on two vectors by one of LLVM's instructions."""

    @extending.type_callable(operation)  # type: ignore[untyped-decorator]
    def type_of(context: Any) -> Any:
        def typed(x: Any, y: Any) -> Any:
            return x if x is y and x in (VECTOR, WIDE_VECTOR) else None

        return typed

    @extending.lower_builtin(operation, VECTOR, VECTOR)  # type: ignore[untyped-decorator]
    @extending.lower_builtin(operation, WIDE_VECTOR, WIDE_VECTOR)  # type: ignore[untyped-decorator]
    def lower(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return getattr(builder, instruction)(*values)


for _operations, _instruction in (
    ((operator.add, operator.iadd), "fadd"),
    ((operator.sub, operator.isub), "fsub"),
    ((operator.mul, operator.imul), "fmul"),
    ((operator.truediv, operator.itruediv), "fdiv"),
):
    for _operation in _operations:
        _define(_operation, _instruction)
