"""Numbers of float32 that are worked on in float64, for `simd`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinycnn.kernels.jit import LANES
from tinycnn.kernels.simd_code import VECTOR_OF, WIDE_VECTOR, check_bounds, pointer_to

_ir: Any = import_module("llvmlite.ir")


def emit_load_wide(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.load_wide` compiles to."""
    array, index = values
    check_bounds(context, builder, kinds[0], array, index, LANES // 2)
    numbers = _ir.VectorType(VECTOR_OF[kinds[0].dtype].code.element, LANES // 2)
    pointer = pointer_to(context, builder, kinds[0], array, index)
    x = builder.load(builder.bitcast(pointer, numbers.as_pointer()))
    x.align = kinds[0].dtype.bitwidth // 8
    return x if numbers == WIDE_VECTOR.code else builder.fpext(x, WIDE_VECTOR.code)
