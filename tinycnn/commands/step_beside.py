"""``tinycnn step`` of two sides, pictures, networks or labels: how they differ, right minus left."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tinycnn import strict_json
from tinycnn.commands import step_options, step_refusals

if TYPE_CHECKING:
    from tinycnn.explain import Lesson
    from tinycnn.explain.readers.style import Style


def draw(sides: Sequence[argparse.Namespace], show: Callable[[str], None]) -> list[Lesson]:
    """Print how they differ: in all layers, in the cells of one, or in one number. Gives the lessons."""
    from tinycnn.explain.lessons import differences
    from tinycnn.explain.readers.differences_text import draw_heading
    from tinycnn.explain.readers.style import Style

    first, command, style = sides[0], step_options.command(*sides), Style.of(sys.stdout)
    what = first.layer or first.weight or first.grad or first.why
    step_refusals.refuse_beside(first)
    step_refusals.refuse_stray(first, what)
    with step_options.quietly():
        lessons = [step_options.lesson(side) for side in sides]
    step_refusals.expect_place(first, lessons[0])
    names = differences.names(lessons)
    with step_options.quietly():
        data, lines = _compared(lessons, first, what, style, command)
    if first.json:
        print(strict_json.dumps({"sides": names, **data}))
    else:
        for line in [*draw_heading(names, style), *lines]:
            show(line)
    return lessons


def _compared(
    lessons: Sequence[Lesson],
    arguments: argparse.Namespace,
    what: str | None,
    style: Style,
    command: str,
) -> tuple[dict[str, Any], Iterable[str]]:
    """What is asked for, as data and as lines."""
    from tinycnn.explain import explain
    from tinycnn.explain.lessons import differences
    from tinycnn.explain.readers import differences_text

    if what is None:
        loss, layers = differences.loss(*lessons), list(differences.layers(*lessons))
        data = {"loss": loss.to_dict(), "layers": list(map(asdict, layers))}
        return data, differences_text.draw_layers(loss, layers, style, command)
    if arguments.layer and arguments.at is None:
        cells = list(differences.cells(what, *lessons))
        data = {"cells": [cell.to_dict() for cell in cells]}
        return data, differences_text.draw_cells(what, cells, style, command)
    opened = [explain(lesson.backward, what, arguments.at) for lesson in lessons]
    pairs = list(differences.opened(*opened))
    data = {"numbers": [pair.to_dict() for pair in pairs]}
    return data, differences_text.draw_numbers(pairs, command)
