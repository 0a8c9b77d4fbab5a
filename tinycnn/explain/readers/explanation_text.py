"""An opened number as text on a terminal, section by section."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

from tinycnn.arrays import Array
from tinycnn.explain.pictures import contrast
from tinycnn.explain.readers.picture_text import draw_picture
from tinycnn.explain.readers.style import INDENT, WIDTH, Style, headed
from tinycnn.explain.readers.sum_text import Chosen, draw_list, draw_sum
from tinycnn.explain.values.explanation import (
    Check,
    Explanation,
    Funnel,
    Maximum,
    Notes,
    ReceptiveField,
    Section,
    Step,
    SumTree,
)
from tinycnn.explain.values.opened_parts import lettered, openable_candidates, opened_candidate
from tinycnn.explain.values.printing import number
from tinycnn.wording import many

_BOUND = "(rounding alone can take the two so far apart; more would be an error)"


def draw_explanation(explanation: Explanation, style: Style) -> str:
    """Draw one opened number, with the picture."""
    return "\n".join(_explanation(explanation, explanation.picture, style))


def draw_question(explanation: Explanation, style: Style) -> str:
    """The same with a question mark for its value; its sections hold what a reader may know."""
    return "\n".join(_explanation(explanation, explanation.picture, style, "?"))


def draw_words(explanation: Explanation, style: Style, chosen: Chosen | None = None) -> list[str]:
    """The lines of `draw_explanation` without the picture; ``chosen`` is what a cursor stands on."""
    return _explanation(explanation, None, style, chosen=chosen)


@dataclass(frozen=True)
class _Canvas:
    """What a section is drawn with: the style, the picture, and the number in it that is marked."""

    style: Style
    pixels: Array | None
    chosen: Chosen | None


def _explanation(
    explanation: Explanation,
    pixels: Array | None,
    style: Style,
    value: str = "",
    chosen: Chosen | None = None,
) -> list[str]:
    value = value or explanation.headline
    gap = max(WIDTH - len(explanation.subject) - len(value), 2)
    lines = [style.bold(explanation.subject + " " * gap + value)]
    if len(explanation.subject) + len(value) + 2 > WIDTH:  # a layer of a long name
        lines = [style.bold(part) for part in (explanation.subject, f"{value:>{WIDTH}}")]
    bounds = (check for check in explanation.checks if check.bound and check.finite)
    first = next(bounds, None)
    for place, section in enumerate(lettered(explanation.sections)):
        if section.stands_apart:
            lines.append("")
        here = chosen if chosen is not None and chosen.section == place else None
        lines += _drawn(section, _Canvas(style, pixels, here))
        if section is first:
            lines.append(" " * INDENT + _BOUND)
    return lines


@singledispatch
def _drawn(section: Section, canvas: _Canvas) -> list[str]:
    """The lines of one section, as its kind is drawn below."""
    raise NotImplementedError(type(section).__name__)


@_drawn.register
def _notes(section: Notes, canvas: _Canvas) -> list[str]:
    return headed(section.heading, section.lines, canvas.style)


@_drawn.register
def _funnel(section: Funnel, canvas: _Canvas) -> list[str]:
    return headed(section.heading, [str(section)], canvas.style)


@_drawn.register
def _step(section: Step, canvas: _Canvas) -> list[str]:
    remark = f" ({section.remark})" if section.remark else ""
    left = section.arithmetic if canvas.chosen is None else canvas.style.chosen(section.arithmetic)
    text = f"{left} = {number(section.value)}{remark}"
    return headed(section.name, [text], canvas.style)


@_drawn.register
def _receptive_field(section: ReceptiveField, canvas: _Canvas) -> list[str]:
    """Words, and the picture with a frame around the field."""
    style, lines = canvas.style, headed("SEES", section.lines, canvas.style)
    if section.field is not None and canvas.pixels is not None:
        lines += draw_picture(canvas.pixels, section.field, style)
        if words := contrast.remark(canvas.pixels, colours=style.colour):
            lines += headed("", [f"({words})"], style)
    return lines


@_drawn.register
def _check(check: Check, canvas: _Canvas) -> list[str]:
    """An agreement in nine digits, all that a float32 has; an exact one in full."""
    style = canvas.style
    engine, reference = (
        f"{value!r}" if check.bound == 0 else f"{value:.9g}"
        for value in (check.engine + 0.0, check.reference + 0.0)  # 0, not -0
    )
    lines = [f"engine {engine} | {check.against} {reference}"]
    if not check.finite:
        return headed("CHECK", [*lines, style.bad("NOT FINITE: nothing can be compared")], style)
    verdict = style.good("agrees") if check.ok else style.bad("DISAGREES")
    lines += [
        f"differ {_size(check.difference)}, bound {_size(check.bound)}: {verdict}",
        f"bound: {check.why}",
    ]
    return headed("CHECK", lines, style)


def _size(value: float) -> str:
    return f"{value:.1e}" if value else "0"


@_drawn.register
def _maximum(section: Maximum, canvas: _Canvas) -> list[str]:
    """A window's cells, the largest in brackets."""
    here = -1 if canvas.chosen is None else canvas.chosen.index
    texts = [
        [
            ""
            if value is None
            else f"[{number(value)}]"
            if (i, j) == section.argmax and not section.asked
            else number(value)
            for j, value in enumerate(row)
        ]
        for i, row in enumerate(section.rows)
    ]
    width = max(len(text) for row in texts for text in row) + 2
    across = max((WIDTH - INDENT) // width, 1)
    lines = headed("SEES", [section.heading], canvas.style)
    for i, row in enumerate(texts):
        for start in range(0, len(row), across):
            cells = enumerate(row[start : start + across], i * len(row) + start)
            line = "".join(_cell(text, width, at == here, canvas.style) for at, text in cells)
            lines.append(" " * INDENT + line.rstrip())
    return lines if section.asked else [*lines, *_candidate(section, canvas.style)]


def _candidate(section: Maximum, style: Style) -> list[str]:
    """A number of a window opened: in which windows it competes, and what came of it."""
    (i, j), opened = opened_candidate(section)
    row, column, _ = opened.source.place
    wins = ", the winner" * ((i, j) == section.argmax)
    held = f"row {row}, column {column} of the input, in {many(len(opened.windows), 'window')}"
    words = f"part {i},{j} ({openable_candidates(section)}){wins}: {held}"
    shown = [number(window.value) for window in opened.windows]
    return [*headed("OPEN", [words], style), *draw_list(opened.windows, shown, style)]


def _cell(text: str, width: int, mine: bool, style: Style) -> str:
    """A number at the right of its column; padding where the cursor stands on it is seen, too."""
    text = text or " " * mine
    return " " * (width - len(text)) + (style.chosen(text) if mine else text)


@_drawn.register
def _sum(section: SumTree, canvas: _Canvas) -> list[str]:
    return draw_sum(section, canvas.style, canvas.chosen)
