"""Code that users wrote: loaded from FILE.py:NAME, and its errors in words with file and line."""

from __future__ import annotations

import ast
import re
import sys
import tokenize
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from tinycnn.checking.targets.neighbours import offer
from tinycnn.errors import ArgumentError, FileError, TinyCNNError, UnknownNameError
from tinycnn.files import expect_regular, is_there, reason
from tinycnn.layers import Layer
from tinycnn.model import Sequential
from tinycnn.wording import a, format_user_error

Own = Layer | Sequential


def load(source: str, arguments: str = "") -> Callable[[], Own]:
    """Run the file of "FILE.py:NAME" and give a function that makes what NAME stands for.

    NAME is a layer or model, or a class or function that makes one; it is called with
    ``arguments``, literals as in a call: "4, kernel=(3, 2)". Raises FileError, UnknownNameError or
    ArgumentError with the file and line where the code is at fault.
    """
    module, value = value_of(source)
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
        with reporting(source, source.rpartition(":")[0]):
            made = value(*positional, **named)
        if not isinstance(made, Own):
            raise ArgumentError(
                f"{source} must make a tinycnn.layers.Layer or a tinycnn.Sequential, got "
                f"{a(type(made).__name__)}"
            )
        return made

    return make


def value_of(source: str) -> tuple[ModuleType, Any]:
    """Run the file of "FILE.py:NAME" and give its module, and what NAME is there."""
    file, _, name = source.rpartition(":")
    module = module_of(Path(file))
    if name not in vars(module):
        raise UnknownNameError(f"{file} defines no {name!r}; {_offered(module)}")
    return module, vars(module)[name]


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
    """Run a file as a module that pickle finds again, and that can import what stands beside it."""
    source = source_of(path)
    module = ModuleType(_module_name(path))
    module.__file__ = str(path.resolve())
    sys.modules[module.__name__] = module
    offer(path.resolve().parent)
    with reporting(str(path), str(path)):
        exec(compile(source, str(path), "exec", dont_inherit=True), vars(module))
    return module


def source_of(path: Path) -> str:
    """The text of a file, in the encoding that it names; raises FileError where it can't be read."""
    if is_there(path):
        expect_regular(path, "Python file")
    try:
        with tokenize.open(path) as stream:
            return stream.read()
    except (OSError, ValueError, SyntaxError) as error:  # of a wrong name of an encoding
        raise FileError(f"{str(path)!r} cannot be read: {reason(error)}") from error


def _module_name(path: Path) -> str:
    """A name that pickle can import, whatever the file is called: a dot would make it a submodule.

    The checksum tells files of one name in two folders apart, and names that differ in signs only.
    """
    checksum = zlib.crc32(str(path.resolve()).encode(errors="surrogatepass"))
    word = re.sub(r"\W", "_", path.stem, flags=re.ASCII)
    return f"tinycnn_target_{word}_{checksum:08x}"


@contextmanager
def reporting(what: str, file: str) -> Iterator[None]:
    """Turn whatever the code of ``file`` raises into one line: ``what`` fails."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise FileError(f"{what} fails: {format_user_error(error, {file})}") from error


@contextmanager
def running(source: str) -> Iterator[None]:
    """The same while the model of "FILE.py:NAME" is at work, for what its code raises.

    What this package raises on purpose stays as it is, and so does a result that can't be written.
    """
    file = source.rpartition(":")[0]
    try:
        yield
    except TinyCNNError:
        raise
    except (Exception, SystemExit) as error:
        theirs = any(f.filename == file for f in traceback.extract_tb(error.__traceback__))
        if isinstance(error, OSError) and not theirs:
            raise
        with reporting(source, file):
            raise


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
