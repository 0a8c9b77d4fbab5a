"""Answers that follow from a few numbers and words, worked out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

# Of each function, answers for the arguments that were asked last: a large network's shapes, several times.
_MOST = 512


def remembered(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Keep what ``function`` answers to ints, words and tuples of them; for others it is asked each time.

    True is equal to 1, and 1.0 too, but may be refused where 1 is not: so types count. An error is not kept.
    What is answered is handed out again and must not change.
    """
    kept: Any = lru_cache(maxsize=_MOST, typed=True)(function)

    @wraps(function)
    def ask(*arguments: _P.args, **options: _P.kwargs) -> _R:
        given = (*arguments, *options.values()) if options else arguments
        for value in given:
            if type(value) not in _WHOLE and not (type(value) is tuple and _are_plain(value)):
                return function(*arguments, **options)
        answer: _R = kept(*arguments, **options)
        return answer

    return ask


# Of an argument, whose type is part of what is remembered; within a tuple only whole numbers and words.
_WHOLE = {int, str, bool, type(None)}
_PLAIN = {int, str}


def _are_plain(values: tuple[Any, ...]) -> bool:
    kinds = {*map(type, values)}
    if kinds <= _PLAIN:
        return True
    kinds.discard(tuple)
    return kinds <= _PLAIN and all(_are_plain(v) for v in values if type(v) is tuple)
