"""What stands side by side on a page: one lesson, or two, with the numbers that are opened on both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.page.choosing import NumberAddress, chosen


@dataclass(frozen=True)
class Side:
    """One network over one picture; ``command`` opens its numbers on a terminal, ``both`` of two sides."""

    lesson: Lesson
    command: str
    both: str = ""


def title(sides: Sequence[Side]) -> str:
    """The names of the networks, each once."""
    return " and ".join(dict.fromkeys(side.lesson.name for side in sides))


def opened(sides: Sequence[Side]) -> list[list[NumberAddress]]:
    """The numbers that are opened on each side: as far as both have them, those that the first chooses."""
    own = [list(chosen(side.lesson, sparing=len(sides) > 1)) for side in sides]
    if len(sides) == 1:
        return own
    first, second = (side.lesson for side in sides)
    here, there = shapes(first), shapes(second)
    common = {name for name, shape in here.items() if there.get(name) == shape}
    last = first.model.layers[-1].name
    labels = [
        NumberAddress(last, "", (lesson.label,)) for lesson in (first, second) if last in common
    ]
    shared = [one for one in own[0] if one.name in common]
    taken = {one.name for one in shared}
    left = dict.fromkeys([*own[0], *labels])
    right = dict.fromkeys([*shared, *(one for one in own[1] if one.name not in taken), *labels])
    return [list(left), list(right)]


def shapes(lesson: Lesson) -> dict[str, tuple[int, ...]]:
    """The shapes of the arrays in which numbers lie, by what the numbers' keys begin with."""
    found: dict[str, tuple[int, ...]] = {"loss": ()}
    for record in lesson.trace.records:
        x, y = record.x.shape[1:], record.y.shape[1:]
        arrays = {"": y, ".x": x, ".y": y, ".z": y}
        parameters = {f".{name}": array.shape for name, array in record.params.items()}
        found |= {f"{record.name}{part}": shape for part, shape in {**arrays, **parameters}.items()}
    return found
