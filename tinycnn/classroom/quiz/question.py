"""What a question is made of, and what questions are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.examples.arithmetic import Value, text
from tinycnn.explain.examples.calculation import Result, engine

Random = np.random.Generator
_Choice = TypeVar("_Choice")


@dataclass(frozen=True)
class LayerTable:
    """A table of layers: rows under a head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


# A paragraph, in which `backticks` mark what is set like code; matrices side by side; a table.
Block = str | tuple[Value, ...] | LayerTable


@dataclass(frozen=True)
class Question:
    """A question and its answer; ``working`` is how one gets there, line by line."""

    topic: str
    text: tuple[Block, ...]
    answer: tuple[Block, ...]
    working: tuple[str, ...]
    lines: int = 3  # to write on


def small(rng: Random, low: int, high: int, *shape: int) -> Array:
    """Whole numbers from ``low`` to ``high``, as float64."""
    return rng.integers(low, high, shape, endpoint=True).astype(np.float64)


def pick(rng: Random, choices: Sequence[_Choice]) -> _Choice:
    """One of ``choices``."""
    return choices[int(rng.integers(len(choices)))]


def cell(rng: Random, *shape: int) -> tuple[int, ...]:
    """A place in an array of that shape."""
    return tuple(int(rng.integers(size)) for size in shape)


def weights(rng: Random, *shape: int) -> Array:
    """Small weights, most of them not zero."""
    while True:
        drawn = small(rng, -2, 2, *shape)
        if np.count_nonzero(drawn) > drawn.size // 2:
            return drawn


def named(name: str, array: Array, *shape: int) -> Value:
    """An array for the ops, drawn as people do."""
    return Value.of(name, array.reshape(shape) if shape else array)


def slices(name: str, array: Array) -> tuple[Value, ...]:
    """The matrices of an array (rows, columns, ...), each under its name: ``W[:,:,0,1]``.

    What belongs to one filter, the last axis, stands together.
    """
    places = sorted(np.ndindex(*array.shape[2:]), key=lambda place: place[::-1])
    return tuple(
        Value(at(name, ":", ":", *place), array[:, :, *place], array.shape[:2]) for place in places
    )


def at(name: str, *place: int | str) -> str:
    """A cell's name: ``z[1,2]``."""
    return f"{name}[{','.join(map(str, place))}]"


def said(result: Result, *place: int) -> str:
    """A cell and what it is: ``z[1,2] = 3``."""
    return f"`{at(result.value.name, *place)} = {text(float(result.value.drawn[place]))}`"


def worked(
    op: str, takes: Sequence[Value], gives: Sequence[str], **arguments: Any
) -> tuple[Result, ...]:
    """What the engine gives, with the arithmetic; ArithmeticError if the two do not agree."""
    results = engine(op, takes, gives, arguments)
    for result in results:
        for line in result.disagreements:
            raise ArithmeticError(f"{op}: {line}")
    return results


def equation(result: Result, *place: int) -> str:
    """How a cell of a result is worked out; ``place`` as people write it."""
    flat = int(np.ravel_multi_index(place, result.value.layout))
    return result.cells[flat].equation(result.value.cell(flat))


def equations(result: Result) -> tuple[str, ...]:
    """How all cells of a result are worked out, but for those that nothing reaches."""
    return tuple(
        cell.equation(result.value.cell(place)) + f"  ({cell.note})" * cell.note.startswith("from")
        for place, cell in enumerate(result.cells)
        if cell.arithmetic
    )


def constants(given: Mapping[str, object]) -> str:
    """Such as "`k = 2`, `alpha = 1`"."""
    return ", ".join(f"`{name} = {value}`" for name, value in given.items())
