"""The exponential of a vector in LLVM's language, for `simd`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinycnn.kernels.jit import LANES, numba
from tinycnn.kernels.simd_code import VECTOR, emit_fma

_ir: Any = import_module("llvmlite.ir")
_INT32 = _ir.IntType(32)
_ROUND_AS_SET = 4  # to the nearest
_LOG2_E = 1.4426950216293335  # 1 / log(2), rounded to float32 as all here
_LOG_2 = 0.693359375, -2.1219444170128554e-4
# exp(r) = 1 + r + r**2 * (the sum of these times powers of r, the highest first).
_EXP = (
    1.9875691214110702e-4, 1.3981999363750219e-3, 8.333452045917511e-3, 4.1665796190500259e-2,
    0.1666666567325592, 0.5,
)  # fmt: skip


def emit_exp(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.exp` compiles to: exp(x) = 2**n * exp(r), with n the whole number nearest x / log(2).

    Then |r| is at most log(2) / 2, where a polynomial does. Cephes' expf has it, and log(2) in two parts,
    of which the first times n is exact. Source: Moshier, "Methods and programs for mathematical
    functions", 1989.
    """

    def number(value: float) -> Any:
        return _ir.Constant(VECTOR.code, [value] * LANES)

    def polynomial(x: Any, first: float, *rest: float) -> Any:
        y = number(first)
        for coefficient in rest:
            y = emit_fma(context, builder, kinds, [y, x, number(coefficient)])
        return y

    (given,) = values
    # Beyond these the result is 0 or infinite; NaN goes one of these ways, and is put back last.
    x = builder.select(builder.fcmp_ordered(">", given, number(-104.0)), given, number(-104.0))
    x = builder.select(builder.fcmp_ordered("<", x, number(89.0)), x, number(89.0))
    signature, name = _ir.FunctionType(VECTOR.code, [VECTOR.code]), f"llvm.rint.v{LANES}f32"
    rint = numba.core.cgutils.get_or_insert_function(builder.module, signature, name)
    n = builder.call(rint, [builder.fmul(x, number(_LOG2_E))])
    r = emit_fma(context, builder, kinds, [n, number(-_LOG_2[0]), x])
    r = emit_fma(context, builder, kinds, [n, number(-_LOG_2[1]), r])
    y = emit_fma(context, builder, kinds, [polynomial(r, *_EXP), builder.fmul(r, r), r])
    y = builder.fadd(y, number(1.0))
    y = _times_two_to_the(builder, n, y)
    return builder.select(builder.fcmp_unordered("uno", given, given), given, y)


def _times_two_to_the(builder: Any, n: Any, y: Any) -> Any:
    """y * 2**n of whole numbers ``n``, rounded once."""
    if LANES == 16:  # AVX-512 has an instruction: a quarter of what an exponential takes
        mask, mode = _ir.IntType(16)(0xFFFF), _INT32(_ROUND_AS_SET)
        signature = _ir.FunctionType(y.type, [y.type] * 3 + [mask.type, mode.type])
        name = "llvm.x86.avx512.mask.scalef.ps.512"
        function = numba.core.cgutils.get_or_insert_function(builder.module, signature, name)
        return builder.call(function, [y, n, y, mask, mode])
    integers = _ir.VectorType(_INT32, LANES)

    def two_to_the(n: Any) -> Any:
        shifted = builder.add(n, _ir.Constant(integers, [127] * LANES))
        return builder.bitcast(
            builder.shl(shifted, _ir.Constant(integers, [23] * LANES)), VECTOR.code
        )

    # In two steps, for 2**n alone may be too small or too large for float32.
    whole = builder.fptosi(n, integers)
    half = builder.ashr(whole, _ir.Constant(integers, [1] * LANES))
    return builder.fmul(builder.fmul(y, two_to_the(half)), two_to_the(builder.sub(whole, half)))
