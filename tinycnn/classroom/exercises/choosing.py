"""How a case's inputs are chosen: the largest, or by hypothesis, which ends with the smallest.

Hypothesis searches for anything that fails; then for the smallest sizes, while a few seeds fill the
arrays; then, the sizes held, for the simplest numbers. Searched for together, sizes would not shrink
far: a smaller one moves all the numbers drawn behind it, and those had to be just so.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, TypeVar

import numpy as np

from tinycnn.arrays import Array
from tinycnn.checking.mistakes.mistake import Arguments
from tinycnn.classroom.exercises.exercise import Case
from tinycnn.errors import MissingExtraError

T = TypeVar("T")
Size = Callable[[int, int], int]  # a number from least to most
Draw = Callable[[Any], Any]  # what hypothesis hands to a composite strategy
_TRIED = 30  # inputs of a case
_SEEDS = 8  # arrays that are tried for each choice of sizes
_TOP = 9  # whole numbers up to here can be followed by hand


class _Choices(ABC):
    """What all choosers do alike: one of several values is a whole number, its place."""

    @abstractmethod
    def integer(self, least: int, most: int) -> int:
        """Draw a number from least to most."""

    def choice(self, values: Sequence[T]) -> T:
        """Draw one of the values."""
        return values[self.integer(0, len(values) - 1)]


@dataclass
class Largest(_Choices):
    """Chooses the largest size, the last of several values, and numbers at random."""

    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def integer(self, least: int, most: int) -> int:
        return most

    def numbers(self, *shape: int) -> Array:
        return self.rng.standard_normal(shape)

    def distinct(self, *shape: int) -> Array:
        return self.rng.permutation(math.prod(shape)).reshape(shape).astype(np.float64)

    def few(self, *shape: int) -> Array:
        return self.rng.integers(0, 2, shape, endpoint=True).astype(np.float64)


@dataclass
class _Filled(_Choices):
    """Gets its sizes from elsewhere, and fills arrays from a seed, with whole numbers."""

    size: Size
    seed: int = 0

    def integer(self, least: int, most: int) -> int:
        return self.size(least, most)

    @cached_property
    def _filler(self) -> Largest:
        return Largest(np.random.default_rng(self.seed))

    def numbers(self, *shape: int) -> Array:
        return self._filler.rng.integers(-_TOP, _TOP, shape, endpoint=True).astype(np.float64)

    def distinct(self, *shape: int) -> Array:
        return self._filler.distinct(*shape)

    def few(self, *shape: int) -> Array:
        return self._filler.few(*shape)


@dataclass
class _Numbers(_Choices):
    """Lets hypothesis choose the numbers; the sizes are given."""

    draw: Draw
    size: Size

    def integer(self, least: int, most: int) -> int:
        return self.size(least, most)

    def numbers(self, *shape: int) -> Array:
        return self._filled(shape, -_TOP, _TOP)

    def distinct(self, *shape: int) -> Array:
        from hypothesis import strategies as st

        order = self.draw(st.permutations(range(math.prod(shape))))
        return np.array(order, np.float64).reshape(shape)

    def few(self, *shape: int) -> Array:
        return self._filled(shape, 0, 2)

    def _filled(self, shape: tuple[int, ...], least: int, most: int) -> Array:
        from hypothesis import strategies as st

        cell = st.integers(least, most)
        cells = self.draw(st.tuples(*[cell] * math.prod(shape)))
        return np.array(cells, np.float64).reshape(shape)


def expect_hypothesis() -> None:
    """Raise MissingExtraError where hypothesis, which looks for the smallest input, is missing."""
    try:
        import hypothesis  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "grading an exercise needs hypothesis: pip install 'tinycnn[test]'"
        ) from error


def smallest(case: Case, fails: Callable[[Arguments], bool]) -> Arguments | None:
    """Give the smallest input of ``case`` that fails, or None if none of those tried does."""
    from hypothesis import strategies as st

    def any_input(draw: Draw) -> Arguments:
        seed = draw(st.integers(0, 99))
        return case.draw(_Filled(lambda least, most: draw(st.integers(least, most)), seed))

    def any_sizes(draw: Draw) -> list[int]:
        drawn: list[int] = []

        def size(least: int, most: int) -> int:
            drawn.append(draw(st.integers(least, most)))
            return drawn[-1]

        case.draw(_Filled(size))
        return drawn

    def of_sizes(sizes: list[int]) -> Arguments | None:
        for seed in range(_SEEDS):
            arguments = case.draw(_Filled(_replayed(sizes), seed))
            if fails(arguments):
                return arguments
        return None

    some = _found(any_input, fails, shrink=False)
    if some is None:
        return None
    sizes = _found(any_sizes, lambda sizes: of_sizes(sizes) is not None)
    if sizes is None:
        return some
    simplest = _found(lambda draw: case.draw(_Numbers(draw, _replayed(sizes))), fails)
    return simplest if simplest is not None else of_sizes(sizes)


def _replayed(sizes: list[int]) -> Size:
    """Give the same sizes again, one after the other."""
    again = iter(sizes)
    return lambda least, most: next(again)


def _found(
    make: Callable[[Draw], T], fails: Callable[[T], bool], *, shrink: bool = True
) -> T | None:
    """Give something that ``make`` draws and that fails, the simplest; None if none does every time."""
    from hypothesis import HealthCheck, Phase, Verbosity, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import Flaky, NoSuchExample

    @st.composite
    def drawn(draw: Draw) -> T:
        return make(draw)

    quietly = settings(
        max_examples=_TRIED,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(drawn(), fails, settings=quietly, random=Random(0))
    except (NoSuchExample, Flaky):
        return None
