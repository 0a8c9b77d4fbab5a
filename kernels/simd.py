"""Float32 vectors for Numba kernels: `LANES` numbers in one register of the processor.

A loop over scalars leaves it to the compiler which numbers share a register and which of them stay
there. These functions say it: each is one instruction or two, on 16 lanes with AVX-512, 8 with AVX2,
4 elsewhere. A vector is a local variable: it is loaded from a one-dimensional float32 array at an
index, and stored to one. ``+ - *`` work on vectors and round as float32 does; nothing is
reassociated, so a kernel gives the same bits for every number of lanes. docs/simd.md has examples.

Indices are counted in floats from the array's first; negative ones are errors, not wrapped.
``NUMBA_BOUNDSCHECK=1`` checks both ends of each load and store. Under ``NUMBA_DISABLE_JIT=1`` a
vector is a NumPy array of LANES float32, and the functions are what is written below.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinycnn.kernels.jit import LANES as LANES
from tinycnn.kernels.jit import numba
from tinycnn.kernels.simd_code import (
    READ,
    READ_UINT8,
    VECTOR,
    WRITTEN,
    WRITTEN_UINT8,
    emit_at_least,
    emit_broadcast,
    emit_exp,
    emit_fma,
    emit_keep_rolled,
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


@vector_operation(emit_load, VECTOR, READ, types.intp)
def load(array: Any, index: int) -> Any:
    """The LANES numbers from ``array[index]`` on."""
    assert 0 <= index <= array.size - LANES
    return array[index : index + LANES].copy()


@vector_operation(emit_store, types.void, WRITTEN, types.intp, VECTOR)
def store(array: Any, index: int, x: Any) -> None:
    """Write ``x`` to the LANES numbers from ``array[index]`` on."""
    assert 0 <= index <= array.size - LANES
    array[index : index + LANES] = x


@vector_operation(emit_stream, types.void, WRITTEN, types.intp, VECTOR)
def stream(array: Any, index: int, x: Any) -> None:
    """Write ``x`` past the caches to ``array[index]`` and on: 4*LANES bytes that begin at such a multiple.

    For what is not read again before the caches have been overwritten: a line that is stored is
    first read, one that is streamed is not. The processor faults where the address is not
    aligned.
    """
    assert 0 <= index <= array.size - LANES and array[index:].ctypes.data % (4 * LANES) == 0
    array[index : index + LANES] = x


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


@vector_operation(emit_broadcast, VECTOR, READ, types.intp)
def broadcast(array: Any, index: int) -> Any:
    """``array[index]`` in every lane."""
    assert 0 <= index < array.size
    return np.full(LANES, array[index], np.float32)


@vector_operation(emit_fma, VECTOR, VECTOR, VECTOR, VECTOR)
def fma(x: Any, y: Any, z: Any) -> Any:
    """x*y + z, rounded once; twice on a processor that has no fused multiply-add."""
    return (np.multiply(x, y, dtype=np.float64) + z).astype(np.float32)


@vector_operation(emit_exp, VECTOR, VECTOR)
def exp(x: Any) -> Any:
    """The exponential, within two units of float32's last place; NaN stays."""
    return np.exp(x)


@vector_operation(emit_maximum, VECTOR, VECTOR, VECTOR)
def maximum(x: Any, y: Any) -> Any:
    """The larger of each pair; NaN where one of the two is."""
    return np.maximum(x, y)


@vector_operation(emit_at_least, VECTOR, VECTOR, VECTOR)
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
            return VECTOR if x is VECTOR and y is VECTOR else None

        return typed

    @extending.lower_builtin(operation, VECTOR, VECTOR)  # type: ignore[untyped-decorator]
    def lower(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return getattr(builder, instruction)(*values)


for _operations, _instruction in (
    ((operator.add, operator.iadd), "fadd"),
    ((operator.sub, operator.isub), "fsub"),
    ((operator.mul, operator.imul), "fmul"),
):
    for _operation in _operations:
        _define(_operation, _instruction)
