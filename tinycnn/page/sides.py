"""What stands side by side on a page: one lesson, or two, with the numbers that are opened on both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    shared = [one for one in own[0] if _is_shared(one, first, second)]
    taken = {one.name for one in shared}
    left = dict.fromkeys([*own[0], *_labels(first, second)])
    right = dict.fromkeys(
        [*shared, *(one for one in own[1] if one.name not in taken), *_labels(first, second)]
    )
    return [list(left), list(right)]


def _labels(first: Lesson, second: Lesson) -> Iterator[NumberAddress]:
    """The last layers' numbers of both labels, if both have them."""
    last = first.model.layers[-1].name
    for lesson in (first, second):
        one = NumberAddress(last, "", (lesson.label,))
        if _is_shared(one, first, second):
            yield one


def _is_shared(one: NumberAddress, first: Lesson, second: Lesson) -> bool:
    shapes = [shape_of(lesson, one) for lesson in (first, second)]
    return shapes[0] is not None and shapes[0] == shapes[1]


def shape_of(lesson: Lesson, one: NumberAddress) -> tuple[int, ...] | None:
    """The shape of the array that a number lies in; None where a lesson has no such."""
    if not one.layer:
        return ()
    record = next((r for r in lesson.backward.records if r.name == one.layer), None)
    if record is None:
        return None
    arrays = {"": record.y[0], "x": None if record.dx is None else record.dx[0]}
    array = {**arrays, **(record.grads or {})}.get(one.part)
    return None if array is None else array.shape
