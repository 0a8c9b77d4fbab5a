"""An opened number as questions: its sum, or its maximum and where that stands."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from tinycnn.errors import ArgumentError
from tinycnn.explain.asking import sums
from tinycnn.explain.asking.answers import Integers, Number
from tinycnn.explain.asking.prediction import Prediction
from tinycnn.explain.readers.explanation_text import draw_explanation, draw_question
from tinycnn.explain.readers.style import Style
from tinycnn.explain.readers.sum_text import total_words
from tinycnn.explain.values.explanation import Explanation, Maximum, Notes, Section, Step, SumTree
from tinycnn.explain.values.printing import decimals, number, printed
from tinycnn.explain.values.task import Slip, Task


def questions(explanation: Explanation, style: Style) -> Iterator[Prediction]:
    """What a reader of an opened number may predict; ArgumentError where nothing is worked out."""
    for place, section in enumerate(explanation.sections):
        before, after = explanation.sections[:place], explanation.sections[place + 1 :]
        if isinstance(section, SumTree):
            return iter([_total(explanation, section, before, after, style)])
        if isinstance(section, Maximum):
            return _maximum(explanation, section, before, after, style)
    raise ArgumentError(
        f"{explanation.subject}: nothing is added up or compared there, so there is nothing to predict"
    )


def _expect_finite(explanation: Explanation, value: float) -> None:
    if not math.isfinite(value):
        raise ArgumentError(f"{explanation.subject} is {value}: there is no number to predict")


def _total(
    explanation: Explanation,
    section: SumTree,
    before: Sequence[Section],
    after: Sequence[Section],
    style: Style,
) -> Prediction:
    """The sum, taken through the steps that follow it."""
    tasks = _tasks(after)
    tree = section.tree
    value = sums.through(tree.value, tasks)
    _expect_finite(explanation, value)
    shown: list[Section] = [*before, replace(section, asked=True)]
    if tasks:
        shown.append(Notes("THEN", (sums.then(tasks),)))
    answer = Number(value, _tolerance(section, tasks, value), number(value))
    added = total_words(printed(tree)) if len(tree.parts) > 1 else section.heading
    rest = draw_explanation(replace(explanation, sections=tuple(after), picture=None), style)
    whole = not any(isinstance(later, SumTree) for later in after)  # else it is a step on the way
    return Prediction(
        draw_question(replace(explanation, sections=tuple(shown)), style),
        f"{explanation.subject} = ?" if whole else "What do these steps come to?",
        answer,
        (*_total_slips(section, tasks), *_other_places(explanation)),
        solution=f"{added}\n\n{rest}",
    )


def _tasks(after: Sequence[Section]) -> list[Task]:
    """What follows a sum, step by step."""
    steps = (section for section in after if not isinstance(section, Notes))
    tasks = (step.task if isinstance(step, Step) else None for step in steps)
    return [task for task in takewhile(bool, tasks) if task]


def _total_slips(section: SumTree, tasks: Sequence[Task]) -> Iterator[Slip]:
    tree = section.tree
    if section.riddle:
        part = tree.parts[0]
        yield from (Slip(value, section.heading) for value in (0.0, *part.factors))
        yield Slip(-part.value, "the sign is the other one")
        return
    yield from sums.slips(tree.parts, tree.value, tasks)
    if unit := printed(tree).exponent:
        value = sums.through(tree.value, tasks)
        yield Slip(value / 10.0**unit, f"the numbers are in units of 1e{unit}: multiply by that")


def _other_places(explanation: Explanation) -> Iterator[Slip]:
    here = ",".join(map(str, explanation.place))
    for place, value in explanation.beside.items():
        if value:
            yield Slip(value, f"that is the number at {','.join(map(str, place))}, not at {here}")


def _tolerance(section: SumTree, tasks: Sequence[Task], value: float) -> float:
    """How far the sum of the printed parts may lead away from the value, and a unit of its last digit."""
    shown = printed(section.tree)
    unit = 10.0**shown.exponent
    off = (2 * 10.0**-shown.places + abs(float(shown.gap or 0))) * unit
    total = section.tree.value
    led = (abs(sums.through(total + side * off, tasks) - value) for side in (-1, 1))
    return max((size for size in led if math.isfinite(size)), default=0.0) + 10.0 ** -decimals(
        [value]
    )


# ---------------------------------------------------------------------------------------- maximum


def _maximum(
    explanation: Explanation,
    section: Maximum,
    before: Sequence[Section],
    after: Sequence[Section],
    style: Style,
) -> Iterator[Prediction]:
    """The maximum of a window, and then its place, which gets the gradient."""
    cells, (i, j) = section.cells, section.argmax
    (top, left), (down, right) = section.first, section.dilation
    place = (top + i * down, left + j * right)
    _expect_finite(explanation, cells[place])
    asked = replace(explanation, sections=(*before, replace(section, asked=True)))
    unit = 10.0 ** -decimals([cells[place]])
    yield Prediction(
        draw_question(asked, style),
        f"{explanation.subject} = ?",
        Number(cells[place], unit, number(cells[place])),
        (*_value_slips(section, cells[place]), *_other_places(explanation)),
    )
    rest = replace(explanation, sections=tuple(after), picture=None)
    yield Prediction(
        "",
        "At which row and column of the map does it stand? It gets the gradient.",
        Integers(place, ("row", "column"), f"{place[0]},{place[1]}"),
        tuple(_place_slips(section, place)),
        f"that cell is not in this window, whose first cell is {top},{left} and last "
        f"{top + (len(section.rows) - 1) * down},{left + (len(section.rows[0]) - 1) * right}",
        draw_explanation(rest, style),
    )


def _value_slips(section: Maximum, best: float) -> Iterator[Slip]:
    values = list(section.cells.values())
    for (row, column), value in section.cells.items():
        yield Slip(value, f"that stands at {row},{column}, and a larger number is in the window")
    size = max(map(abs, values))
    yield Slip(size, f"the largest counts, not the largest size: {number(-size)} is below zero")
    yield Slip(math.fsum(values) / len(values), "that is the mean: a max-pool takes the largest")
    yield Slip(math.fsum(values), "that is the sum: a max-pool takes the largest")
    if None in [value for row in section.rows for value in row]:
        yield Slip(0.0, "padding does not compete: only cells inside the image do")


def _place_slips(section: Maximum, place: tuple[int, int]) -> Iterator[Slip]:
    best, (i, j) = section.cells[place], section.argmax
    for cell, value in section.cells.items():
        words = f"there stands {number(value)}, and a larger number is in the window"
        if value == best:
            words = "it is as large, but of equal ones the first in reading order wins"
        yield Slip(cell, words)
    (top, left), (down, right) = section.first, section.dilation
    where = f"row {top} + {i * down}, column {left} + {j * right}"
    yield Slip((i, j), f"that is its place within the window; in the map it is {where}")
    yield Slip(place[::-1], "row and column are exchanged: the row comes first")
