"""A hand-sized example as questions: of each result the richest cell, and one that is 0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tinycnn.explain.asking import sums
from tinycnn.explain.asking.answers import Integers, Number
from tinycnn.explain.asking.prediction import Prediction
from tinycnn.explain.examples.arithmetic import Worked, is_rounded, text
from tinycnn.explain.examples.calculation import Calculation, Result
from tinycnn.explain.examples.example import Example, LossChange
from tinycnn.explain.examples.example_text import (
    draw_arrays,
    draw_call,
    draw_given,
    draw_losses,
    draw_stage,
    matrices,
)
from tinycnn.explain.layers.windowed import window_slips
from tinycnn.explain.readers.style import Style, paragraph
from tinycnn.explain.values.task import Slip, Task
from tinycnn.shapes import Window


def questions(example: Example, style: Style) -> Iterator[Prediction]:
    """Sizes and cells in the example's order; each call is shown in full once its questions are answered."""
    title = [*paragraph(f"{example.name}: {example.data['title']}"), ""]
    given = {value.name: value for value in example.given}
    for way in example.ways:
        title += [style.bold(way.heading)] if way.stages else []
        for stages in [way.stages] if way.brief else [(stage,) for stage in way.stages]:
            shown = [*title, *draw_given(given, stages), ""]
            title = []
            if way.brief:
                shown += draw_arrays(stages, style)
                asked = [question for stage in stages for question in _losses(stage)]
                solution = draw_losses(stages, style)
            else:
                drawn_by_lot = [each.value for each in stages[0].results if not each.cells]
                shown += [*draw_call(stages[0], style), *matrices(drawn_by_lot)]
                asked = [*_sizes(stages[0]), *_cells(stages[0])]
                solution = draw_stage(stages[0], style)
            yield from _framed(shown, asked, "\n".join(solution))
    for number, change in enumerate(example.changes, start=1):
        yield _change(number, change)


def _framed(
    shown: Sequence[str], asked: Sequence[Prediction], solution: str
) -> Iterator[Prediction]:
    """The questions of a call: the first shows what there is to go by, the last the whole call."""
    for place, question in enumerate(asked):
        before = "\n".join(shown).strip("\n") if place == 0 else ""
        after = solution if place == len(asked) - 1 else ""
        yield replace(question, shown=before, solution=after)


def _sizes(stage: Calculation) -> Iterator[Prediction]:
    if stage.sizes:
        win: Window = stage.window
        size = win.output
        yield Prediction(
            "",
            "How many windows are there, down and across?",
            Integers(size, ("height", "width"), f"{size[0]}x{size[1]}"),
            tuple(window_slips(win)),
        )


def _losses(stage: Calculation) -> Iterator[Prediction]:
    for result in stage.results:
        if not result.value.layout:
            yield _cell(result, 0)


def _cells(stage: Calculation) -> Iterator[Prediction]:
    for result in stage.results:
        for place in _chosen(result.cells):
            yield _cell(result, place)


def _chosen(cells: Sequence[Worked]) -> list[int]:
    """The cell with the longest sum, of equal ones the largest; and the last that is 0 without a sum."""
    ranked = sorted(range(len(cells)), key=lambda i: (-len(cells[i].parts), -abs(cells[i].value)))
    zeros = [i for i, cell in enumerate(cells) if cell.value == 0 and not cell.parts]
    return list(dict.fromkeys([*ranked[:1], *zeros[-1:]]))


def _cell(result: Result, place: int) -> Prediction:
    value, worked = result.value, result.cells[place]
    right = value.flat[place]
    tolerance = abs(right) * (1e-5 if is_rounded(right) else 1e-9)
    others = (
        Slip(other, f"that is {value.cell(i)}")
        for i, other in enumerate(value.flat)
        if other not in (right, 0.0)
    )
    summed = sums.slips(worked.parts, right) if worked.parts else ()
    exact = value.exact[place] if value.exact else ""
    shown = " = ".join(dict.fromkeys(side for side in (exact, text(right)) if side))
    return Prediction(
        "",
        f"{value.cell(place)} = ?",
        Number(right, tolerance, shown),
        (*worked.slips, *others, *summed),
        f"{value.name}: {result.rule}",
    )


def _change(number: int, change: LossChange) -> Prediction:
    rate = change.rate
    task = Task(f"times -{text(rate)}", "minus the rate is missing", lambda total: -rate * total)
    total = sum(part.value for part in change.parts)
    return Prediction(
        "",
        f"By how much should step {number} change the loss, to first order?",
        Number(change.predicted, abs(change.predicted) * 1e-5, text(change.predicted)),
        tuple(sums.slips(change.parts, total, [task])),
        "minus the rate times the sum of the squared gradients",
        "\n".join(paragraph(change.words)),
    )
