"""Compiled functions of a recorded call, found by their address: only those that are called are compiled.

A branch for each kernel would compile all of them wherever one is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import numpy as np

from tinycnn.kernels.jit import numba

_types: Any = numba.types

# What a function of a recorded call is given: (numbers of the call, jobs, slots, image).
_CALL = (_types.int64[::1], _types.int64[:, ::1], _types.int64[:, ::1], _types.int64)

_plain: list[Callable[..., None]] = []  # what an address stands for where nothing is compiled


def function_address(function: Any) -> int:
    """The address of a kernel that is called as `call_function` does, compiled unless it was before."""
    if numba.config.DISABLE_JIT:
        if function not in _plain:
            _plain.append(function)
        return _plain.index(function)
    function.compile(_CALL)
    compiled = function.overloads[_CALL]
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))


def function_table(functions: Iterable[Any], used: set[int]) -> Any:
    """The addresses of those of ``functions`` whose numbers are ``used``, 0 in place of the others."""
    addresses = [
        function_address(function) if number in used else 0
        for number, function in enumerate(functions)
    ]
    return np.array(addresses, np.int64)


def call_function(address: int, call: Any, jobs: Any, slots: Any, image: int) -> None:
    """Call the function at ``address``."""
    _plain[address](call, jobs, slots, image)


if not numba.config.DISABLE_JIT:
    _extending: Any = import_module("numba.extending")

    @_extending.intrinsic  # type: ignore[untyped-decorator]
    def call_function(
        context: Any, address: Any, call: Any, jobs: Any, slots: Any, image: Any
    ) -> Any:
        """See above."""

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            convention = context.call_conv
            kind = convention.get_function_type(_types.none, _CALL)
            function = builder.inttoptr(values[0], kind.as_pointer())
            status, _ = convention.call_function(builder, function, _types.none, _CALL, values[1:])
            with builder.if_then(status.is_error, likely=False):
                convention.return_status_propagate(builder, status)
            return context.get_dummy_value()

        return _types.none(_types.int64, *_CALL), generate
