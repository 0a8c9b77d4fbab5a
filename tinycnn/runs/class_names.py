"""The names of classes, as they are given or in a file: one on a line, or as JSON."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tinycnn.errors import ArgumentError, FileError
from tinycnn.files import expect_regular, reason
from tinycnn.wording import many

_LONGEST = 10_000_000  # bytes
_WHAT = "file of class names"
_SHAPES = 'a list of names, or an object such as {"0": "tench"} or {"0": ["n01440764", "tench"]}'


def read_class_names(path: str | Path, count: int) -> tuple[str, ...]:
    """Read the names of ``count`` classes, in the order of their numbers, from a UTF-8 file.

    A name a line; of a .json file a list of names, or an object that has for each number its name or, as
    Keras has it, a list that ends in its name. A class without a name has "", and several may have the same.
    Raises FileError for what is no such file, and as `as_class_names` does.
    """
    path = Path(path)
    text = _text(path)
    names = _listed(text, path) if path.suffix.lower() == ".json" else _lines(text)
    return as_class_names(names, count, repr(path.name))


def as_class_names(names: Iterable[str], count: int, source: str) -> tuple[str, ...]:
    """The names of ``count`` classes, which come from ``source``, without space around them.

    Raises ArgumentError for another number of names, and for one that is no text.
    """
    given = tuple(names) if isinstance(names, Iterable) and not isinstance(names, str) else (None,)
    if not all(isinstance(name, str) for name in given):
        raise ArgumentError(f"{source} must be a list of names, got {names!r:.80}")
    found = tuple(str(name).strip() for name in given)
    for number, name in enumerate(found):
        if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in name):
            raise ArgumentError(f"{source} names class {number} {name!r:.80}, which is no text")
    if len(found) != count:
        raise ArgumentError(
            f"{source} has {many(len(found), 'name')}, and the network tells {many(count, 'class')} apart"
        )
    return found


def _text(path: Path) -> str:
    if expect_regular(path, _WHAT) > _LONGEST:
        raise FileError(f"{str(path)!r} is too large for a {_WHAT}: at most {_LONGEST:,} bytes")
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise FileError(f"{str(path)!r} cannot be read as UTF-8: {reason(error)}") from error


def _lines(text: str) -> list[str]:
    return text.rstrip().split("\n") if text.strip() else []


def _listed(text: str, path: Path) -> list[str]:
    """The names that JSON has, in order."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path.name!r} is no JSON: {reason(error)}") from error
    if isinstance(data, dict):
        numbers = [str(number) for number in range(len(data))]
        if set(data) != set(numbers):
            raise FileError(f"{path.name!r} must have the numbers 0 .. {len(data) - 1}, each once")
        data = [_last(data[number]) for number in numbers]
    if not isinstance(data, list) or not all(isinstance(name, str) for name in data):
        raise FileError(f"{path.name!r} must hold {_SHAPES}")
    return data


def _last(named: Any) -> Any:
    return named[-1] if isinstance(named, list) and named else named
