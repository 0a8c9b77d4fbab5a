"""What an exercise is made of: functions to fill in, cases from easy to hard, and usual mistakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.mistake import Arguments, Mistake

T = TypeVar("T")
Results = tuple[Array, ...]


class Chooser(Protocol):
    """Draws a case's arguments; a search tries many, and of those that fail keeps the simplest."""

    def integer(self, least: int, most: int) -> int:
        """Draw a number from least to most; least is the simplest."""

    def choice(self, values: Sequence[T]) -> T:
        """Draw one of the values; the first is the simplest."""

    def numbers(self, *shape: int) -> Array:
        """Draw an array of numbers; zeros are the simplest."""

    def distinct(self, *shape: int) -> Array:
        """Draw an array of which no two numbers are equal: 0, 1, 2, ... in some order."""

    def few(self, *shape: int) -> Array:
        """Draw an array of few different numbers, so that some are equal."""


@dataclass(frozen=True)
class Seed:
    """Stands for a Generator among the arguments: each call gets a fresh one of this seed."""

    number: int

    def __str__(self) -> str:
        return f"np.random.default_rng({self.number})"

    def generator(self) -> np.random.Generator:
        """Make the Generator."""
        return np.random.default_rng(self.number)


@dataclass(frozen=True)
class Case:
    """Inputs of one kind: ``draw`` makes some.

    ``rule``, where there is one, says what is wrong with the results beyond their values, or "".
    ``unlike`` has other arguments, which have to give other results, and the words if they do not.
    ``once`` is for what takes long, a training: one call on one input is all there is.
    ``by_differences`` tells whether numerical differences can judge here, which equal maxima forbid.
    """

    name: str
    draw: Callable[[Chooser], Arguments]
    rule: Callable[[Arguments, Results], str] | None = None
    by_differences: bool = True
    once: bool = False
    unlike: tuple[Callable[[Arguments], Arguments], str] | None = None


@dataclass(frozen=True)
class Differentiable:
    """A gradient as numerical differences judge it.

    ``forward(*arrays)`` gives y, ``arguments(dy, *arrays)`` what the function in question is called
    with, and ``gradients(dy, results)`` a gradient for each of the arrays, in their order.
    """

    arrays: dict[str, Array]
    forward: Callable[..., Array]
    arguments: Callable[..., Arguments]
    gradients: Callable[[Array, Results], tuple[Array, ...]] = lambda dy, results: results


@dataclass(frozen=True)
class Assignment:
    """A function to be filled in.

    ``expected`` is its naive twin. It gets the arguments and, under their names, the results that
    came: a dropout's y follows from the mask that was drawn. ``pair`` is given where the function
    is a gradient.
    """

    function: str
    results: tuple[str, ...]
    expected: Callable[[Arguments], Results]
    cases: tuple[Case, ...]
    mistakes: tuple[Mistake, ...] = ()
    pair: Callable[[Arguments], Differentiable] | None = None


@dataclass(frozen=True)
class Exercise:
    """A file to be filled in: its name, what it is about, its functions."""

    name: str
    title: str
    tasks: tuple[Assignment, ...]
