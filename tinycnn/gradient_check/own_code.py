"""Code that users wrote: loaded from FILE.py:NAME, and its errors told with file and line."""

from __future__ import annotations

import ast
import sys
import traceback
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tinycnn.errors import ArgumentError, FileError, UnknownNameError
from tinycnn.layers import Layer
from tinycnn.model import Sequential
from tinycnn.wording import a

Own = Layer | Sequential


def load(source: str, arguments: str = "") -> Callable[[], Own]:
    """Run the file of "FILE.py:NAME" and give a function that makes what NAME stands for.

    NAME is a layer or model, or a class or function that makes one; it is called with
    ``arguments``, literals as in a call: "4, kernel=(3, 2)". Raises FileError, UnknownNameError or
    ArgumentError with the file and line where the code is at fault.
    """
    file, _, name = source.rpartition(":")
    module = module_of(Path(file))
    if name not in vars(module):
        raise UnknownNameError(f"{file} defines no {name!r}; {_offered(module)}")
    value = vars(module)[name]
    positional, named = _literals(arguments)
    if isinstance(value, Own):
        if arguments:
            raise ArgumentError(f"{source} is made already; arguments are for a class or function")
        return lambda: value
    if not callable(value):
        raise ArgumentError(
            f"{source} must be a layer, a model, or what makes one, got {a(type(value).__name__)}; "
            f"{_offered(module)}"
        )

    def make() -> Own:
        with _reporting(source, file):
            made = value(*positional, **named)
        if not isinstance(made, Own):
            raise ArgumentError(
                f"{source} must make a tinycnn.layers.Layer or a tinycnn.Sequential, got "
                f"{a(type(made).__name__)}"
            )
        return made

    return make


def layers_in(file: str) -> str:
    """What a file offers to be checked, in words."""
    return _offered(module_of(Path(file)))


def told(error: BaseException, files: Container[str]) -> str:
    """An error in one line, with the last place in ``files`` that it passed through."""
    words = " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    places = [
        f" ({Path(frame.filename).name}, line {frame.lineno})"
        for frame in frames
        if frame.filename in files
    ]
    name = type(error).__name__
    return (
        f"{name}: {words}{places[-1] if places else ''}"
        if words
        else f"{name}{''.join(places[-1:])}"
    )


def _offered(module: ModuleType) -> str:
    names = [
        name
        for name, value in vars(module).items()
        if isinstance(value, Own)
        or (
            isinstance(value, type)
            and issubclass(value, Layer)
            and value.__module__ == module.__name__
        )
    ]
    return f"it has {', '.join(names)}" if names else "it has no layer and no model"


def module_of(path: Path) -> ModuleType:
    """Run a file as a module that pickle finds again; nothing is written beside it."""
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise FileError(f"{str(path)!r} cannot be read: {why}") from error
    module = ModuleType(f"tinycnn_target_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(path.parent))  # its neighbours can be imported, as when it is run
    try:
        with _reporting(str(path), str(path)):
            exec(compile(source, str(path), "exec", dont_inherit=True), vars(module))
    finally:
        sys.path.remove(str(path.parent))
    return module


@contextmanager
def _reporting(what: str, file: str) -> Iterator[None]:
    """Turn whatever a user's code raises into one line."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise FileError(f"{what} fails: {told(error, {file})}") from error


def _literals(arguments: str) -> tuple[list[Any], dict[str, Any]]:
    try:
        call = ast.parse(f"make({arguments})", mode="eval").body
        if not isinstance(call, ast.Call) or ast.unparse(call.func) != "make":
            raise ValueError
        positional = [ast.literal_eval(value) for value in call.args]
        named = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords if word.arg}
    except (SyntaxError, ValueError, TypeError) as error:
        raise ArgumentError(
            f"arguments must be literals as in a call, such as 4, kernel=(3, 2), got {arguments!r}"
        ) from error
    return positional, named
