"""Vectors whose lanes are filled from any lanes of another, for what several groups of filters see."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinycnn.kernels.jit import LANES, numba
from tinycnn.kernels.simd_code import check_bounds, pointer_to

_ir: Any = import_module("llvmlite.ir")
_INT32 = _ir.IntType(32)
# One instruction, where the processor has it: LANES tells what it has.
_INSTRUCTIONS = {
    (16, _ir.FloatType()): "llvm.x86.avx512.permvar.sf.512",
    (16, _ir.DoubleType()): "llvm.x86.avx512.permvar.df.512",
    (8, _ir.FloatType()): "llvm.x86.avx2.permps",
}


def emit_lanes(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """The numbers of lanes in ``array``, of int64, as `emit_permuted` takes them for such a ``vector``."""
    array, vector = values
    code, start = vector.code, context.get_constant(kinds[1], 0)
    check_bounds(context, builder, kinds[0], array, start, code.count)
    wide = _ir.VectorType(_ir.IntType(64), code.count)
    pointer = pointer_to(context, builder, kinds[0], array, start)
    numbers = builder.load(builder.bitcast(pointer, wide.as_pointer()))
    numbers.align = 8
    if code.element == _ir.DoubleType():
        return numbers
    return builder.trunc(numbers, _ir.VectorType(_INT32, code.count))


def emit_permuted(builder: Any, x: Any, lanes: Any) -> Any:
    """Lane l of the result is lane ``lanes[l]`` of ``x``."""
    instruction = _INSTRUCTIONS.get((LANES, x.type.element))
    if instruction is not None:
        signature = _ir.FunctionType(x.type, [x.type, lanes.type])
        insert = numba.core.cgutils.get_or_insert_function
        return builder.call(insert(builder.module, signature, instruction), [x, lanes])
    result = x
    for lane in range(x.type.count):
        number = builder.extract_element(x, builder.extract_element(lanes, _INT32(lane)))
        result = builder.insert_element(result, number, _INT32(lane))
    return result
