"""A mistake as a value: in the gradient of any function, or in one operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tinycnn.arrays import Array

Arguments = dict[str, Any]  # a function's arguments by name, in the order of its signature


class MistakenArray(NamedTuple):
    """A gradient as one mistake makes it, NaN where that is not known.

    The words are used as in "looks like ``words``, because all 24 entries known ``agreement``".
    """

    kind: str  # "flipped kernel", "mask", ...
    words: str
    array: Array
    agreement: str = "agree with it"


@dataclass(frozen=True)
class Mistake:
    """A mistake in one operation: what its ``result`` then is, and the words with a hint.

    ``make`` gets the operation's arguments by name and, under their names, the results that came.
    """

    result: str
    make: Callable[[Arguments], Array]
    text: str


def mistakes_in(
    result: str, *pairs: tuple[Callable[[Arguments], Array], str]
) -> tuple[Mistake, ...]:
    """Mistakes in one ``result``, each made and told."""
    return tuple(Mistake(result, make, text) for make, text in pairs)
