"""One call of a function that somebody else wrote; whatever goes wrong in it is turned into words."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from tinycnn.wording import a, format_user_error, said

# The kinds of trouble after which a process begins anew.
ENDINGS = ("timeout", "ended", "memory")


@dataclass(frozen=True)
class Trouble:
    """Why there is no result: its kind ("not begun", "raises", "timeout", ...), and the words for it."""

    kind: str
    text: str


def look_up(names: Mapping[str, Any], name: str, place: str) -> Callable[..., Any] | Trouble:
    """Look up a function among what ``place`` defines."""
    found = names.get(name)
    if callable(found):
        return found  # type: ignore[no-any-return]
    why = "there is no function" if found is None else f"{a(type(found).__name__)} is named"
    return Trouble("missing", f"{why} {name} in {place}: keep the skeleton's names")


def call(
    function: Callable[..., Any], values: tuple[Any, ...], words: str, files: Container[str]
) -> Any | Trouble:
    """Call ``function``; ``words`` say how, ``files`` are those whose lines are told.

    Warnings are dropped: they would come hundreds of times, and what they are about is reported anyway.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*values)
    except MemoryError:
        return Trouble("memory", f"{words} asks for more memory than it may have")
    except (Exception, SystemExit) as error:
        return _raised(error, words, files)


def _raised(error: BaseException, words: str, files: Container[str]) -> Trouble:
    told = format_user_error(error, files)
    if isinstance(error, NotImplementedError):
        return Trouble("not begun", f"not written yet: {told}")
    if isinstance(error, ValueError) and "read-only" in said(error):
        return Trouble(
            "mutates",
            f"it writes to an array that was handed in, which is still in use elsewhere; make an "
            f"array of your own first, with .copy() or np.zeros: {told}",
        )
    return Trouble("raises", f"{words} raises {told}")
