"""``@kernel`` compiles a loop: the one place that knows Numba, and where compiled code is kept.

Compiling takes seconds, so compiled kernels are kept on disk for the next start. Numba's own
``cache=True`` looks only at the function's own file: after an edit to a jitted callee or to a
constant in another file it runs the old code, a warm cache hides ``NUMBA_BOUNDSCHECK``, and a
damaged file crashes the call. The cache here has one file for each function and signature, in a
directory named after all that their code depends on (`_generation`), and checks a SHA-256 before
it unpickles. Whatever goes wrong with the files costs a compilation, never a call.

The files are in ``$TINYCNN_CACHE_DIR``, or in ``tinycnn`` in the user's cache directory; removing
them is always safe. A directory that others may write to is refused; see `private_files`.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Set
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, overload

from tinycnn.kernels import private_files, source_files
from tinycnn.kernels.compilers import Compiler, PartCompiler, SharedCompiler
from tinycnn.kernels.numba_start import numba as numba

_Function = TypeVar("_Function", bound=Callable[..., Any])

# What fastmath=True adds to these takes for granted that nothing is NaN or infinite.
_FASTMATH = frozenset({"reassoc", "contract", "arcp", "nsz"})


@overload
def kernel(function: _Function) -> _Function: ...
@overload
def kernel(*, fastmath: Set[str] = ..., shared: bool = ...) -> Callable[[_Function], _Function]: ...
def kernel(function: Any = None, *, fastmath: Set[str] = frozenset(), shared: bool = False) -> Any:
    """Compile a kernel, or a function that kernels call: serial, and without the GIL.

    ``fastmath`` names what the compiler may do to floating point, as in
    ``@kernel(fastmath={"reassoc"})``. What many kernels call and is too large to become a part of them
    is ``shared``: its code is made once. ``NUMBA_BOUNDSCHECK=1`` checks every index, and under
    ``NUMBA_DISABLE_JIT=1`` the function stays as it is. Functions in this folder are cached: they
    may use only constants and compiled functions that are written in its files. One from elsewhere
    is compiled at every start.
    """
    if not fastmath <= _FASTMATH:
        raise ValueError(f"fastmath may hold {sorted(_FASTMATH)}, not {sorted(fastmath)}")

    def compiled(function: Any) -> Any:
        kept = _is_cacheable(function)
        if shared and kept:
            called = inner = _dispatcher(function, fastmath, SharedCompiler, kept=True)
        else:
            called = _dispatcher(function, fastmath, Compiler, kept=kept)
            # Another one for compiled callers, without what unpacks Python's arguments; see `compilers`.
            inner = _dispatcher(function, fastmath, PartCompiler, kept=kept)
        if called is not function:
            called.get_call_template = _without_literals(inner.get_call_template)
            called.get_overload = inner.get_overload
        return called

    return compiled if function is None else compiled(function)


def _dispatcher(function: Any, fastmath: Set[str], compiler: type[Compiler], *, kept: bool) -> Any:
    """What Numba makes of a function; with a cache of ours, if its code is to be ``kept``."""
    dispatcher = numba.njit(
        nogil=True, error_model="numpy", boundscheck=None, fastmath=set(fastmath),
        no_cfunc_wrapper=True, no_cpython_wrapper=compiler is PartCompiler, pipeline_class=compiler,
    )(function)  # fmt: skip
    if kept and dispatcher is not function:
        line, options = function.__code__.co_firstlineno, (sorted(fastmath), compiler.__name__)
        dispatcher._cache = _Cache(compiler, function.__module__, function.__name__, line, *options)
    return dispatcher


def _without_literals(template: Any) -> Any:
    """A dispatcher's way of being called by compiled code, with constants taken as plain numbers.

    Numba compiles a callee anew for each combination of constants that it is called with.
    """

    def get_call_template(args: Any, kws: Any) -> Any:
        unliteral = numba.types.unliteral
        return template(
            tuple(map(unliteral, args)), {name: unliteral(kind) for name, kind in kws.items()}
        )

    return get_call_template


def _choose_lanes() -> int:
    """Numbers of float32 that a register holds: TINYCNN_LANES, else what the processor has."""
    chosen = os.environ.get("TINYCNN_LANES")
    if chosen is not None:
        if chosen not in ("4", "8", "16"):
            raise ImportError(f"TINYCNN_LANES must be 4, 8 or 16, got {chosen!r}")
        return int(chosen)
    features = numba.config.CPU_FEATURES
    if features is None:
        features = import_module("numba.core.codegen").get_host_cpu_features()
    has = set(features.split(","))
    return 16 if "+avx512f" in has else 8 if {"+avx2", "+fma"} <= has else 4


LANES = _choose_lanes()  # once a process: compiled code has it built in
# Kernels are machine code, and no exception leaves them: they are neither plain Python nor check bounds.
NEVER_RAISE = not (numba.config.DISABLE_JIT or numba.config.BOUNDSCHECK)

_SOURCES = source_files.hash_now()


def _is_cacheable(function: Any) -> bool:
    """Whether `_SOURCES` and the function's name say all about its code.

    They do not for code from elsewhere, nor once a file has changed in a running process: whether
    a module was imported before or after the edit is then unknown.
    """
    file = Path(function.__code__.co_filename).resolve()
    if not (file.is_relative_to(source_files.FOLDER) and file.is_file()):
        return False
    if function.__qualname__ != function.__name__:
        # Numba tells namesakes apart by the order of compilation. Read from files, code of two
        # closures of one name has been linked as one: silently wrong numbers.
        raise TypeError(f"{function.__qualname__}: a kernel must be at the top level of its file")
    return source_files.hash_now() == _SOURCES


class _Cache(getattr(sys.modules.get("numba.core.caching"), "NullCache", object)):  # type: ignore[misc]
    """The compiled signatures of one function on disk, as a dispatcher of Numba asks for them.

    Numba calls its cache by private names. Where these have moved, it compiles at every start.
    """

    def __init__(self, compiler: type[Compiler], *identity: object) -> None:
        self._compiler = compiler
        self._identity = identity  # of the function, among the sources
        self._enabled = True

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled function, or None when it must be compiled."""
        try:
            path = self._path(sig, target_context.codegen())
            payload = private_files.read(path) if self._enabled else None
            if payload is not None:
                with suppress(OSError):  # a cache that can only be read serves as well
                    os.utime(path.parent)  # for `_remove_unused`
                return self._compiler.rebuilt(target_context, *pickle.loads(payload))
        except Exception as error:
            _warn_once(error)
        _announce(self._identity[1])
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the compiled function, unless it holds addresses of this process."""
        try:
            if self._enabled and not data.lifted and not data.library.has_dynamic_globals:
                payload = numba.core.serialize.dumps(data._reduce())
                path = self._path(sig, data.codegen)
                is_first = not path.parent.exists()
                private_files.write(path, payload)
                if is_first:
                    _remove_unused(path.parent.parent)
        except Exception as error:
            _warn_once(error)

    def flush(self) -> None:
        """Called by ``recompile()`` after globals changed: the sources no longer tell the code."""
        self._enabled = False

    def _path(self, sig: Any, codegen: Any) -> Path:
        return _root() / _generation(codegen) / _hash((self._identity, sig))


_announced = False


def _announce(name: object) -> None:
    """Say once a process, on stderr, why the first call of a kernel takes so long."""
    global _announced
    if not _announced and os.environ.get("TINYCNN_QUIET") is None:
        _announced = True
        once = "at every start" if _warned else "once on this machine, for they are kept"
        _say(f"compiling kernels for this processor, {name} first: up to half a minute, {once}")


def _say(text: str) -> None:
    with suppress(OSError, ValueError):  # the disk is full, or stderr closed: no reason to fail
        print(f"tinycnn: {text}", file=sys.stderr)


_warned = False


def _warn_once(error: Exception) -> None:
    global _warned
    if not _warned:
        _warned = True
        message = (
            f"compiled kernels cannot be kept, every start compiles them again: {error!r}; "
            "TINYCNN_CACHE_DIR can name another directory for them"
        )
        try:
            warnings.warn(message, RuntimeWarning, stacklevel=3)
        except RuntimeWarning:  # where warnings are errors; this one costs no call
            _say(message)


def _hash(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:32]


# Settings of Numba that change no code, yet often differ from one start to the next.
_IRRELEVANT = {"CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_DEFAULT_NUM_THREADS"}


def _generation(codegen: Any) -> str:
    """The directory for all that code depends on, except for the function and its signature."""
    numba.config.reload_config()  # as the compiler does: the environment may have changed
    settings = vars(numba.config).items()
    relevant = ((k, repr(v)) for k, v in settings if k.isupper() and k not in _IRRELEVANT)
    return _generation_of(codegen, tuple(sorted(relevant)))


@cache
def _generation_of(codegen: Any, settings: tuple[tuple[str, str], ...]) -> str:
    everything = (
        _SOURCES,
        [sys.version, *(import_module(m).__version__ for m in ("numba", "llvmlite", "numpy"))],
        sys.flags.optimize,  # `python -O` leaves out each `assert`
        codegen.magic_tuple(),  # the processor
        LANES,
        settings,
    )
    return f"kernels-{_hash(everything)}"


def _root() -> Path:
    """The directory of all generations, where links lead to; "~" is the home directory."""
    chosen = os.environ.get("TINYCNN_CACHE_DIR")
    root = Path(chosen) if chosen else Path(_user_cache()) / "tinycnn"
    return Path(os.path.realpath(root.expanduser()))


def _user_cache() -> Path | str:
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"


def _remove_unused(root: Path) -> None:
    """Remove the generations that nobody has read or written for thirty days."""
    for directory in root.iterdir():
        with suppress(OSError):  # another process may be at it too
            unused = time.time() - directory.stat().st_mtime
            if re.fullmatch("kernels-[0-9a-f]{32}", directory.name) and unused > 30 * 24 * 3600:
                shutil.rmtree(directory)
