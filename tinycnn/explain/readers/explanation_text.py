"""An opened number as text on a terminal, section by section."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

from tinycnn.arrays import Array
from tinycnn.explain.pictures import contrast
from tinycnn.explain.readers.picture_text import draw_picture
from tinycnn.explain.readers.style import INDENT, WIDTH, Style, headed
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
from tinycnn.explain.values.printing import Printed, factor, number, printed, rounding
from tinycnn.explain.values.sums import Part, largest
from tinycnn.wording import many

_BOUND = "(rounding alone can take the two so far apart; more would be an error)"


def draw_explanation(explanation: Explanation, style: Style) -> str:
    """Draw one opened number, with the picture."""
    return "\n".join(_explanation(explanation, explanation.picture, style))


def draw_question(explanation: Explanation, style: Style) -> str:
    """The same with a question mark for its value; its sections hold what a reader may know."""
    return "\n".join(_explanation(explanation, explanation.picture, style, "?"))


def draw_words(explanation: Explanation, style: Style) -> list[str]:
    """The lines of `draw_explanation` without the picture."""
    return _explanation(explanation, None, style)


def _explanation(
    explanation: Explanation, pixels: Array | None, style: Style, value: str = ""
) -> list[str]:
    value = value or explanation.headline
    gap = max(WIDTH - len(explanation.subject) - len(value), 2)
    lines = [style.bold(explanation.subject + " " * gap + value)]
    if len(explanation.subject) + len(value) + 2 > WIDTH:  # a layer of a long name
        lines = [style.bold(part) for part in (explanation.subject, f"{value:>{WIDTH}}")]
    bounds = (check for check in explanation.checks if check.bound and check.finite)
    first = next(bounds, None)
    for section in explanation.sections:
        if section.stands_apart:
            lines.append("")
        lines += _drawn(section, pixels, style)
        if section is first:
            lines.append(" " * INDENT + _BOUND)
    return lines


@singledispatch
def _drawn(section: Section, pixels: Array | None, style: Style) -> list[str]:
    """The lines of one section, as its kind is drawn below."""
    raise NotImplementedError(type(section).__name__)


@_drawn.register
def _notes(section: Notes, pixels: Array | None, style: Style) -> list[str]:
    return headed(section.heading, section.lines, style)


@_drawn.register
def _funnel(section: Funnel, pixels: Array | None, style: Style) -> list[str]:
    return headed(section.heading, [str(section)], style)


@_drawn.register
def _step(section: Step, pixels: Array | None, style: Style) -> list[str]:
    remark = f" ({section.remark})" if section.remark else ""
    text = f"{section.arithmetic} = {number(section.value)}{remark}"
    return headed(section.name, [text], style)


@_drawn.register
def _receptive_field(section: ReceptiveField, pixels: Array | None, style: Style) -> list[str]:
    """Words, and the picture with a frame around the field."""
    lines = headed("SEES", section.lines, style)
    if section.field is not None and pixels is not None:
        lines += draw_picture(pixels, section.field, style)
        if words := contrast.remark(pixels, colours=style.colour):
            lines += headed("", [f"({words})"], style)
    return lines


@_drawn.register
def _check(check: Check, pixels: Array | None, style: Style) -> list[str]:
    """An agreement in nine digits, all that a float32 has; an exact one in full."""
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
def _maximum(section: Maximum, pixels: Array | None, style: Style) -> list[str]:
    """A window's cells, the largest in brackets."""
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
    lines = headed("SEES", [section.heading], style)
    for row in texts:
        for start in range(0, len(row), across):
            cells = "".join(text.rjust(width) for text in row[start : start + across])
            lines.append(" " * INDENT + cells.rstrip())
    return lines


@_drawn.register
def _sum(section: SumTree, pixels: Array | None, style: Style) -> list[str]:
    """A sum, level by level, always opening the largest part."""
    if section.asked and section.riddle:
        return headed("SUMS", [section.riddle], style)
    lines = headed("SUMS", [section.heading], style)
    level: Part = section.tree
    while level.parts:
        shown = printed(level)
        if shown.exponent:
            lines.append(f"{' ' * INDENT}(in units of 1e{shown.exponent})")
        if any(part.factors for part in level.parts):
            lines += _terms(level, shown)
        elif level.columns > 1 and _fits(shown.parts, level.columns):
            lines += _grid(shown.parts, level.columns)
        else:
            lines += _list([part.place for part in level.parts], shown.parts)
        if len(level.parts) > 1 and not (section.asked and level is section.tree):
            lines.append(" " * INDENT + total_words(shown))
        level = largest(level.parts)
        if level.parts:
            count = many(level.terms, "term")
            lines += headed("OPEN", [f"{level.place}, the largest of them: {count}"], style)
    return lines


def total_words(shown: Printed) -> str:
    """What the printed parts of a sum add up to."""
    return f"these {len(shown.parts)} add up to {shown.total}{rounding(shown)}"


def _fits(texts: Sequence[str], columns: int) -> bool:
    """Whether a grid's rows fit the width."""
    return (max(map(len, texts)) + 2) * columns + INDENT - 2 <= WIDTH


def _grid(texts: Sequence[str], columns: int) -> list[str]:
    width = max(map(len, texts)) + 2
    return [
        " " * (INDENT - 2) + "".join(text.rjust(width) for text in texts[start : start + columns])
        for start in range(0, len(texts), columns)
    ]


def _list(places: Sequence[str], texts: Sequence[str]) -> list[str]:
    label, width = max(map(len, places)), max(map(len, texts))
    cells = [f"{p:<{label}} {t:>{width}}" for p, t in zip(places, texts, strict=True)]
    across = max((WIDTH - INDENT + 3) // (label + width + 4), 1)
    return [
        " " * INDENT + "   ".join(cells[start : start + across])
        for start in range(0, len(cells), across)
    ]


def _terms(level: Part, shown: Printed) -> list[str]:
    """Products in full; a factor carries enough digits that the product can be redone."""
    rows = []
    for part, text in zip(level.parts, shown.parts, strict=True):
        factors = ("", "", "")
        if part.factors:
            a, b = part.factors
            factors = (factor(a, b, shown), "*", factor(b, a, shown))
        rows.append((part.place, *factors, text))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return [
        " " * INDENT
        + f"{p:<{widths[0]}}  {a:>{widths[1]}} {sign:1} {b:>{widths[3]}} = {v:>{widths[4]}}"
        for p, a, sign, b, v in rows
    ]
