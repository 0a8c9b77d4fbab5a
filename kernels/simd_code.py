"""The operations of `simd` in LLVM's language, and the decorator that lets Numba compile them so.

A vector's Numba type is VECTOR, LANES numbers of float32, or WIDE_VECTOR, half as many of float64: one
register. ``emit_...`` write what `simd` defines in NumPy, from (context, builder, the arguments' types, the
arguments); memory's bounds are checked where the kernel is compiled under ``NUMBA_BOUNDSCHECK=1``.
"""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable
from importlib import import_module
from typing import Any

from tinycnn.kernels.jit import LANES, numba

_ir: Any = import_module("llvmlite.ir")
extending: Any = import_module("numba.extending")
types: Any = numba.types

_INT32 = _ir.IntType(32)
_FLOATS = _ir.VectorType(_ir.FloatType(), LANES)
_INTO_L2 = 2  # of LLVM's prefetch: 3 means L1, 0 no cache


class _Vector(types.Type):  # type: ignore[misc]
    """Numba's type of a vector of ``dtype``, which LLVM knows as ``code``."""

    def __init__(self, dtype: Any, code: Any) -> None:
        super().__init__(name=f"{dtype}x{code.count}")
        self.dtype, self.code = dtype, code


VECTOR = _Vector(types.float32, _FLOATS)
WIDE_VECTOR = _Vector(types.float64, _ir.VectorType(_ir.DoubleType(), LANES // 2))
VECTOR_OF = {vector.dtype: vector for vector in (VECTOR, WIDE_VECTOR)}


@extending.register_model(_Vector)
class _VectorModel(extending.models.PrimitiveModel):  # type: ignore[misc]
    """In LLVM it is a vector too, and lives in a register."""

    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, numba_type.code)


def vector_operation(emit: Callable[..., Any], result: Any, *arguments: Any) -> Callable[..., Any]:
    """Decorate the plain NumPy body of an operation that ``emit`` writes in LLVM's language.

    ``arguments`` are Numba's types; an array's is one of `_ARRAYS`, for it is left as it comes, and
    ANY_VECTOR stands for a vector of the dtype that the first array or vector has.
    ``emit`` gets (context, builder, the argument's types, the arguments).
    """

    def choose(plain: Callable[..., Any]) -> Any:
        if numba.config.DISABLE_JIT:
            return plain

        def typed(_: Any, *given: Any) -> Any:
            for wanted, array in zip(arguments, given, strict=True):
                if wanted in _ARRAYS:
                    check_array(array, plain.__name__, wanted)
            vector: Any = VECTOR_OF.get(getattr(given[0], "dtype", None)) if given else None
            taken = [
                array if wanted in _ARRAYS else vector if wanted is ANY_VECTOR else wanted
                for wanted, array in zip(arguments, given, strict=True)
            ]

            def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                value = emit(context, builder, signature.args, values)
                return context.get_dummy_value() if result is types.void else value

            return (vector if result is ANY_VECTOR else result)(*taken), generate

        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        given = inspect.signature(plain).parameters.values()
        # Numba reads the names of the arguments here.
        typed.__signature__ = inspect.Signature([context, *given])  # type: ignore[attr-defined]
        typed.__name__, typed.__doc__ = plain.__name__, plain.__doc__
        return extending.intrinsic(typed)

    return choose


ANY_VECTOR = "vector"
READ, READ_UINT8, READ_INT64, WRITTEN, WRITTEN_UINT8 = _ARRAYS = (
    "read", "read, uint8", "read, int64", "written", "written, uint8",
)  # fmt: skip
_WHOLE_NUMBERS = {"uint8": types.uint8, "int64": types.int64}


def check_array(array: Any, name: str, wanted: str) -> None:
    """Refuse what is not one of `_ARRAYS`, while a kernel is compiled."""
    whole = _WHOLE_NUMBERS.get(wanted.partition(", ")[2])
    dtypes = list(VECTOR_OF) if whole is None else [whole]
    flat = isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C"
    if not flat or array.dtype not in dtypes:
        names = " or ".join(map(str, dtypes))
        message = f"{name} takes a C-contiguous one-dimensional {names} array, not {array}"
        raise numba.core.errors.TypingError(message)
    if "written" in wanted and not array.mutable:
        raise numba.core.errors.TypingError(f"{name} takes an array that may be written to")


def pointer_to(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Where ``array[index]`` is."""
    return builder.gep(_field(context, builder, array_type, array, "data"), [index])


def _field(context: Any, builder: Any, array_type: Any, array: Any, name: str) -> Any:
    """One of an array's fields. Numba would copy them all to memory first, for LLVM to remove it again."""
    place = context.data_model_manager[array_type].get_field_position(name)
    return builder.extract_value(array, place)


def check_bounds(
    context: Any, builder: Any, array_type: Any, array: Any, index: Any, count: Any
) -> None:
    """Raise IndexError where ``count`` numbers from ``array[index]`` on are not all inside, if asked for."""
    if not context.enable_boundscheck:
        return
    size = builder.extract_value(_field(context, builder, array_type, array, "shape"), 0)
    end = builder.add(index, index.type(count) if isinstance(count, int) else count)
    negative = builder.icmp_signed("<", index, _ir.Constant(index.type, 0))
    outside = builder.or_(negative, builder.icmp_signed(">", end, size))
    with builder.if_then(outside, likely=False):
        message = ("a vector's index is out of bounds",)
        context.call_conv.return_user_exc(builder, IndexError, message)


def _vector_at(
    context: Any, builder: Any, kinds: Any, array: Any, index: Any
) -> tuple[Any, Any, Any]:
    """The place of the vector from ``array[index]`` on, checked; its type in LLVM, and its bytes."""
    kind = kinds[0]
    code, size = VECTOR_OF[kind.dtype].code, kind.dtype.bitwidth // 8
    check_bounds(context, builder, kind, array, index, code.count)
    pointer = pointer_to(context, builder, kind, array, index)
    return builder.bitcast(pointer, code.as_pointer()), size, code.count * size


def emit_lanes_of(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.lanes_of` compiles to."""
    return context.get_constant(types.intp, VECTOR_OF[kinds[0].dtype].code.count)


def emit_load(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.load` compiles to."""
    pointer, size, _ = _vector_at(context, builder, kinds, *values)
    vector = builder.load(pointer)
    vector.align = size
    return vector


def emit_index(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """``array[index]`` of an array of int64."""
    array, index = values
    check_bounds(context, builder, kinds[0], array, index, 1)
    return builder.load(pointer_to(context, builder, kinds[0], array, index))


def emit_store(context: Any, builder: Any, kinds: Any, values: Any) -> None:
    """What `simd.store` compiles to."""
    pointer, size, _ = _vector_at(context, builder, kinds, *values[:2])
    builder.store(values[2], pointer).align = size


def emit_stream(context: Any, builder: Any, kinds: Any, values: Any) -> None:
    """What `simd.stream` compiles to."""
    pointer, _, bytes = _vector_at(context, builder, kinds, *values[:2])
    if context.enable_boundscheck:
        index = values[1]
        beyond = builder.and_(builder.ptrtoint(pointer, index.type), index.type(bytes - 1))
        with builder.if_then(builder.icmp_signed("!=", beyond, index.type(0)), likely=False):
            message = (f"stream writes to multiples of {bytes} bytes",)
            context.call_conv.return_user_exc(builder, IndexError, message)
    store = builder.store(values[2], pointer)
    store.align = bytes
    store.set_metadata("nontemporal", builder.module.add_metadata([_INT32(1)]))


def emit_stream_end(context: Any, builder: Any, kinds: Any, values: Any) -> None:
    """What `simd.stream_end` compiles to."""
    builder.fence("seq_cst")


def emit_store_uint8(context: Any, builder: Any, kinds: Any, values: Any) -> None:
    """What `simd.store_uint8` compiles to."""
    array, index, vector = values
    check_bounds(context, builder, kinds[0], array, index, LANES)
    pointer = pointer_to(context, builder, kinds[0], array, index)
    narrow = _ir.VectorType(_ir.IntType(8), LANES)
    target = builder.bitcast(pointer, narrow.as_pointer())
    builder.store(builder.fptoui(vector, narrow), target).align = 1


def emit_splat(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.splat` compiles to."""
    return in_every_lane(builder, _FLOATS, values[0])


def in_every_lane(builder: Any, code: Any, number: Any) -> Any:
    """A vector of LLVM's type ``code``."""
    undefined = _ir.Constant(code, _ir.Undefined)
    first = builder.insert_element(undefined, number, _INT32(0))
    zeros = _ir.Constant(_ir.VectorType(_INT32, code.count), [0] * code.count)
    return builder.shuffle_vector(first, undefined, zeros)


def emit_broadcast(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.broadcast` compiles to."""
    array, index = values
    check_bounds(context, builder, kinds[0], array, index, 1)
    number = builder.load(pointer_to(context, builder, kinds[0], *values))
    return in_every_lane(builder, VECTOR_OF[kinds[0].dtype].code, number)


def emit_fma(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.fma` compiles to."""
    # llvm.fma would call a library function for each lane where the processor has no such
    # instruction; fmuladd multiplies and adds there.
    code = kinds[0].code
    signature = _ir.FunctionType(code, [code] * 3)
    name = f"llvm.fmuladd.v{code.count}f{kinds[0].dtype.bitwidth}"
    function = numba.core.cgutils.get_or_insert_function(builder.module, signature, name)
    return builder.call(function, values)


def emit_maximum(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.maximum` compiles to."""
    x, y = values
    greater = builder.select(builder.fcmp_ordered(">", x, y), x, y)
    return builder.select(builder.fcmp_unordered("uno", x, x), x, greater)


def emit_at_least(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.at_least` compiles to."""
    x, least = values
    return builder.select(builder.fcmp_ordered(">", least, x), least, x)


def emit_select_first(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.select_first` compiles to."""
    x, y, a, b = values
    not_at_most = builder.fcmp_unordered(">", y, x)
    loses = builder.and_(not_at_most, builder.fcmp_ordered("ord", x, x))
    return builder.select(loses, b, a)


def emit_from_lane(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.from_lane` compiles to."""
    x, lane, y = values
    numbers = _ir.VectorType(_INT32, kinds[0].code.count)
    first = in_every_lane(builder, numbers, builder.trunc(lane, _INT32))
    lanes = _ir.Constant(numbers, list(range(numbers.count)))
    return builder.select(builder.icmp_signed(">=", lanes, first), y, x)


def emit_where_equal(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """What `simd.where_equal` compiles to."""
    array, index, number, x = values
    check_bounds(context, builder, kinds[0], array, index, LANES)
    narrow = _ir.VectorType(_ir.IntType(8), LANES)
    pointer = pointer_to(context, builder, kinds[0], array, index)
    numbers = builder.load(builder.bitcast(pointer, narrow.as_pointer()))
    numbers.align = 1
    wanted = in_every_lane(builder, narrow, builder.trunc(number, _ir.IntType(8)))
    nothing = _ir.Constant(_FLOATS, [0.0] * LANES)
    return builder.select(builder.icmp_unsigned("==", numbers, wanted), x, nothing)


def emit_keep_rolled(context: Any, builder: Any, kinds: Any, values: Any) -> None:
    """What `simd.keep_rolled` compiles to."""
    # LLVM takes assembly for a call, even where it is empty, and unrolls no loop with a call in it.
    builder.asm(_ir.FunctionType(_ir.VoidType(), []), "", "", [], True)


def emit_pause(context: Any, builder: Any, kinds: Any, values: Any) -> None:
    """What `simd.pause` compiles to."""
    nothing = _ir.FunctionType(_ir.VoidType(), [])
    if platform.machine().lower() in ("x86_64", "amd64"):
        pause = "llvm.x86.sse2.pause"
        insert = numba.core.cgutils.get_or_insert_function
        builder.call(insert(builder.module, nothing, pause), [])
    # Memory may have changed by now: what was read before is read again.
    builder.asm(nothing, "", "~{memory}", [], True)


def emit_prefetch(context: Any, builder: Any, kinds: Any, values: Any) -> None:
    """What `simd.prefetch` compiles to."""
    byte = _ir.IntType(8).as_pointer()
    signature = _ir.FunctionType(_ir.VoidType(), [byte, _INT32, _INT32, _INT32])
    prefetch = numba.core.cgutils.get_or_insert_function(
        builder.module, signature, "llvm.prefetch.p0"
    )
    pointer = builder.bitcast(pointer_to(context, builder, kinds[0], *values), byte)
    read, data = _INT32(0), _INT32(1)
    builder.call(prefetch, [pointer, read, _INT32(_INTO_L2), data])
