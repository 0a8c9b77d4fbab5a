"""Vectors of which only the first lanes are read or written, for the ends of rows of numbers.

What `tinycnn.kernels.simd_code` is for whole vectors; a place outside the mask is never touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from tinycnn.kernels.jit import numba
from tinycnn.kernels.simd_code import VECTOR_OF, check_bounds, in_every_lane, pointer_to

_ir: Any = import_module("llvmlite.ir")
_INT32 = _ir.IntType(32)


def emit_load_first(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """The first ``count`` numbers of a vector of ``array[index]`` and on, zeros in the other lanes."""
    array, index, count = values
    pointer, code, mask = _first_lanes(context, builder, kinds[0], array, index, count)
    nothing = _ir.Constant(code, [0.0] * code.count)
    kinds = (pointer.type, _INT32, mask.type, code)
    return _masked(builder, "load", code, code, kinds, (pointer, _INT32(4), mask, nothing))


def emit_store_first(context: Any, builder: Any, kinds: Any, values: Any) -> None:
    """Write the first ``count`` numbers of the vector ``x`` to ``array[index]`` and on."""
    array, index, count, x = values
    pointer, code, mask = _first_lanes(context, builder, kinds[0], array, index, count)
    kinds = (code, pointer.type, _INT32, mask.type)
    _masked(builder, "store", _ir.VoidType(), code, kinds, (x, pointer, _INT32(4), mask))


def emit_load_few(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """A vector of so many numbers as ``count``, written as a number, from ``array[index]`` on."""
    pointer, size = _few(context, builder, kinds[0], *values)
    numbers = builder.load(pointer)
    numbers.align = size
    return numbers


def emit_store_few(context: Any, builder: Any, kinds: Any, values: Any) -> None:
    """Write all of ``x``, a vector of any length, to ``array[index]`` and on."""
    array, index, x = values
    pointer, size = _few(context, builder, kinds[0], array, index, x.type.count)
    builder.store(x, pointer).align = size


def _few(
    context: Any, builder: Any, array_type: Any, array: Any, index: Any, count: int
) -> tuple[Any, int]:
    """The place of ``array[index]`` as that of a vector of so many numbers, checked; and a number's bytes."""
    check_bounds(context, builder, array_type, array, index, count)
    code = _ir.VectorType(VECTOR_OF[array_type.dtype].code.element, count)
    pointer = pointer_to(context, builder, array_type, array, index)
    return builder.bitcast(pointer, code.as_pointer()), array_type.dtype.bitwidth // 8


def _first_lanes(
    context: Any, builder: Any, array_type: Any, array: Any, index: Any, count: Any
) -> tuple[Any, Any, Any]:
    """The place of ``array[index]``, checked for so many numbers; its vector's type, and those lanes."""
    check_bounds(context, builder, array_type, array, index, count)
    code = VECTOR_OF[array_type.dtype].code
    pointer = builder.bitcast(
        pointer_to(context, builder, array_type, array, index), code.as_pointer()
    )
    numbers = _ir.VectorType(_INT32, code.count)
    lanes = _ir.Constant(numbers, list(range(code.count)))
    beyond = in_every_lane(builder, numbers, builder.trunc(count, _INT32))
    return pointer, code, builder.icmp_signed("<", lanes, beyond)


def _masked(
    builder: Any, name: str, result: Any, code: Any, kinds: Sequence[Any], values: Sequence[Any]
) -> Any:
    signature = _ir.FunctionType(result, kinds)
    full = f"llvm.masked.{name}.v{code.count}f{32 if code.element == _ir.FloatType() else 64}.p0"
    insert = numba.core.cgutils.get_or_insert_function
    return builder.call(insert(builder.module, signature, full), values)
