"""Lessons behind their page: any number opened when asked for, weights and pixels edited and replayed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tinycnn.errors import ArgumentError, TinyCNNError
from tinycnn.explain import explain
from tinycnn.explain.values.explanation import Explanation
from tinycnn.page import differences, document, sides
from tinycnn.page.assembling import assembled
from tinycnn.page.choosing import NumberAddress
from tinycnn.page.edited import EditedSide
from tinycnn.page.sides import Side
from tinycnn.runtime.locks import new_lock

_LARGEST = 1e38  # that a float32 holds


class LivePage:
    """What the server of a page of one side, or of two, answers: one question after the other."""

    def __init__(self, shown: Sequence[Side]) -> None:
        self._edited = list(map(EditedSide, shown))
        self._by_hand = document.hand_sized_data()
        self._lock = new_lock()

    @property
    def _sides(self) -> list[Side]:
        return [each.side for each in self._edited]

    def page(self) -> str:
        """The page of the lessons as they are now."""
        with self._lock:
            shown = document.live_data(self._sides)
            shown["sides"] = [
                {
                    **drawn,
                    "refused": {},
                    "listed": document.listed(each.side.lesson),
                    "shapes": sides.shapes(each.side.lesson),
                    "edits": each.edits,
                }
                for drawn, each in zip(shown["sides"], self._edited, strict=True)
            ]
            return assembled({**shown, **self._by_hand, "live": True}, live=True)

    def number(self, key: str) -> dict[str, Any]:
        """A number opened on each side, or why it is not, and how the sides differ in it.

        Raises as `explain` does for a key that names none on any side.
        """
        with self._lock:
            found = [_explained(side, key) for side in self._sides]
            refusals = [one for one in found if isinstance(one, TinyCNNError)]
            if len(refusals) == len(found):
                raise refusals[0]
            opened = [one for one in found if isinstance(one, Explanation)]
            return {
                "sides": [
                    _answer(side, key, one) for side, one in zip(self._sides, found, strict=True)
                ],
                "difference": differences.opened_number(*opened) if len(opened) == 2 else None,
            }

    def edit(self, change: Mapping[str, Any]) -> None:
        """Set a number, ``{"key": "conv1.W[5,5,0,3]", "value": 0.5}``, and run the pass again.

        ``x[row,column,channel]`` is a number of the picture. ``"sides": [1]`` sets it on the right alone;
        without, each side's is set, or none is: raises ArgumentError for what is not there.
        """
        key, value = change.get("key"), change.get("value")
        if not isinstance(key, str) or not isinstance(value, (int, float)):
            raise ArgumentError('an edit is {"key": "conv1.W[5,5,0,3]", "value": 0.5}')
        if not abs(value) <= _LARGEST:  # NaN is not, either
            raise ArgumentError(f"a number is edited to one within +-{_LARGEST:g}, got {value!r}")
        chosen = self._chosen(change.get("sides", list(range(len(self._edited)))))
        with self._lock:
            choice = NumberAddress.of(key, [])
            for each in chosen:
                each.expect(choice)
            for each in chosen:
                each.edit(choice, float(value))
            for each in self._edited:
                each.renew()

    def _chosen(self, numbers: Any) -> list[EditedSide]:
        """The sides of an edit."""
        most = len(self._edited)
        if not isinstance(numbers, list) or not all(
            isinstance(k, int) and 0 <= k < most for k in numbers
        ):
            raise ArgumentError(f"the sides of an edit are a list of numbers below {most}")
        return [self._edited[k] for k in sorted(set(numbers))]


def _address(side: Side, key: str) -> NumberAddress:
    return NumberAddress.of(key, [layer.name for layer in side.lesson.model.layers])


def _explained(side: Side, key: str) -> Explanation | TinyCNNError:
    try:
        return explain(side.lesson.backward, _address(side, key).key)
    except TinyCNNError as error:
        return error


def _answer(side: Side, key: str, found: Explanation | TinyCNNError) -> dict[str, Any]:
    if isinstance(found, TinyCNNError):
        return {"refused": str(found)}
    return {"opened": document.number(side, _address(side, key), found)}
