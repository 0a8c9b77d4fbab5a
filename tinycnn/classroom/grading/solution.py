"""What is graded: functions that are called, from a file in a process of its own, or in this one."""

from __future__ import annotations

import contextlib
import io
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinycnn.arrays import read_only
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.classroom.exercises.exercise import Seed
from tinycnn.classroom.sandbox.calling import Trouble, call, look_up
from tinycnn.classroom.sandbox.output import shortened
from tinycnn.classroom.sandbox.process import Sandbox


class Solution(ABC):
    """Functions by name; ``output`` is what was printed in the last call.

    All calls since `begin` together may take ``seconds``: a case.
    """

    output = ""
    seconds = math.inf
    _spent = 0.0

    def begin(self) -> None:
        """Begin to count the time anew."""
        self._spent = 0.0

    @property
    def out_of_time(self) -> bool:
        """Whether the time is over."""
        return self._spent > self.seconds

    def call(self, function: str, arguments: Arguments) -> Any | Trouble:
        """Call a function, arrays read-only and by place, a fresh Generator for each Seed."""
        values = tuple(map(_handed, arguments.values()))
        start = time.perf_counter()
        try:
            return self._call(function, values, f"{function}({', '.join(arguments)})")
        finally:
            self._spent += time.perf_counter() - start

    @abstractmethod
    def _call(self, function: str, values: tuple[Any, ...], words: str) -> Any | Trouble:
        """Call the function; ``words`` say how, should it go wrong."""


class FileSolution(Solution):
    """A file's functions, in a process of their own."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.seconds = sandbox.allowance.seconds

    def _call(self, function: str, values: tuple[Any, ...], words: str) -> Any | Trouble:
        returned = self.sandbox.call(function, values, words)
        self.output = self.sandbox.output
        return returned


class FunctionSolution(Solution):
    """Functions of this process, which nothing keeps apart from it."""

    def __init__(self, names: Mapping[str, Callable[..., Any]]) -> None:
        self.names = names

    def _call(self, function: str, values: tuple[Any, ...], words: str) -> Any | Trouble:
        found = look_up(self.names, function, "what was handed in")
        if isinstance(found, Trouble):
            return found
        code = getattr(found, "__code__", None)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            returned = call(found, values, words, {code.co_filename} if code else ())
        self.output = shortened(printed.getvalue())
        return returned


def _handed(value: Any) -> Any:
    if isinstance(value, Seed):
        return value.generator()
    if isinstance(value, np.ndarray):
        return read_only(value.copy())
    if isinstance(value, (tuple, list)):
        return type(value)(map(_handed, value))
    if isinstance(value, dict):
        return {name: _handed(item) for name, item in value.items()}
    return value
