"""Memory by its address, and counters that several threads change at once."""

from __future__ import annotations

import ctypes
import os
import threading
from importlib import import_module
from typing import Any

import numpy as np

from tinycnn.kernels.jit import kernel, numba

_types: Any = numba.types

_one_at_a_time = threading.Lock()
if hasattr(os, "register_at_fork"):  # whoever held it does not exist in the child
    os.register_at_fork(after_in_child=_one_at_a_time._at_fork_reinit)  # type: ignore[attr-defined]


def floats_at(address: int, size: int) -> Any:
    """The float32 array (size,) that begins at ``address``; whoever calls keeps its memory alive."""
    if size == 0:
        return np.empty(0, np.float32)
    return np.ctypeslib.as_array(ctypes.cast(int(address), ctypes.POINTER(ctypes.c_float)), (size,))


def doubles_at(address: int, size: int) -> Any:
    """The same of float64, ``size`` at least 1."""
    return np.ctypeslib.as_array(
        ctypes.cast(int(address), ctypes.POINTER(ctypes.c_double)), (size,)
    )


def integers_at(address: int, size: int) -> Any:
    """The same of int64, ``size`` at least 1."""
    return np.ctypeslib.as_array(ctypes.cast(int(address), ctypes.POINTER(ctypes.c_int64)), (size,))


def bytes_at(address: int, size: int) -> Any:
    """The same of uint8, ``size`` at least 1."""
    return np.ctypeslib.as_array(ctypes.cast(int(address), ctypes.POINTER(ctypes.c_uint8)), (size,))


def bools_at(address: int, size: int) -> Any:
    """The same of bool, ``size`` at least 1."""
    return np.ctypeslib.as_array(ctypes.cast(int(address), ctypes.POINTER(ctypes.c_bool)), (size,))


def atomic_add(counters: Any, index: int) -> int:
    """Add 1 to ``counters[index]``, int64, and give what it was: two threads never get the same."""
    with _one_at_a_time:
        counters[index] += 1
        return int(counters[index]) - 1


def compare_exchange(counters: Any, index: int, expected: int, new: int) -> bool:
    """Write ``new`` to ``counters[index]``, int64, if ``expected`` is there; True if it was."""
    with _one_at_a_time:
        found = bool(counters[index] == expected)
        if found:
            counters[index] = new
        return found


def atomic_load(counters: Any, index: int) -> int:
    """``counters[index]`` as it is now. What a thread wrote before it counted up is seen after this."""
    return int(counters[index])


if not numba.config.DISABLE_JIT:
    _ir: Any = import_module("llvmlite.ir")
    _extending: Any = import_module("numba.extending")

    def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
        data = context.make_array(array_type)(context, builder, array).data
        return builder.gep(data, [index])

    @_extending.intrinsic  # type: ignore[untyped-decorator]
    def _as_pointer(context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.inttoptr(values[0], _ir.IntType(8).as_pointer())

        return _types.voidptr(_types.intp), generate

    @_extending.intrinsic  # type: ignore[untyped-decorator]
    def atomic_add(context: Any, counters: Any, index: Any) -> Any:
        """See above."""

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            pointer = _pointer(context, builder, signature.args[0], *values)
            return builder.atomic_rmw("add", pointer, _ir.IntType(64)(1), "seq_cst")

        return _types.int64(counters, _types.intp), generate

    @_extending.intrinsic  # type: ignore[untyped-decorator]
    def compare_exchange(context: Any, counters: Any, index: Any, expected: Any, new: Any) -> Any:
        """See above."""

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            array, index, *numbers = values
            pointer = _pointer(context, builder, signature.args[0], array, index)
            order = "seq_cst"
            result = builder.cmpxchg(pointer, *numbers, order, order)
            return builder.extract_value(result, 1)

        return _types.boolean(counters, _types.intp, _types.int64, _types.int64), generate

    @_extending.intrinsic  # type: ignore[untyped-decorator]
    def atomic_load(context: Any, counters: Any, index: Any) -> Any:
        """See above."""

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            pointer = _pointer(context, builder, signature.args[0], *values)
            return builder.load_atomic(pointer, "seq_cst", 8)

        return _types.int64(counters, _types.intp), generate

    @kernel
    def floats_at(address: int, size: int) -> Any:
        """See above."""
        return numba.carray(_as_pointer(address), size, np.float32)

    @kernel
    def doubles_at(address: int, size: int) -> Any:
        """See above."""
        return numba.carray(_as_pointer(address), size, np.float64)

    @kernel
    def integers_at(address: int, size: int) -> Any:
        """See above."""
        return numba.carray(_as_pointer(address), size, np.int64)

    @kernel
    def bytes_at(address: int, size: int) -> Any:
        """See above."""
        return numba.carray(_as_pointer(address), size, np.uint8)

    @kernel
    def bools_at(address: int, size: int) -> Any:
        """See above."""
        return numba.carray(_as_pointer(address), size, np.bool_)
