"""A lesson behind its page: any number opened when asked for, weights and pixels edited and replayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tinycnn.errors import ArgumentError
from tinycnn.explain.lessons import overview
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.receptive_field import picture_of
from tinycnn.explain.values.printing import number
from tinycnn.page import document
from tinycnn.page.assembling import assembled
from tinycnn.page.choosing import NumberAddress, Place
from tinycnn.page.sides import Side
from tinycnn.runtime.locks import new_lock

_LARGEST = 1e38  # that a float32 holds
_PICTURE = "x"  # how an edit calls the network's input


class LivePage:
    """What the page's server answers, one question after the other."""

    def __init__(self, lesson: Lesson, command: str) -> None:
        self._lesson, self._command = lesson, command
        self._by_hand = document.hand_sized_data()
        self._edits: list[dict[str, str]] = []
        self._lock = new_lock()

    def page(self) -> str:
        """The page of the lesson as it is now."""
        with self._lock:
            shown = document.live_data(self._lesson, self._command)
            return assembled(
                {
                    **shown,
                    **self._by_hand,
                    "live": True,
                    "listed": document.listed(self._lesson),
                    "edits": self._edits,
                },
                live=True,
            )

    def number(self, key: str) -> dict[str, Any]:
        """A number opened; raises as `explain` does for a key that names none."""
        with self._lock:
            names = [layer.name for layer in self._lesson.model.layers]
            return document.number(Side(self._lesson, self._command), NumberAddress.of(key, names))

    def edit(self, change: Mapping[str, Any]) -> None:
        """Set a number, ``{"key": "conv1.W[5,5,0,3]", "value": 0.5}``, and run the pass again.

        ``x[row,column,channel]`` is a number of the picture. Raises ArgumentError for what is not there.
        """
        key, value = change.get("key"), change.get("value")
        if not isinstance(key, str) or not isinstance(value, (int, float)):
            raise ArgumentError('an edit is {"key": "conv1.W[5,5,0,3]", "value": 0.5}')
        if not abs(value) <= _LARGEST:  # NaN is not, either
            raise ArgumentError(f"a number is edited to one within +-{_LARGEST:g}, got {value!r}")
        with self._lock:
            before = overview.loss(self._lesson).loss
            old = self._set(NumberAddress.of(key, []), float(value))
            after = overview.loss(self._lesson).loss
            numbers = {"old": old, "new": float(value), "before": before, "after": after}
            texts = {name: number(each) for name, each in numbers.items()}
            self._edits.append({"key": key, **texts})

    def _set(self, choice: NumberAddress, value: float) -> float:
        """Put ``value`` in its place, and a new lesson in the old one's; the number that was there."""
        lesson, place = self._lesson, choice.place
        parameters = lesson.model.parameters()
        array = {**parameters, _PICTURE: lesson.picture.x[0]}.get(choice.name)
        if array is None or not _lies_in(place, array.shape):
            raise ArgumentError(
                f"there is no number {choice.key!r} to edit; there are x[row,column,channel] and "
                f"those of {', '.join(parameters)}"
            )
        old = float(array[place])
        if choice.name == _PICTURE:
            x = lesson.picture.x.copy()
            x[(0, *place)] = value
            lesson = replace(lesson, picture=replace(lesson.picture, x=x))
            pixels = picture_of(lesson.trace, 0)
            assert pixels is not None  # a lesson has a picture
            lesson.picture = replace(lesson.picture, pixels=pixels)
        else:
            with lesson.model.edit() as edited:
                edited[choice.name][place] = value
        self._lesson = replace(lesson)  # none of what the old one worked out
        return old


def _lies_in(place: Place, shape: tuple[int, ...]) -> bool:
    return len(place) == len(shape) and all(map(int.__lt__, place, shape))
