"""Kernels called by the address of their machine code, so that a caller is compiled without them.

A kernel that calls another one holds a copy of it, compiled once more. One that may call any of many would
hold them all, used or not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinycnn.kernels.jit import numba

_types: Any = numba.types
# What such a kernel takes: a row of whole numbers, two tables of them, and a number; it returns nothing.
_TABLE = _types.Array(_types.int64, 2, "C")
_ARGUMENTS = _types.Array(_types.int64, 1, "C"), _TABLE, _TABLE, _types.int64

_functions: list[Callable[..., None]] = []


def address_of(function: Callable[[Any, Any, Any, int], None]) -> int:
    """Where the code of a kernel stands, compiled if need be; as long as this process lives."""
    if function not in _functions:
        _functions.append(function)
    return _functions.index(function)


def call_at(address: int, row: Any, first: Any, second: Any, number: int) -> None:
    """Call the kernel at ``address`` with a row of int64, two tables of int64 and a whole number."""
    _functions[address](row, first, second, number)


if not numba.config.DISABLE_JIT:

    def address_of(function: Callable[[Any, Any, Any, int], None]) -> int:
        """See above."""
        dispatcher: Any = function
        dispatcher.compile(_ARGUMENTS)
        compiled = dispatcher.overloads[_ARGUMENTS]
        name = compiled.fndesc.llvm_func_name
        return int(compiled.library.get_pointer_to_function(name))

    @numba.extending.intrinsic  # type: ignore[untyped-decorator]
    def call_at(context: Any, address: Any, row: Any, first: Any, second: Any, number: Any) -> Any:
        """See above."""

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            convention, kinds = context.call_conv, signature.args[1:]
            function = convention.get_function_type(_types.void, kinds).as_pointer()
            pointer = builder.inttoptr(values[0], function)
            status, _ = convention.call_function(builder, pointer, _types.void, kinds, values[1:])
            with numba.core.cgutils.if_unlikely(builder, status.is_error):
                convention.return_status_propagate(builder, status)
            return context.get_dummy_value()

        return _types.void(_types.intp, *_ARGUMENTS), generate
