"""Vectors whose lanes are filled from any lanes of another, for what several groups of filters see."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinycnn.kernels.jit import LANES, numba
from tinycnn.kernels.simd_code import VECTOR_OF, check_bounds, pointer_to
from tinycnn.kernels.simd_first import emit_load_few

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


def emit_two_in_turns(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """A vector of ``array[index]`` and the number after it in turns; zeros for that one if ``count`` is 1."""
    array, index, count = values
    code = VECTOR_OF[kinds[0].dtype].code
    if count == 2:
        numbers = emit_load_few(context, builder, kinds, (array, index, 2))
    else:
        check_bounds(context, builder, kinds[0], array, index, 1)
        nothing = _ir.Constant(_ir.VectorType(code.element, 2), [0.0] * 2)
        number = builder.load(pointer_to(context, builder, kinds[0], array, index))
        numbers = builder.insert_element(nothing, number, _INT32(0))
    return shuffled(builder, numbers, numbers, [lane % 2 for lane in range(code.count)])


def emit_turns(builder: Any, x: Any) -> list[Any]:
    """Lanes 2*l of ``x`` in lane l, and lanes 2*l + 1; what is in the other half says nothing."""
    count = x.type.count
    return [
        shuffled(builder, x, x, [(2 * lane + t) % count for lane in range(count)]) for t in (0, 1)
    ]


def shuffled(builder: Any, x: Any, y: Any, lanes: list[int]) -> Any:
    """A vector of those lanes of ``x``, and of ``y`` after it."""
    numbers = _ir.Constant(_ir.VectorType(_INT32, len(lanes)), lanes)
    return builder.shuffle_vector(x, y, numbers)
