"""Walks drawn for a terminal of 80 columns: text, colour where allowed, pictures in half blocks."""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

import numpy as np

from tinycnn.arrays import Array
from tinycnn.shapes import times
from tinycnn.stepthrough import overview
from tinycnn.stepthrough.explanation import Check, Explanation
from tinycnn.stepthrough.field import Region
from tinycnn.stepthrough.lesson import Lesson
from tinycnn.stepthrough.overview import BackwardRow, ForwardRow
from tinycnn.stepthrough.sums import Product, Sum, decimals, number, printed

WIDTH = 80
_PICTURE = 40  # columns of a drawn picture; half as many lines, two pixels each
_SHADES = " .:-=+*#%@"


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


def draw_overview(lesson: Lesson, style: Style) -> Iterator[str]:
    """Give the overview line by line, as its numbers come in."""
    model = lesson.model
    total = sum(int(np.prod(s)) for s in model.parameter_shapes().values())
    yield style.bold(f"{model.name}: {total:,} parameters")
    yield from paragraph(_weights_words(lesson))
    yield from paragraph(f"Picture: {lesson.picture.title}; x = (pixel - 128) / 128.")
    yield ""
    yield style.bold("FORWARD")
    yield style.dim(_columns("layer", "output size", "feature map", "range", "zeros"))
    for row in overview.forward_rows(lesson):
        yield from _forward(row, style)
    yield ""
    yield from _loss(lesson, style)
    yield ""
    yield style.bold(f"BACKWARD, against label {lesson.label}")
    yield style.dim(_columns("layer", "gradient", "largest", "at", "zeros"))
    for backward in overview.backward_rows(lesson):
        yield _backward(backward)
    yield ""
    yield from _ways_on(lesson)


def _weights_words(lesson: Lesson) -> str:
    if lesson.trained:
        return f"Weights: {lesson.weights}."
    return (
        f"Weights: {lesson.weights}. Shapes, sums and gradients are real; the class it names "
        f"means nothing. --weights FILE.npz takes trained ones."
    )


def _columns(name: str, formula: str, second: str, third: str, zeros: str) -> str:
    return f"{name:<9} {formula:<29} {second:<14} {third:<18} {zeros:>5}".rstrip()


def _forward(row: ForwardRow, style: Style) -> Iterator[str]:
    spread = f"{number(row.lowest, 3)} .. {number(row.highest, 3)}"
    yield _columns(row.name, row.size, row.feature_map, spread, _percent(row.zeros))
    if row.parameters:
        work = f"{row.multiply_adds:,} multiply-adds"
        yield style.dim(f"{'':<9} {row.parameters} parameters; {work}")


def _loss(lesson: Lesson, style: Style) -> Iterator[str]:
    loss = overview.loss(lesson)
    yield style.bold("LOSS")
    top = ", ".join(f"{k} ({number(p)})" for k, p in loss.top)
    yield from paragraph(
        f"-ln p[{loss.label}] = -ln {number(loss.probability)} = {number(loss.loss)}. "
        f"Chance: ln {lesson.classes:,} = {number(loss.chance)}. Likeliest classes: {top}."
    )


def _backward(row: BackwardRow) -> str:
    where = ",".join(map(str, row.where))
    formula = f"{row.gradient} = {row.formula}"
    return f"{row.name:<9} {formula:<39} {number(row.largest):>11} {where:>12} {_percent(row.zeros):>5}"


def _ways_on(lesson: Lesson) -> Iterator[str]:
    conv = next(
        (r for r in lesson.trace.records if len(r.y.shape) == 4 and r.params and r.x.shape[3] > 3),
        None,
    )
    if conv is not None:
        r, c = (size // 2 for size in conv.y.shape[1:3])
        most_active = int(conv.y[0, r, c].argmax())
        yield f"Open a number: tinycnn step --layer {conv.name} --at {r},{c},{most_active}"
    yield "Everything as data: tinycnn step --json"


def _percent(share: float) -> str:
    """A share in per cent; only what is exactly none or all is printed as 0 or 100."""
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return (
        f"{min(max(share * 100, 0.1), 99.9):.1f}%" if not 0.01 <= share < 0.99 else f"{share:.0%}"
    )


# ------------------------------------------------------------------------------------ explanation


def draw_explanation(explanation: Explanation, style: Style) -> str:
    """Draw one opened number."""
    value = number(explanation.value)
    gap = max(WIDTH - len(explanation.subject) - len(value), 2)
    lines = [style.bold(explanation.subject + " " * gap + value), ""]
    lines += _sees(explanation, style)
    lines += ["", *_tree(explanation, style), ""]
    for step in explanation.steps:
        lines.append(f"{style.bold(f'{step.name:<6}')} {step.arithmetic}: {number(step.value)}")
    for check in explanation.checks:
        lines += ["", *_check(check, style)]
    lines += ["", *_hanging(style.bold("NEXT  "), explanation.next)]
    return "\n".join(lines)


def _check(check: Check, style: Style) -> list[str]:
    """An agreement in nine digits, all that a float32 has; an exact one in full."""
    engine, reference = (
        f"{value!r}" if check.bound == 0 else f"{value:.9g}"
        for value in (check.engine, check.reference)
    )
    verdict = style.good("agrees") if check.ok else style.bad("DISAGREES")
    return [
        f"{style.bold('CHECK ')} engine {engine} | {check.against} {reference}",
        f"       differ {check.difference:.1e}, bound {check.bound:.1e}: {verdict}",
        f"       bound: {check.why}",
    ]


def _sees(explanation: Explanation, style: Style) -> list[str]:
    (r0, r1), (c0, c1) = explanation.window.asked
    first, last = explanation.channels
    channels = f"channels {first}..{last}" if first else f"all {last + 1} channels"
    lines = [
        f"{style.bold('SEES  ')} {explanation.source}, rows {r0}..{r1}, columns {c0}..{c1}, {channels}"
    ]
    if explanation.window.padded:
        lines.append("       (what lies outside is padding: 0)")
    rows, columns = explanation.receptive_field
    size = times([rows[1] - rows[0] + 1, columns[1] - columns[0] + 1])
    lines.append(
        f"       in the picture: rows {rows[0]}..{rows[1]}, columns {columns[0]}..{columns[1]} "
        f"({size} pixels)"
    )
    return [*lines, *draw_picture(explanation.picture, explanation.receptive_field, style)]


def _tree(explanation: Explanation, style: Style) -> list[str]:
    """The sum, level by level, always opening the largest part."""
    level: Sum | Product = explanation.tree
    terms = explanation.tree.terms
    columns = explanation.grid[1]
    lines = [f"{style.bold('SUMS  ')} {terms:,} products x * W, added up by kernel position:"]
    while isinstance(level, Sum):
        shown = printed(level)
        if isinstance(level.parts[0], Product):
            lines += _products(level)
        elif level is explanation.tree and columns > 1:
            lines += _grid(shown.parts, columns)
        else:
            lines += _list([part.place for part in level.parts], shown.parts)
        lines += _total(shown.total, shown.value, shown.gap, len(shown.parts))
        level = level.largest
        if isinstance(level, Sum):
            lines.append(
                f"{style.bold('OPEN  ')} {level.place}, the largest of them: {level.terms} products"
            )
    return lines


def _total(total: str, value: str, gap: str | None, count: int) -> list[str]:
    if gap is None:
        return [f"       these {count} add up to {total}"]
    return [f"       these {count} add up to {total}; unrounded {value}, rounding {gap}"]


def _grid(texts: Sequence[str], columns: int) -> list[str]:
    width = max(map(len, texts)) + 2
    return [
        "      " + "".join(text.rjust(width) for text in texts[start : start + columns])
        for start in range(0, len(texts), columns)
    ]


def _list(places: Sequence[str], texts: Sequence[str]) -> list[str]:
    label, width = max(map(len, places)), max(map(len, texts))
    cells = [f"{p:<{label}} {t:>{width}}" for p, t in zip(places, texts, strict=True)]
    across = max((WIDTH - 7) // (label + width + 4), 1)
    return [
        "       " + "   ".join(cells[start : start + across])
        for start in range(0, len(cells), across)
    ]


def _products(level: Sum) -> list[str]:
    """Products in full; a factor carries enough digits that the product can be redone."""
    shown = printed(level)
    factors: list[tuple[str, str, str, str]] = []
    places = decimals([level.value, *(part.value for part in level.parts)])
    for part, text in zip(level.parts, shown.parts, strict=True):
        assert isinstance(part, Product)
        factors.append(
            (part.place, _factor(part.a, part.b, places), _factor(part.b, part.a, places), text)
        )
    widths = [max(len(row[i]) for row in factors) for i in range(4)]
    return [
        f"       {p:<{widths[0]}}  {a:>{widths[1]}} * {b:>{widths[2]}} = {v:>{widths[3]}}"
        for p, a, b, v in factors
    ]


def _factor(value: float, other: float, places: int) -> str:
    """Print a factor so finely that its rounding, times the other, is far below the product's.

    A multiple of 1/1024, such as a pixel or a weight of the lesson's first layer, is printed whole.
    """
    if (value * 1024).is_integer() or not math.isfinite(value * other):
        return f"{value!r}"
    digits = places + 1 + (max(0, math.ceil(math.log10(abs(other)))) if other else 0)
    return f"{value:.{digits}f}"


# ---------------------------------------------------------------------------------------- picture


def draw_picture(pixels: Array, frame: Region, style: Style) -> list[str]:
    """Draw a picture in half blocks with a frame around a region of it."""
    H, W, _ = pixels.shape
    columns = min(_PICTURE, W)
    lines = max(round(columns * H / W / 2), 1)
    rows = _sample(H, 2 * lines)
    small = pixels[rows][:, _sample(W, columns)].astype(np.float64)
    if not style.colour:  # few shades, so use them all
        dark, light = np.percentile(small, [2, 98])
        small = np.clip((small - dark) * (255 / max(light - dark, 1)), 0, 255)
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
        drawn.append("       " + "".join(cells))
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
    return textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _hanging(head: str, lines: Sequence[str]) -> list[str]:
    return [f"{head if i == 0 else '      '} {line}" for i, line in enumerate(lines)]
