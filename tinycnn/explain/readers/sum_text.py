"""A sum as text on a terminal: level by level, each redone with a pocket calculator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinycnn.explain.readers.style import INDENT, WIDTH, Style, headed
from tinycnn.explain.values.explanation import SumTree
from tinycnn.explain.values.opened_parts import address, openable, opened_path, part_at
from tinycnn.explain.values.printing import Printed, factor, printed, rounding
from tinycnn.explain.values.sums import Part, largest
from tinycnn.wording import many


@dataclass(frozen=True)
class Chosen:
    """The number that a cursor stands on: in which section, at which level, and of a product which factor."""

    section: int
    depth: int
    index: int
    factor: int = 0


def draw_sum(section: SumTree, style: Style, chosen: Chosen | None = None) -> list[str]:
    """A sum: the parts that its path names, and then always the largest; ``chosen`` is marked."""
    if section.asked and section.riddle:
        return headed("SUMS", [section.riddle], style)
    lines, path = headed("SUMS", [section.heading], style), opened_path(section)
    for depth in range(len(path) + 1):
        level = part_at(section.tree, path[:depth])
        if depth:
            lines += headed("OPEN", [_opened_words(section, path[:depth])], style)
        here = chosen if chosen is not None and chosen.depth == depth else None
        lines += _level(level, style, here, total=depth > 0 or not section.asked)
    return lines


def _opened_words(section: SumTree, path: tuple[int, ...]) -> str:
    """Which part is opened, and which others could be: ``part 1,2 (0,0 .. 4,4 open), the largest: ...``."""
    above, level = part_at(section.tree, path[:-1]), part_at(section.tree, path)
    most = ", the largest" if level is largest(above.parts) else ""
    named = f"part {address(section, path)} ({openable(above)}){most}"
    return f"{named}: {level.place}, {many(level.terms, 'term')}"


def columns_of(level: Part) -> int:
    """How many numbers of a level stand beside each other."""
    shown = printed(level)
    if any(part.factors for part in level.parts):
        return 1
    if _is_grid(level, shown):
        return level.columns
    return _across([part.place for part in level.parts], shown.parts)


def total_words(shown: Printed) -> str:
    """What the printed parts of a sum add up to."""
    return f"these {len(shown.parts)} add up to {shown.total}{rounding(shown)}"


def _level(level: Part, style: Style, chosen: Chosen | None, *, total: bool) -> list[str]:
    shown = printed(level)
    lines = []
    if shown.exponent:
        lines.append(f"{' ' * INDENT}(in units of 1e{shown.exponent})")
    if any(part.factors for part in level.parts):
        lines += _terms(level, shown, style, chosen)
    elif _is_grid(level, shown):
        lines += _grid(shown.parts, level.columns, style, chosen)
    else:
        lines += draw_list(level.parts, shown.parts, style, chosen)
    if len(level.parts) > 1 and total:
        lines.append(" " * INDENT + total_words(shown))
    return lines


def _is_grid(level: Part, shown: Printed) -> bool:
    """Whether the parts are a grid whose rows fit the width."""
    width = (max(map(len, shown.parts)) + 2) * level.columns + INDENT - 2
    return level.columns > 1 and width <= WIDTH


def _grid(texts: Sequence[str], columns: int, style: Style, chosen: Chosen | None) -> list[str]:
    width = max(map(len, texts)) + 2
    cells = [
        " " * (width - len(text)) + _marked(text, i, style, chosen) for i, text in enumerate(texts)
    ]
    rows = range(0, len(cells), columns)
    return [" " * (INDENT - 2) + "".join(cells[first : first + columns]) for first in rows]


def draw_list(
    parts: Sequence[Part], texts: Sequence[str], style: Style, chosen: Chosen | None = None
) -> list[str]:
    """Numbers behind the names of their places, as many on a line as fit it."""
    places = [part.place for part in parts]
    label, width = max(map(len, places)), max(map(len, texts))
    cells = [
        f"{place:<{label}} {' ' * (width - len(text))}{_marked(text, i, style, chosen)}"
        for i, (place, text) in enumerate(zip(places, texts, strict=True))
    ]
    across = _across(places, texts)
    rows = range(0, len(cells), across)
    return [" " * INDENT + "   ".join(cells[first : first + across]) for first in rows]


def _across(places: Sequence[str], texts: Sequence[str]) -> int:
    """How many numbers behind their names stand on a line."""
    width = max(map(len, places)) + max(map(len, texts)) + 4
    return max((WIDTH - INDENT + 3) // width, 1)


def _terms(level: Part, shown: Printed, style: Style, chosen: Chosen | None) -> list[str]:
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
        " " * INDENT + _term(row, widths, style, chosen if i == _index(chosen) else None)
        for i, row in enumerate(rows)
    ]


def _term(row: Sequence[str], widths: Sequence[int], style: Style, chosen: Chosen | None) -> str:
    """A term's line; chosen is a factor of a product, and of what is none its value."""
    at = -1 if chosen is None else (1, 3)[chosen.factor] if row[2] else 4
    a, sign, b, value = (
        " " * (widths[k] - len(row[k])) + (style.chosen(row[k]) if k == at else row[k])
        for k in range(1, 5)
    )
    return f"{row[0]:<{widths[0]}}  {a} {sign} {b} = {value}"


def _index(chosen: Chosen | None) -> int:
    return -1 if chosen is None else chosen.index


def _marked(text: str, index: int, style: Style, chosen: Chosen | None) -> str:
    """A number, in reverse where the cursor stands on it."""
    return style.chosen(text) if index == _index(chosen) else text
