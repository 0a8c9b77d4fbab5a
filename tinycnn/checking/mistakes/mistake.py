"""A mistake as a value: in the gradient of any function, or in one operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.hints import HINTS, Hint

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
    """A mistake in one operation: what its ``result`` then is, its kind, and the words with a hint.

    ``make`` gets the operation's arguments by name and, under their names, the results that came.
    """

    result: str
    make: Callable[[Arguments], Array]
    kind: str
    text: str

    @property
    def hint(self) -> Hint:
        """What the mistake teaches."""
        return HINTS[self.kind]


def mistakes_in(
    result: str, *those: tuple[Callable[[Arguments], Array], str, str]
) -> tuple[Mistake, ...]:
    """Mistakes in one ``result``: how each is made, its kind, and its words."""
    return tuple(Mistake(result, *one) for one in those)
