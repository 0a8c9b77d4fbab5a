"""What is left to a reader who predicts a number: a step to take, and where it may go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Answer = float | tuple[int, ...]  # a number, or the numbers of a place or a shape


@dataclass(frozen=True)
class Slip:
    """A wrong ``answer`` that is likely, and ``words`` that say how it comes about."""

    answer: Answer
    words: str


@dataclass(frozen=True)
class Task:
    """A step from one number to the next, in words without its result, and as a function.

    ``missing`` says that it was left out.
    """

    words: str
    missing: str
    apply: Callable[[float], float]
