"""Everything that the page draws, gathered: what is worked out beforehand, and what a live page asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tinycnn.explain import explain
from tinycnn.explain.lessons.differences import names
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.values import printing
from tinycnn.explain.values.explanation import Explanation
from tinycnn.page import (
    curves,
    differences,
    hand_sized,
    learning,
    network,
    opened,
    sides,
    sizes,
    softmax,
)
from tinycnn.page.assembling import assembled
from tinycnn.page.channels import Channels, carried
from tinycnn.page.choosing import NumberAddress, chosen, value_of
from tinycnn.page.sides import Side

Explained = dict[NumberAddress, Explanation]


def page(shown: Sequence[Side], began: Callable[[str], object] = lambda words: None) -> str:
    """The page of one lesson, or of two side by side, as HTML; ``began`` is told what is worked out."""
    return assembled(data(shown, began))


def data(shown: Sequence[Side], began: Callable[[str], object]) -> dict[str, Any]:
    """Everything that the page draws."""
    began("examples")
    by_hand = hand_sized_data()
    began("maps")
    lessons, choices = [side.lesson for side in shown], sides.opened(shown)
    channels = carried(lessons, [one for side in choices for one in side])
    explained = [_explained(*pair, began) for pair in zip(lessons, choices, strict=True)]
    return {
        "title": sides.title(shown),
        "sides": [
            {**drawn, "opened": dict(_numbers(side, known))}
            for drawn, side, known in zip(_sides(shown, channels), shown, explained, strict=True)
        ],
        "differences": _differences(shown, explained),
        **by_hand,
    }


def live_data(shown: Sequence[Side]) -> dict[str, Any]:
    """What changes with the lessons, without any number opened."""
    return {
        "title": sides.title(shown),
        "sides": _sides(shown, [{} for _ in shown]),
        "differences": _differences(shown, [{} for _ in shown]),
    }


def _sides(shown: Sequence[Side], channels: Sequence[Channels]) -> list[dict[str, Any]]:
    known = names([side.lesson for side in shown])
    return [
        {
            "name": name,
            "command": side.command,
            "network": network.network(side.lesson, some),
            "opened": {},
        }
        for name, side, some in zip(known, shown, channels, strict=True)
    ]


def hand_sized_data() -> dict[str, Any]:
    """What is the same on every page."""
    return {
        "examples": hand_sized.examples(),
        "curves": curves.curves(),
        "softmax": softmax.bars(),
        "learning": learning.steps(),
        "sizes": sizes.sizes(),
    }


def _explained(
    lesson: Lesson, choices: Sequence[NumberAddress], began: Callable[[str], object]
) -> Explained:
    explained = {}
    for choice in choices:
        began(choice.key)
        explained[choice] = explain(lesson.backward, choice.key)
    return explained


def _numbers(side: Side, explained: Explained) -> Iterator[tuple[str, dict[str, Any]]]:
    """The opened numbers by their keys."""
    for choice, explanation in explained.items():
        yield choice.key, number(side, choice, explanation)


def _differences(shown: Sequence[Side], explained: Sequence[Explained]) -> dict[str, Any] | None:
    """How two sides differ, and the command that says the same on a terminal; None where there is one."""
    if len(shown) == 1:
        return None
    opened = [{choice.key: one for choice, one in known.items()} for known in explained]
    drawn = differences.drawn([side.lesson for side in shown], opened)
    return {**drawn, "command": shown[0].both}


def number(side: Side, choice: NumberAddress, explanation: Explanation) -> dict[str, Any]:
    """One opened number, and the options that open it on a terminal."""
    return {
        **opened.drawn(explanation),
        "key": choice.key,
        "layer": choice.layer,
        "part": choice.part,
        "class": _class(side.lesson, choice),
        "editable": choice.name in side.lesson.model.parameters(),
        "options": choice.options,
    }


def listed(lesson: Lesson) -> dict[str, dict[str, Any]]:
    """Some numbers that are worth being opened, by their keys."""
    return {
        choice.key: {
            "layer": choice.layer,
            "part": choice.part,
            "text": printing.number(value_of(lesson, choice)),
        }
        for choice in chosen(lesson)
    }


def _class(lesson: Lesson, choice: NumberAddress) -> int | None:
    """The class that a number is about: of the loss its label, of the last layer's numbers their own."""
    if not choice.layer:
        return lesson.label
    last = lesson.model.layers[-1].name
    return choice.place[-1] if choice.layer == last and choice.part != "x" else None
