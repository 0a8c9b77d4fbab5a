"""Walks drawn for a terminal of 80 columns: text, colour where allowed, pictures in half blocks."""

from __future__ import annotations

import math
import os
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain import contrast, overview
from tinycnn.explain.explanation import (
    Adds,
    Check,
    Compares,
    Explanation,
    Section,
    Sees,
    Step,
)
from tinycnn.explain.field import Region
from tinycnn.explain.lesson import Lesson
from tinycnn.explain.maps import Maps
from tinycnn.explain.overview import BackwardRow, ForwardRow
from tinycnn.explain.sums import (
    Part,
    Printed,
    Product,
    Sum,
    factor,
    number,
    printed,
    rounding,
)
from tinycnn.layers import Layer
from tinycnn.shapes import times
from tinycnn.wording import many, option

WIDTH = 80
_INDENT = 8  # the column behind the headings
_PICTURE = 40  # columns of a drawn picture; half as many lines, two pixels each
_SHADES = " .:-=+*#%@"
_BOUND = "(rounding alone can take the two so far apart; more would be an error)"


@dataclass(frozen=True)
class Style:
    """What a terminal can show."""

    colour: bool

    @classmethod
    def plain(cls) -> Style:
        """Text alone."""
        return cls(False)

    @classmethod
    def of(cls, stream: TextIO) -> Style:
        """Colour on a terminal, unless NO_COLOR is set or the terminal is dumb."""
        wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return cls(wanted and stream.isatty())

    def bold(self, text: str) -> str:
        """Headings and results."""
        return self._code("1", text)

    def dim(self, text: str) -> str:
        """What can be passed over."""
        return self._code("2", text)

    def good(self, text: str) -> str:
        """An agreement."""
        return self._code("32", text)

    def bad(self, text: str) -> str:
        """A disagreement."""
        return self._code("1;31", text)

    def _code(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


# --------------------------------------------------------------------------------------- overview


def draw_overview(lesson: Lesson, style: Style, command: str = "tinycnn step") -> Iterator[str]:
    """Give the overview line by line, as its numbers come in.

    ``command`` is what opens numbers of this lesson.
    """
    model = lesson.model
    total = sum(int(np.prod(s)) for s in model.parameter_shapes().values())
    yield style.bold(f"{lesson.name}: {many(total, 'parameter')}")
    yield from paragraph(_weights_words(lesson))
    yield from paragraph(f"Picture: {lesson.picture.title}; x = (pixel - 128) / 128.")
    if lesson.likeliest:
        yield from paragraph(likeliest_words(lesson))
    yield ""
    yield style.bold("FORWARD")
    table = _Table.of(model.layers, model.shapes)
    yield style.dim(table.forward("layer", "output size", "feature map", "range", "zeros"))
    for row in overview.forward_rows(lesson):
        yield from _forward(row, table, style)
    yield ""
    yield from _loss(lesson, style)
    yield ""
    yield style.bold(f"BACKWARD, against label {lesson.label}")
    yield style.dim(table.backward("layer", "gradient", "largest", "at", "zeros"))
    for backward in overview.backward_rows(lesson):
        yield _backward(backward, table)
    yield ""
    yield from _ways_on(lesson, command)


def _weights_words(lesson: Lesson) -> str:
    if not lesson.random:
        return f"Weights: {lesson.weights}."
    return (
        f"Weights: {lesson.weights}. Shapes, sums and gradients are real; the class it names "
        f"means nothing. --weights FILE.npz takes trained ones."
    )


def likeliest_words(lesson: Lesson) -> str:
    """Which label gradients are taken against where nobody named one."""
    return f"No --label names its class: the loss is taken against the likeliest, {lesson.label}."


@dataclass(frozen=True)
class _Table:
    """The columns that long names, large maps and long places widen, so that rows meet headings."""

    name: int
    feature_map: int
    place: int

    @classmethod
    def of(cls, layers: Sequence[Layer], shapes: Sequence[tuple[int, ...]]) -> _Table:
        """As wide as these layers need, whose inputs have these shapes and then the answer."""
        tensors = [*shapes, *(s for layer, shape in zip(layers, shapes, strict=False)
                              for s in layer.parameter_shapes(shape).values())]  # fmt: skip
        return cls(
            max(9, *(len(str(layer.name)) for layer in layers)),
            max(14, *(len(times(shape)) for shape in shapes)),
            max(12, *(len(",".join(str(size - 1) for size in shape)) for shape in tensors)),
        )

    def forward(self, name: str, size: str, feature_map: str, spread: str, zeros: str) -> str:
        """A row; of two formulas of a size, one an axis, the second stands below the first."""
        size, _, second = size.partition(", ")
        size += "," * bool(second)
        row = f"{name:<{self.name}} {size:<29} {feature_map:<{self.feature_map}} {spread:<18} {zeros:>5}"
        below = f"\n{'':<{self.name}} {second}" if second else ""
        return row.rstrip() + below

    def backward(self, name: str, formula: str, largest: str, place: str, zeros: str) -> str:
        """A row of the gradients."""
        return f"{name:<{self.name}} {formula:<39} {largest:>11} {place:>{self.place}} {zeros:>5}"


def _forward(row: ForwardRow, table: _Table, style: Style) -> Iterator[str]:
    spread = f"{number(row.lowest, 3)} .. {number(row.highest, 3)}"
    yield table.forward(row.name, row.size, row.feature_map, spread, percent(row.zeros))
    if row.parameters:
        work = many(row.multiply_adds, "multiply-add")
        yield style.dim(f"{'':<{table.name}} {row.parameters} parameters; {work}")


def _loss(lesson: Lesson, style: Style) -> Iterator[str]:
    loss = overview.loss(lesson)
    yield style.bold("LOSS")
    top = ", ".join(f"{k} ({number(p)})" for k, p in loss.top)
    if math.isnan(loss.probability):
        top = "none, for p is NaN"
    yield from paragraph(
        f"-ln p[{loss.label}] = -ln {number(loss.probability)} = {number(loss.loss)}. "
        f"Chance: ln {lesson.classes:,} = {number(loss.chance)}. Likeliest classes: {top}."
    )


def _backward(row: BackwardRow, table: _Table) -> str:
    where = ",".join(map(str, row.where))
    formula = f"{row.gradient} = {row.formula}"
    return table.backward(row.name, formula, number(row.largest), where, percent(row.zeros))


def _ways_on(lesson: Lesson, command: str) -> Iterator[str]:
    record = next((r for r in lesson.trace.records if "W" in r.params), None)
    if record is None:
        return
    place = np.unravel_index(int(record.y[0].argmax()), record.y.shape[1:])
    gradient = (record.grads or {})["W"]
    index = np.unravel_index(int(np.abs(gradient).argmax()), gradient.shape)
    at, weight = (",".join(str(int(i)) for i in indices) for indices in (place, index))
    layer, name = option("--layer", record.name), option("--weight", f"{record.name}.W[{weight}]")
    yield from _way("Open a cell:    ", f"{command} {layer} --at {at}")
    yield from _way("Open a gradient:", f"{command} {name}")
    yield from _way("Everything as data:", f"{command} --json")


def _way(what: str, command: str) -> Iterator[str]:
    """A command behind what it does, or where that is too long, on a line of its own."""
    line = f"{what} {command}"
    yield from [line] if len(line) <= WIDTH else [what.rstrip(), f"  {command}"]


def percent(share: float) -> str:
    """A share in per cent; only what is exactly none or all is printed as 0 or 100."""
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return (
        f"{min(max(share * 100, 0.1), 99.9):.1f}%" if not 0.01 <= share < 0.99 else f"{share:.0%}"
    )


def draw_maps(maps: Maps, style: Style, command: str = "tinycnn step") -> str:
    """Draw what a layer's feature maps hold."""
    name = maps.row.name
    table = _Table(max(9, len(name)), max(14, len(maps.row.feature_map)), 0)
    lines = [style.dim(table.forward("layer", "output size", "feature map", "range", "zeros"))]
    lines += _forward(maps.row, table, style)
    if maps.maps:
        lines += [
            "",
            style.bold("LIVELIEST MAPS"),
            style.dim("channel        mean     highest  zeros"),
        ]
        lines += [
            f"{m.channel:>7} {number(m.mean):>11} {number(m.highest):>11}  {percent(m.zeros):>5}"
            for m in maps.maps
        ]
        verb = "is" if maps.silent == 1 else "are"
        lines.append(f"{maps.silent} of the maps {verb} zero everywhere.")
    lines += ["", style.bold("MOST ACTIVE CELLS")]
    for place, value in maps.cells:
        at = ",".join(map(str, place))
        lines.append(f"{number(value):>11}   {command} {option('--layer', name)} --at {at}")
    return "\n".join(lines)


# ------------------------------------------------------------------------------------ explanation


def draw_explanation(explanation: Explanation, style: Style) -> str:
    """Draw one opened number, with the picture."""
    return "\n".join(_explanation(explanation, explanation.picture, style))


def draw_words(explanation: Explanation, style: Style) -> list[str]:
    """The lines of `draw_explanation` without the picture."""
    return _explanation(explanation, None, style)


def _explanation(explanation: Explanation, pixels: Array | None, style: Style) -> list[str]:
    value = explanation.headline
    gap = max(WIDTH - len(explanation.subject) - len(value), 2)
    lines = [style.bold(explanation.subject + " " * gap + value)]
    if len(explanation.subject) + len(value) + 2 > WIDTH:  # a layer of a long name
        lines = [style.bold(part) for part in (explanation.subject, f"{value:>{WIDTH}}")]
    bounds = (check for check in explanation.checks if check.bound and check.finite)
    first = next(bounds, None)
    for section in explanation.sections:
        if not isinstance(section, Step):  # a step belongs to the sum above it
            lines.append("")
        lines += _section(section, pixels, style)
        if section is first:
            lines.append(" " * _INDENT + _BOUND)
    return lines


def _section(section: Section, pixels: Array | None, style: Style) -> list[str]:
    if isinstance(section, Sees):
        lines = _headed("SEES", section.lines, style)
        if section.field is not None and pixels is not None:
            lines += draw_picture(pixels, section.field, style)
            if words := contrast.remark(pixels, colours=style.colour):
                lines += _headed("", [f"({words})"], style)
        return lines
    if isinstance(section, Adds):
        return _adds(section, style)
    if isinstance(section, Compares):
        return _compares(section, style)
    if isinstance(section, Step):
        remark = f" ({section.remark})" if section.remark else ""
        text = f"{section.arithmetic} = {number(section.value)}{remark}"
        return _headed(section.name, [text], style)
    if isinstance(section, Check):
        return _check(section, style)
    return _headed(section.heading, section.lines, style)


def _headed(head: str, lines: Sequence[str], style: Style) -> list[str]:
    """Lines behind a heading of their own column, wrapped."""
    wrapped = [part for line in lines for part in _wrap(line, WIDTH - _INDENT)]
    first = style.bold(f"{head:<{_INDENT - 1}}")
    return [f"{first if i == 0 else ' ' * (_INDENT - 1)} {line}" for i, line in enumerate(wrapped)]


def _check(check: Check, style: Style) -> list[str]:
    """An agreement in nine digits, all that a float32 has; an exact one in full."""
    engine, reference = (
        f"{value!r}" if check.bound == 0 else f"{value:.9g}"
        for value in (check.engine + 0.0, check.reference + 0.0)  # 0, not -0
    )
    lines = [f"engine {engine} | {check.against} {reference}"]
    if not check.finite:
        return _headed("CHECK", [*lines, style.bad("NOT FINITE: nothing can be compared")], style)
    verdict = style.good("agrees") if check.ok else style.bad("DISAGREES")
    lines += [
        f"differ {_size(check.difference)}, bound {_size(check.bound)}: {verdict}",
        f"bound: {check.why}",
    ]
    return _headed("CHECK", lines, style)


def _size(value: float) -> str:
    return f"{value:.1e}" if value else "0"


def _compares(section: Compares, style: Style) -> list[str]:
    """A window's cells, the winner in brackets."""
    texts = [
        [
            ""
            if value is None
            else f"[{number(value)}]"
            if (i, j) == section.winner
            else number(value)
            for j, value in enumerate(row)
        ]
        for i, row in enumerate(section.rows)
    ]
    width = max(len(text) for row in texts for text in row) + 2
    across = max((WIDTH - _INDENT) // width, 1)
    lines = _headed("SEES", [section.heading], style)
    for row in texts:
        for start in range(0, len(row), across):
            cells = "".join(text.rjust(width) for text in row[start : start + across])
            lines.append(" " * _INDENT + cells.rstrip())
    return lines


def _adds(section: Adds, style: Style) -> list[str]:
    """A sum, level by level, always opening the largest part."""
    lines = _headed("SUMS", [section.heading], style)
    level: Part = section.tree
    while isinstance(level, Sum):
        shown = printed(level)
        if shown.exponent:
            lines.append(f"{' ' * _INDENT}(in units of 1e{shown.exponent})")
        if any(isinstance(part, Product) for part in level.parts):
            lines += _terms(level, shown)
        elif level.columns > 1 and _fits(shown.parts, level.columns):
            lines += _grid(shown.parts, level.columns)
        else:
            lines += _list([part.place for part in level.parts], shown.parts)
        if len(level.parts) > 1:
            lines.append(" " * _INDENT + _total(shown))
        level = level.largest
        if isinstance(level, Sum):
            count = many(level.terms, "term")
            lines += _headed("OPEN", [f"{level.place}, the largest of them: {count}"], style)
    return lines


def _total(shown: Printed) -> str:
    return f"these {len(shown.parts)} add up to {shown.total}{rounding(shown)}"


def _fits(texts: Sequence[str], columns: int) -> bool:
    """Whether a grid's rows fit the width."""
    return (max(map(len, texts)) + 2) * columns + _INDENT - 2 <= WIDTH


def _grid(texts: Sequence[str], columns: int) -> list[str]:
    width = max(map(len, texts)) + 2
    return [
        " " * (_INDENT - 2) + "".join(text.rjust(width) for text in texts[start : start + columns])
        for start in range(0, len(texts), columns)
    ]


def _list(places: Sequence[str], texts: Sequence[str]) -> list[str]:
    label, width = max(map(len, places)), max(map(len, texts))
    cells = [f"{p:<{label}} {t:>{width}}" for p, t in zip(places, texts, strict=True)]
    across = max((WIDTH - _INDENT + 3) // (label + width + 4), 1)
    return [
        " " * _INDENT + "   ".join(cells[start : start + across])
        for start in range(0, len(cells), across)
    ]


def _terms(level: Sum, shown: Printed) -> list[str]:
    """Products in full; a factor carries enough digits that the product can be redone."""
    rows = []
    for part, text in zip(level.parts, shown.parts, strict=True):
        factors = ("", "", "")
        if isinstance(part, Product):
            factors = (factor(part.a, part.b, shown), "*", factor(part.b, part.a, shown))
        rows.append((part.place, *factors, text))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return [
        " " * _INDENT
        + f"{p:<{widths[0]}}  {a:>{widths[1]}} {sign:1} {b:>{widths[3]}} = {v:>{widths[4]}}"
        for p, a, sign, b, v in rows
    ]


# ---------------------------------------------------------------------------------------- picture


def draw_picture(pixels: Array, frame: Region, style: Style) -> list[str]:
    """Draw a picture in half blocks with a frame around a region of it."""
    H, W, _ = pixels.shape
    columns = min(_PICTURE, W)
    lines = max(round(columns * H / W / 2), 1)
    rows = _sample(H, 2 * lines)
    small = pixels[rows][:, _sample(W, columns)].astype(np.float64)
    if not style.colour:  # few shades, so use them all
        small = contrast.brightness(contrast.stretched(small))[..., None]
    top, bottom = (frame[0][0] * lines // H, min(frame[0][1] * lines // H, lines - 1))
    left, right = (frame[1][0] * columns // W, min(frame[1][1] * columns // W, columns - 1))
    drawn = []
    for line in range(lines):
        cells = []
        for column in range(columns):
            border = _border(line, column, (top, bottom), (left, right))
            if border:
                cells.append(style.bad(border))
            else:
                cells.append(
                    _half_block(small[2 * line, column], small[2 * line + 1, column], style)
                )
        drawn.append(" " * _INDENT + "".join(cells))
    return drawn


def _border(line: int, column: int, rows: tuple[int, int], columns: tuple[int, int]) -> str:
    """The frame's character at a place, or "" off the frame."""
    inside = rows[0] <= line <= rows[1] and columns[0] <= column <= columns[1]
    if not inside:
        return ""
    if rows[0] == rows[1] and columns[0] == columns[1]:
        return "□"
    if line in rows and column in columns:
        if rows[0] == rows[1] or columns[0] == columns[1]:
            return "□"
        return {(0, 0): "┌", (0, 1): "┐", (1, 0): "└", (1, 1): "┘"}[
            int(line == rows[1]), int(column == columns[1])
        ]
    return "─" if line in rows else "│" if column in columns else ""


def _half_block(upper: Array, lower: Array, style: Style) -> str:
    if style.colour:
        front, back = (";".join(str(int(v)) for v in np.resize(p, 3)) for p in (upper, lower))
        return f"\x1b[38;2;{front}m\x1b[48;2;{back}m▀\x1b[0m"
    light = (upper.mean() + lower.mean()) / 2
    return _SHADES[min(int(light * len(_SHADES) / 256), len(_SHADES) - 1)]


def _sample(size: int, count: int) -> list[int]:
    return [min((2 * i + 1) * size // (2 * count), size - 1) for i in range(count)]


# ------------------------------------------------------------------------------------------- text


def paragraph(text: str) -> list[str]:
    """Wrap prose to the width; numbers are never broken."""
    return _wrap(text, WIDTH)


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def fit(text: str, columns: int) -> str:
    """Wrap what is wider than a narrow terminal between words, so that no number is cut."""
    return "\n".join(part for line in text.split("\n") for part in _fit_line(line, columns))


def _fit_line(line: str, columns: int) -> list[str]:
    if _width(line) <= columns:
        return [line]
    parts = [""]
    for word in re.split(r"( +)", line):
        if _width(parts[-1]) + _width(word) > columns and _width(parts[-1].rstrip()):
            parts.append("")
        if (
            parts[-1] or not word.isspace() or len(parts) == 1
        ):  # no blanks at a wrapped line's start
            parts[-1] += word
    return [part.rstrip() for part in parts if part.strip()]


def _width(text: str) -> int:
    """Columns that a text takes, its colour codes aside."""
    return len(re.sub(r"\x1b\[[0-9;]*m", "", text))
