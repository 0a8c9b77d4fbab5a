"""One side of a live page, whose weights and pixels can be set: the pass runs again."""

from __future__ import annotations

from dataclasses import replace

from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError
from tinycnn.explain.lessons import overview
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.receptive_field import picture_of
from tinycnn.explain.values.printing import number
from tinycnn.page.choosing import NumberAddress, Place
from tinycnn.page.sides import Side

_PICTURE = "x"  # how an edit calls the network's input


class EditedSide:
    """A `side` as it is now, and the `edits` that made it so, as texts, with the loss before and after."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._version = side.lesson.model.version
        self._weights = f"{side.lesson.weights}, then edited here"
        self.edits: list[dict[str, str]] = []

    def expect(self, choice: NumberAddress) -> None:
        """Raise ArgumentError where there is no such number to be set."""
        array = self._arrays().get(choice.name)
        if array is None or not _lies_in(choice.place, array.shape):
            raise ArgumentError(
                f"there is no number {choice.key!r} to edit; there are x[row,column,channel] and "
                f"those of {', '.join(self.side.lesson.model.parameters())}"
            )

    def edit(self, choice: NumberAddress, value: float) -> None:
        """Set a number that is there."""
        before, old = self._loss(), float(self._arrays()[choice.name][choice.place])
        lesson = self.side.lesson
        if choice.name == _PICTURE:
            lesson = _with_pixel(lesson, choice.place, value)
        else:
            with lesson.model.edit() as edited:
                edited[choice.name][choice.place] = value
        self._take(lesson)
        numbers = {"old": old, "new": value, "before": before, "after": self._loss()}
        texts = {name: number(each) for name, each in numbers.items()}
        self.edits.append({"key": choice.key, **texts})

    def renew(self) -> None:
        """Run the pass again where the network has changed since: the other side's may be the same."""
        lesson = self.side.lesson
        if lesson.trace.version != lesson.model.version:
            self._take(lesson)

    def _take(self, lesson: Lesson) -> None:
        """Put a lesson in the place of the old one, with none of what that worked out."""
        if lesson.model.version == self._version:
            lesson = replace(lesson)
        else:  # no longer as they were drawn
            lesson = replace(lesson, weights=self._weights, random=False)
        self.side = replace(self.side, lesson=lesson)

    def _arrays(self) -> dict[str, Array]:
        lesson = self.side.lesson
        return {**lesson.model.parameters(), _PICTURE: lesson.picture.x[0]}

    def _loss(self) -> float:
        return overview.loss(self.side.lesson).loss


def _with_pixel(lesson: Lesson, place: Place, value: float) -> Lesson:
    """The lesson with another number in its picture."""
    x = lesson.picture.x.copy()
    x[(0, *place)] = value
    lesson = replace(lesson, picture=replace(lesson.picture, x=x))
    pixels = picture_of(lesson.trace, 0)
    assert pixels is not None  # a lesson has a picture
    lesson.picture = replace(lesson.picture, pixels=pixels)
    return lesson


def _lies_in(place: Place, shape: tuple[int, ...]) -> bool:
    return len(place) == len(shape) and all(map(int.__lt__, place, shape))
