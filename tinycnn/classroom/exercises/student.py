"""A file that somebody else wrote: run, its functions called, whatever goes wrong turned into words."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn.arrays import read_only
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.checking.targets.own_code import format_user_error, module_of
from tinycnn.classroom.exercises.exercise import Seed
from tinycnn.errors import FileError
from tinycnn.wording import a, said


@dataclass(frozen=True)
class Trouble:
    """Why there is no result: its kind ("not begun", "raises", ...), and the words for it."""

    kind: str
    text: str


@dataclass(frozen=True)
class File:
    """A file that has been run: what it defines."""

    path: Path
    names: dict[str, Any]

    def function(self, name: str) -> Callable[..., Any] | Trouble:
        """Look up a function."""
        found = self.names.get(name)
        if callable(found):
            return found  # type: ignore[no-any-return]
        why = "there is no function" if found is None else f"{a(type(found).__name__)} is named"
        return Trouble("missing", f"{why} {name} in {self.path.name}: keep the skeleton's names")

    def call(self, function: Callable[..., Any], arguments: Arguments) -> Any | Trouble:
        """Call a function, arrays read-only and by place, a fresh Generator for each Seed."""
        values = [_handed(value) for value in arguments.values()]
        try:
            with _quietly():
                return function(*values)
        except (Exception, SystemExit) as error:
            return self._words(error, f"{function.__name__}({', '.join(arguments)})")

    def _words(self, error: BaseException, call: str) -> Trouble:
        words = format_user_error(error, {str(self.path)})
        if isinstance(error, NotImplementedError):
            return Trouble("not begun", f"not written yet: {words}")
        if isinstance(error, ValueError) and "read-only" in said(error):
            return Trouble(
                "mutates",
                f"it writes to an array that was handed in, which is still in use elsewhere; make an "
                f"array of your own first, with .copy() or np.zeros: {words}",
            )
        return Trouble("raises", f"{call} raises {words}")


def run(path: Path) -> File | Trouble:
    """Run a file; where it cannot be run, the Trouble has the line."""
    try:
        with _quietly():
            return File(path, vars(module_of(path)))
    except FileError as error:
        return Trouble("raises", str(error))


def _handed(value: Any) -> Any:
    if isinstance(value, Seed):
        return value.generator()
    return read_only(value.copy()) if isinstance(value, np.ndarray) else value


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """What the file prints would come hundreds of times, as would warnings of what is reported anyway."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
