"""What stands side by side on a page: one lesson, or two, with the numbers that are opened on both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.page.choosing import NumberAddress, chosen


@dataclass(frozen=True)
class Side:
    """One network over one picture; ``command`` opens its numbers on a terminal."""

    lesson: Lesson
    command: str


def title(sides: Sequence[Side]) -> str:
    """The names of the networks, each once."""
    return " and ".join(dict.fromkeys(side.lesson.name for side in sides))


def names(sides: Sequence[Side]) -> list[str]:
    """What tells the sides apart: the network by its name, file or weights, the picture, the label."""
    lessons = [side.lesson for side in sides]
    networks = [
        [lesson.name for lesson in lessons],
        [Path(lesson.source).name for lesson in lessons],
        [lesson.weights for lesson in lessons],
    ]
    pictures = [lesson.picture.title for lesson in lessons]
    labels = [f"label {lesson.class_words(lesson.label)}" for lesson in lessons]
    network = next(filter(_differ, networks), [])
    apart = [*filter(_differ, (network, pictures, labels))]
    if not apart:
        return ["left", "right"][: len(sides)]
    return [", ".join(words) for words in zip(*apart, strict=True)]


def _differ(words: Sequence[str]) -> bool:
    return len(set(words)) == len(words) > 1


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
