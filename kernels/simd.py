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

import inspect
import operator
import platform
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from tinycnn.kernels.jit import LANES as LANES
from tinycnn.kernels.jit import numba

_ir: Any = import_module("llvmlite.ir")
_extending: Any = import_module("numba.extending")
_types: Any = numba.types

_FLOAT = _ir.FloatType()
_INT32 = _ir.IntType(32)
_FLOATS = _ir.VectorType(_FLOAT, LANES)
_INTO_L2 = 2  # of LLVM's prefetch: 3 means L1, 0 no cache


class _Vector(_types.Type):  # type: ignore[misc]
    """Numba's type of a vector."""

    def __init__(self) -> None:
        super().__init__(name=f"float32x{LANES}")


_VECTOR = _Vector()


@_extending.register_model(_Vector)
class _VectorModel(_extending.models.PrimitiveModel):  # type: ignore[misc]
    """In LLVM it is a vector too, and lives in a register."""

    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _FLOATS)


def _compiled(emit: Callable[..., Any], result: Any, *arguments: Any) -> Callable[..., Any]:
    """Decorate the plain NumPy body of an operation that ``emit`` writes in LLVM's language.

    ``arguments`` are Numba's types; an array's is one of `_ARRAYS`, for it is left as it comes.
    ``emit`` gets (context, builder, the argument's types, the arguments).
    """

    def choose(plain: Callable[..., Any]) -> Any:
        if numba.config.DISABLE_JIT:
            return plain

        def typed(_: Any, *given: Any) -> Any:
            for wanted, array in zip(arguments, given, strict=True):
                if wanted in _ARRAYS:
                    _check_array(array, plain.__name__, wanted)
            taken = [
                array if wanted in _ARRAYS else wanted
                for wanted, array in zip(arguments, given, strict=True)
            ]

            def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                value = emit(context, builder, signature.args, values)
                return context.get_dummy_value() if result is _types.void else value

            return result(*taken), generate

        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        given = inspect.signature(plain).parameters.values()
        # Numba reads the names of the arguments here.
        typed.__signature__ = inspect.Signature([context, *given])  # type: ignore[attr-defined]
        typed.__name__, typed.__doc__ = plain.__name__, plain.__doc__
        return _extending.intrinsic(typed)

    return choose


_READ, _READ_UINT8, _WRITTEN, _WRITTEN_UINT8 = _ARRAYS = (
    "read", "read, uint8", "written", "written, uint8",
)  # fmt: skip


def _check_array(array: Any, name: str, wanted: str) -> None:
    dtype = _types.uint8 if "uint8" in wanted else _types.float32
    flat = isinstance(array, _types.Array) and array.ndim == 1 and array.layout == "C"
    if not flat or array.dtype != dtype:
        message = f"{name} takes a C-contiguous one-dimensional {dtype} array, not {array}"
        raise numba.core.errors.TypingError(message)
    if "written" in wanted and not array.mutable:
        raise numba.core.errors.TypingError(f"{name} takes an array that may be written to")


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index])


def _check_bounds(
    context: Any, builder: Any, array_type: Any, array: Any, index: Any, count: int
) -> None:
    if not context.enable_boundscheck:
        return
    size = builder.extract_value(context.make_array(array_type)(context, builder, array).shape, 0)
    end = builder.add(index, _ir.Constant(index.type, count))
    negative = builder.icmp_signed("<", index, _ir.Constant(index.type, 0))
    outside = builder.or_(negative, builder.icmp_signed(">", end, size))
    with builder.if_then(outside, likely=False):
        message = ("a vector's index is out of bounds",)
        context.call_conv.return_user_exc(builder, IndexError, message)


def _emit_load(context: Any, builder: Any, types: Any, values: Any) -> Any:
    array, index = values
    _check_bounds(context, builder, types[0], array, index, LANES)
    pointer = _pointer(context, builder, types[0], *values)
    vector = builder.load(builder.bitcast(pointer, _FLOATS.as_pointer()))
    vector.align = 4
    return vector


def _emit_store(context: Any, builder: Any, types: Any, values: Any) -> None:
    array, index, vector = values
    _check_bounds(context, builder, types[0], array, index, LANES)
    pointer = _pointer(context, builder, types[0], array, index)
    builder.store(vector, builder.bitcast(pointer, _FLOATS.as_pointer())).align = 4


def _emit_stream(context: Any, builder: Any, types: Any, values: Any) -> None:
    array, index, vector = values
    _check_bounds(context, builder, types[0], array, index, LANES)
    pointer = _pointer(context, builder, types[0], array, index)
    if context.enable_boundscheck:
        beyond = builder.and_(builder.ptrtoint(pointer, index.type), index.type(4 * LANES - 1))
        with builder.if_then(builder.icmp_signed("!=", beyond, index.type(0)), likely=False):
            message = (f"stream writes to multiples of {4 * LANES} bytes",)
            context.call_conv.return_user_exc(builder, IndexError, message)
    store = builder.store(vector, builder.bitcast(pointer, _FLOATS.as_pointer()))
    store.align = 4 * LANES
    store.set_metadata("nontemporal", builder.module.add_metadata([_INT32(1)]))


def _emit_stream_end(context: Any, builder: Any, types: Any, values: Any) -> None:
    builder.fence("seq_cst")


def _emit_store_uint8(context: Any, builder: Any, types: Any, values: Any) -> None:
    array, index, vector = values
    _check_bounds(context, builder, types[0], array, index, LANES)
    pointer = _pointer(context, builder, types[0], array, index)
    narrow = _ir.VectorType(_ir.IntType(8), LANES)
    target = builder.bitcast(pointer, narrow.as_pointer())
    builder.store(builder.fptoui(vector, narrow), target).align = 1


def _emit_splat(context: Any, builder: Any, types: Any, values: Any) -> Any:
    undefined = _ir.Constant(_FLOATS, _ir.Undefined)
    first = builder.insert_element(undefined, values[0], _INT32(0))
    zeros = _ir.Constant(_ir.VectorType(_INT32, LANES), [0] * LANES)
    return builder.shuffle_vector(first, undefined, zeros)


def _emit_broadcast(context: Any, builder: Any, types: Any, values: Any) -> Any:
    array, index = values
    _check_bounds(context, builder, types[0], array, index, 1)
    number = builder.load(_pointer(context, builder, types[0], *values))
    return _emit_splat(context, builder, types, [number])


def _emit_fma(context: Any, builder: Any, types: Any, values: Any) -> Any:
    # llvm.fma would call a library function for each lane where the processor has no such
    # instruction; fmuladd multiplies and adds there.
    signature = _ir.FunctionType(_FLOATS, [_FLOATS] * 3)
    name = f"llvm.fmuladd.v{LANES}f32"
    function = numba.core.cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, values)


def _emit_maximum(context: Any, builder: Any, types: Any, values: Any) -> Any:
    x, y = values
    greater = builder.select(builder.fcmp_ordered(">", x, y), x, y)
    return builder.select(builder.fcmp_unordered("uno", x, x), x, greater)


def _emit_at_least(context: Any, builder: Any, types: Any, values: Any) -> Any:
    x, least = values
    return builder.select(builder.fcmp_ordered(">", least, x), least, x)


def _emit_select_first(context: Any, builder: Any, types: Any, values: Any) -> Any:
    x, y, a, b = values
    not_at_most = builder.fcmp_unordered(">", y, x)
    loses = builder.and_(not_at_most, builder.fcmp_ordered("ord", x, x))
    return builder.select(loses, b, a)


def _emit_where_equal(context: Any, builder: Any, types: Any, values: Any) -> Any:
    array, index, number, x = values
    _check_bounds(context, builder, types[0], array, index, LANES)
    narrow = _ir.VectorType(_ir.IntType(8), LANES)
    pointer = _pointer(context, builder, types[0], array, index)
    numbers = builder.load(builder.bitcast(pointer, narrow.as_pointer()))
    numbers.align = 1
    undefined = _ir.Constant(narrow, _ir.Undefined)
    first = builder.insert_element(undefined, builder.trunc(number, _ir.IntType(8)), _INT32(0))
    zeros = _ir.Constant(_ir.VectorType(_INT32, LANES), [0] * LANES)
    wanted = builder.shuffle_vector(first, undefined, zeros)
    nothing = _ir.Constant(_FLOATS, [0.0] * LANES)
    return builder.select(builder.icmp_unsigned("==", numbers, wanted), x, nothing)


def _emit_keep_rolled(context: Any, builder: Any, types: Any, values: Any) -> None:
    # LLVM takes assembly for a call, even where it is empty, and unrolls no loop with a call in it.
    builder.asm(_ir.FunctionType(_ir.VoidType(), []), "", "", [], True)


def _emit_pause(context: Any, builder: Any, types: Any, values: Any) -> None:
    nothing = _ir.FunctionType(_ir.VoidType(), [])
    if platform.machine().lower() in ("x86_64", "amd64"):
        pause = "llvm.x86.sse2.pause"
        insert = numba.core.cgutils.get_or_insert_function
        builder.call(insert(builder.module, nothing, pause), [])
    # Memory may have changed by now: what was read before is read again.
    builder.asm(nothing, "", "~{memory}", [], True)


def _emit_prefetch(context: Any, builder: Any, types: Any, values: Any) -> None:
    byte = _ir.IntType(8).as_pointer()
    signature = _ir.FunctionType(_ir.VoidType(), [byte, _INT32, _INT32, _INT32])
    prefetch = numba.core.cgutils.get_or_insert_function(
        builder.module, signature, "llvm.prefetch.p0"
    )
    pointer = builder.bitcast(_pointer(context, builder, types[0], *values), byte)
    read, data = _INT32(0), _INT32(1)
    builder.call(prefetch, [pointer, read, _INT32(_INTO_L2), data])


@_compiled(_emit_load, _VECTOR, _READ, _types.intp)
def load(array: Any, index: int) -> Any:
    """The LANES numbers from ``array[index]`` on."""
    assert 0 <= index <= array.size - LANES
    return array[index : index + LANES].copy()


@_compiled(_emit_store, _types.void, _WRITTEN, _types.intp, _VECTOR)
def store(array: Any, index: int, x: Any) -> None:
    """Write ``x`` to the LANES numbers from ``array[index]`` on."""
    assert 0 <= index <= array.size - LANES
    array[index : index + LANES] = x


@_compiled(_emit_stream, _types.void, _WRITTEN, _types.intp, _VECTOR)
def stream(array: Any, index: int, x: Any) -> None:
    """Write ``x`` past the caches to ``array[index]`` and on: 4*LANES bytes that begin at such a multiple.

    For what is not read again before the caches have been overwritten: a line that is stored is
    first read, one that is streamed is not. The processor faults where the address is not
    aligned.
    """
    assert 0 <= index <= array.size - LANES and array[index:].ctypes.data % (4 * LANES) == 0
    array[index : index + LANES] = x


@_compiled(_emit_stream_end, _types.void)
def stream_end() -> None:
    """Let no later write be seen before what was streamed: to be called before others are told."""


@_compiled(_emit_store_uint8, _types.void, _WRITTEN_UINT8, _types.intp, _VECTOR)
def store_uint8(array: Any, index: int, x: Any) -> None:
    """Write ``x``, whole numbers from 0 to 255, to the LANES bytes from ``array[index]`` on."""
    assert 0 <= index <= array.size - LANES
    array[index : index + LANES] = x


@_compiled(_emit_splat, _VECTOR, _types.float32)
def splat(number: float) -> Any:
    """``number``, rounded to float32, in every lane."""
    return np.full(LANES, number, np.float32)


@_compiled(_emit_broadcast, _VECTOR, _READ, _types.intp)
def broadcast(array: Any, index: int) -> Any:
    """``array[index]`` in every lane."""
    assert 0 <= index < array.size
    return np.full(LANES, array[index], np.float32)


@_compiled(_emit_fma, _VECTOR, _VECTOR, _VECTOR, _VECTOR)
def fma(x: Any, y: Any, z: Any) -> Any:
    """x*y + z, rounded once; twice on a processor that has no fused multiply-add."""
    return (np.multiply(x, y, dtype=np.float64) + z).astype(np.float32)


@_compiled(_emit_maximum, _VECTOR, _VECTOR, _VECTOR)
def maximum(x: Any, y: Any) -> Any:
    """The larger of each pair; NaN where one of the two is."""
    return np.maximum(x, y)


@_compiled(_emit_at_least, _VECTOR, _VECTOR, _VECTOR)
def at_least(x: Any, least: Any) -> Any:
    """``x`` where it is above ``least`` or NaN, ``least`` elsewhere.

    One instruction where `maximum` needs three, for a bound that is never NaN: at_least(x, zero) is
    the rectifier.
    """
    return np.where(least > x, least, x)


@_compiled(_emit_select_first, _VECTOR, _VECTOR, _VECTOR, _VECTOR, _VECTOR)
def select_first(x: Any, y: Any, a: Any, b: Any) -> Any:
    """``a`` where ``x`` wins over ``y``, ``b`` elsewhere.

    The larger one wins, at a tie the first; NaN wins over every number, the first NaN over another.
    """
    return np.where((y <= x) | np.isnan(x), a, b)


@_compiled(_emit_where_equal, _VECTOR, _READ_UINT8, _types.intp, _types.intp, _VECTOR)
def where_equal(array: Any, index: int, number: int, x: Any) -> Any:
    """``x`` where the byte of uint8 from ``array[index]`` on is ``number``, 0 elsewhere."""
    assert 0 <= index <= array.size - LANES
    return np.where(array[index : index + LANES] == number, x, np.float32(0))


@_compiled(_emit_prefetch, _types.void, _READ, _types.intp)
def prefetch(array: Any, index: int) -> None:
    """Ask for the cache line of ``array[index]`` to be brought into L2; it may lie outside."""


@_compiled(_emit_pause, _types.void)
def pause() -> None:
    """Wait for some ten nanoseconds, in a loop that watches for what another thread writes."""


@_compiled(_emit_keep_rolled, _types.void)
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

    @_extending.intrinsic  # type: ignore[untyped-decorator]
    def read_only(context: Any, array: Any) -> Any:
        """See above."""

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            context.nrt.incref(builder, signature.args[0], values[0])  # a second reference
            return values[0]

        return array.copy(readonly=True)(array), generate


def _define(operation: Any, instruction: str) -> None:
    """Let ``operation`` work on two vectors by one of LLVM's instructions."""

    @_extending.type_callable(operation)  # type: ignore[untyped-decorator]
    def type_of(context: Any) -> Any:
        def typed(x: Any, y: Any) -> Any:
            return _VECTOR if x is _VECTOR and y is _VECTOR else None

        return typed

    @_extending.lower_builtin(operation, _VECTOR, _VECTOR)  # type: ignore[untyped-decorator]
    def lower(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return getattr(builder, instruction)(*values)


for _operations, _instruction in (
    ((operator.add, operator.iadd), "fadd"),
    ((operator.sub, operator.isub), "fsub"),
    ((operator.mul, operator.imul), "fmul"),
):
    for _operation in _operations:
        _define(_operation, _instruction)
