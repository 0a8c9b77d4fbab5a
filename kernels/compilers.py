"""How Numba compiles kernels: machine code is made once, of what is called from outside compiled code.

Numba optimises each function and makes machine code of it before it compiles a caller, which holds a copy and
is optimised with it again: a loop that is five calls deep was compiled five times. A *part*, which only
compiled code calls, is translated to LLVM's language and tidied up, each function by itself. What Python
calls, or a program by its address, is optimised with all its parts.
"""

from __future__ import annotations

import gc
from copy import copy
from importlib import import_module
from typing import Any

from tinycnn.kernels.numba_start import numba

_codegen: Any = import_module("numba.core.codegen")


class Compiler(numba.core.compiler.Compiler):  # type: ignore[misc]
    """Numba's compiler, which no collection of garbage interrupts: that takes a tenth of its time."""

    def compile_extra(self, function: Any) -> Any:
        """Compile it."""
        collects = gc.isenabled()
        try:
            gc.disable()  # inside, so that an interrupt leaves nothing behind
            return super().compile_extra(function)
        finally:
            if collects:
                gc.enable()


class PartCompiler(Compiler):
    """The same for a part."""

    def __init__(self, typing: Any, target: Any, library: Any, *rest: Any) -> None:
        super().__init__(typing, target, _Parts(target.codegen()).create_library("part"), *rest)


class _Part(_codegen.JITCodeLibrary):  # type: ignore[misc]
    """The code of a part, with that of the parts which it calls."""

    def _optimize_final_module(self) -> None:
        """It is optimised with its callers."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Say that there is no machine code."""
        return 0

    def serialize_using_object_code(self) -> Any:
        """What the cache keeps of it."""
        return self.serialize_using_bitcode()


class _Parts(_codegen.JITCPUCodegen):  # type: ignore[misc]
    """What makes and reads libraries of code; these are parts."""

    _library_class = _Part

    def __init__(self, codegen: Any) -> None:
        self.__dict__.update(codegen.__dict__)

    def set_env(self, name: str, environment: Any) -> None:
        """Leave out the objects of Python that code refers to: there is no code in memory yet."""


def for_parts(target: Any) -> Any:
    """Numba's target as one whose libraries are parts."""
    target = copy(target)
    target._internal_codegen = _Parts(target.codegen())
    return target
