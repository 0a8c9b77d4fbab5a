"""How Numba compiles kernels: machine code is made once, of what is called from outside compiled code.

Numba optimises each function and makes machine code of it before it compiles a caller, which holds a copy and
is optimised with it again: a loop that is five calls deep was compiled five times. A *part*, which only
compiled code calls, is translated to LLVM's language and tidied up, each function by itself. What Python
calls, or a program by its address, is optimised with all its parts. What is *shared* is so too, but callers
hold no copy of it: they call its machine code, which is found by its symbol.
"""

from __future__ import annotations

import gc
from copy import copy
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import BuiltinFunctionType
from typing import Any

from tinycnn.kernels.numba_start import numba

_codegen: Any = import_module("numba.core.codegen")
_ir: Any = import_module("llvmlite.ir")
_llvm: Any = import_module("llvmlite.binding")
_BYTE: Any = _ir.IntType(8)  # any type serves for a symbol
_NOT_OF_THE_RUNTIME = ("llvm.", "_Z")  # LLVM's operations, and kernels that are shared

_passes: Any = (
    import_module("numba.core.untyped_passes"),
    import_module("numba.core.typed_passes"),
)

# Passes over a function that kernels have no need of: closures, expressions of whole arrays, and others' code
# in place of a call. Each reads all of it, and most have it analysed anew.
_NEEDLESS = {
    getattr(module, name)
    for module in _passes
    for name in (
        "WithLifting", "InlineClosureLikes", "MakeFunctionToJitFunction", "InlineInlinables",
        "FindLiterallyCalls", "LiteralUnroll", "LiteralPropagationSubPipelinePass", "InlineOverloads",
        "NopythonRewrites", "DumpParforDiagnostics",
    )
    if hasattr(module, name)
}  # fmt: skip


class _Flags(numba.core.compiler.Flags):  # type: ignore[misc]
    """Numba's flags of a compilation, one object for all of the same values: they are compared often."""

    __slots__ = ()
    __eq__, __hash__ = object.__eq__, object.__hash__

    def copy(self) -> Any:
        """The flags that hold for what is compiled meanwhile: whatever wrappers this one has."""
        return _flags(self)


_known_flags: dict[str, _Flags] = {}


def _flags(flags: Any) -> _Flags:
    common = _Flags(flags)
    common.discard("no_cpython_wrapper")
    return _known_flags.setdefault(common.summary(), common)


class _Typing(numba.core.typing.Context):  # type: ignore[misc]
    """What Numba knows of types; of an operator, what it is is looked up once."""

    def __init__(self, context: Any) -> None:
        self.__dict__.update(context.__dict__)
        self._operators: dict[Any, Any] = {}

    def resolve_value_type(self, value: Any) -> Any:
        """Give the type of a value."""
        if not isinstance(value, BuiltinFunctionType):
            return super().resolve_value_type(value)
        if value not in self._operators:
            self._operators[value] = super().resolve_value_type(value)
        return self._operators[value]

    def refresh(self) -> None:
        """Do nothing: Numba's own has been brought up to date."""


_remembering = cache(_Typing)


def _nothing() -> None:
    pass


class _Whole(_codegen.JITCodeLibrary):  # type: ignore[misc]
    """The code of what Python calls, or a program by its address."""

    def serialize_using_object_code(self) -> Any:
        """What the cache keeps of it: machine code, and a module that says its symbols.

        Numba keeps all of it in LLVM's language as well, for its callers; here these hold the part.
        """
        names = _ir.Module()
        for symbol in (*self._final_module.functions, *self._final_module.global_variables):
            if not symbol.is_declaration:
                _ir.GlobalVariable(names, _BYTE, symbol.name).initializer = _BYTE(0)
            elif not symbol.name.startswith(_NOT_OF_THE_RUNTIME):
                _ir.GlobalVariable(names, _BYTE, symbol.name)
        module = _llvm.parse_assembly(str(names)).as_bitcode()
        return self.name, "object", (self._get_compiled_object(), module)

    @classmethod
    def _unserialize(cls, codegen: Any, state: Any) -> Any:
        _, _, (_, module) = state
        needed = _llvm.parse_bitcode(module).global_variables
        _find_runtime([symbol.name for symbol in needed if symbol.is_declaration])
        return super()._unserialize(codegen, state)


def _find_runtime(symbols: list[str]) -> None:
    """Let LLVM find the functions of Numba's runtime that code calls; it would end the process without.

    Before it compiles, Numba compiles some of that runtime, and looks up all that it knows. Code that is only
    read needs neither, and does without some sixty megabytes.
    """
    if all(map(_llvm.address_of_symbol, symbols)):
        return
    for name, address in import_module("numba.core.runtime._nrt_python").c_helpers.items():
        _llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
    if not all(map(_llvm.address_of_symbol, symbols)):
        numba.core.registry.cpu_target.target_context.refresh()


class _Wholes(_codegen.JITCPUCodegen):  # type: ignore[misc]
    """What makes and reads libraries of code."""

    _library_class: Any = _Whole

    def __init__(self, codegen: Any) -> None:
        self.__dict__.update(codegen.__dict__)


class Compiler(numba.core.compiler.Compiler):  # type: ignore[misc]
    """Numba's compiler, which no collection of garbage interrupts: that takes a tenth of its time."""

    libraries: Any = _Wholes

    def __init__(self, typing: Any, target: Any, library: Any, *rest: Any) -> None:
        library = self.libraries(target.codegen()).create_library("kernel")
        library.enable_object_caching()
        super().__init__(typing, target, library, *rest)
        self.state.flags = _Flags(self.state.flags)
        self.state.typingctx = self.state.targetctx.typing_context = _remembering(typing)
        self.state.targetctx.refresh = (
            _nothing  # it has been, and Numba asks whenever it finds no function
        )

    def define_pipelines(self) -> Any:
        """The passes over a function."""
        (manager,) = super().define_pipelines()
        manager.passes = [each for each in manager.passes if each[0] not in _NEEDLESS]
        manager.finalize()
        return [manager]

    def compile_extra(self, function: Any) -> Any:
        """Compile it."""
        collects = gc.isenabled()
        try:
            gc.disable()  # inside, so that an interrupt leaves nothing behind
            return super().compile_extra(function)
        finally:
            if collects:
                gc.enable()

    @classmethod
    def rebuilt(cls, target: Any, *reduced: Any) -> Any:
        """What was compiled, of what the cache kept."""
        target = copy(target)
        target._internal_codegen = cls.libraries(target.codegen())
        compiled = numba.core.compiler.CompileResult._rebuild(target, *reduced)
        compiled.library._reload_init.update(compiled.reload_init)  # callers need the same
        return compiled


class _Part(_codegen.JITCodeLibrary):  # type: ignore[misc]
    """The code of a part, with that of the parts which it calls."""

    def _optimize_final_module(self) -> None:
        """It is optimised with its callers."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Finish it, and say that there is no machine code."""
        self._ensure_finalized()
        return 0

    def serialize_using_object_code(self) -> Any:
        """What the cache keeps of it."""
        return self.serialize_using_bitcode()


class _Shared(_Whole):
    """The code of what is shared."""

    def _get_module_for_linking(self) -> Any:
        """What callers hold of it: nothing."""
        return _llvm.parse_assembly(str(self._codegen._create_empty_module("shared")))


class _SharedLibraries(_Wholes):
    """The same; these are shared."""

    _library_class = _Shared


class _Parts(_Wholes):
    """The same; these are parts."""

    _library_class = _Part

    def set_env(self, name: str, environment: Any) -> None:
        """Leave out the objects of Python that code refers to: there is no code in memory yet."""


class PartCompiler(Compiler):
    """The same for a part."""

    libraries = _Parts


@dataclass(frozen=True)
class _InMemory:
    """Has a shared function in memory before callers are read from the cache, which have its ``symbol``."""

    module: str
    name: str
    arguments: tuple[Any, ...]
    symbol: str

    def __call__(self) -> None:
        dispatcher = getattr(import_module(self.module), self.name)
        dispatcher.compile(self.arguments)
        if dispatcher.overloads[self.arguments].fndesc.mangled_name != self.symbol:
            raise LookupError(f"{self.symbol} is unknown")  # LLVM would end the process


class SharedCompiler(Compiler):
    """The same for what is shared."""

    libraries = _SharedLibraries

    def _compile_bytecode(self) -> Any:
        # A part of the symbol, which is to be the same in each process.
        self.state.func_id.unique_id = 0
        return super()._compile_bytecode()

    def compile_extra(self, function: Any) -> Any:
        """Compile it."""
        return _kept_in_memory(super().compile_extra(function))

    @classmethod
    def rebuilt(cls, target: Any, *reduced: Any) -> Any:
        """What was compiled, of what the cache kept."""
        return _kept_in_memory(super().rebuilt(target, *reduced))


def _kept_in_memory(compiled: Any) -> Any:
    function, arguments = compiled.fndesc, tuple(compiled.signature.args)
    needed = _InMemory(function.modname, function.qualname, arguments, function.mangled_name)
    compiled.library._reload_init.add(needed)
    return compiled
