"""The list of layers that the walk with the keys begins at: the overview's rows, one chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinycnn.explain.readers.overview_text import percent
from tinycnn.explain.values.printing import number
from tinycnn.explain.walk.lesson_cache import LessonCache
from tinycnn.explain.walk.standing import Walk
from tinycnn.explain.walk.styled_text import CHOSEN, DIM, PLAIN, Line, wrapped
from tinycnn.shapes import times

_RULE = 39  # columns of a gradient's rule: a longer one stands below the list


def span(low: float, high: float) -> str:
    """From the lowest to the highest of many numbers."""
    return f"{number(low, 3)} .. {number(high, 3)}"


def draw_layers(walk: Walk, cache: LessonCache, height: int, width: int) -> list[Line]:
    """The list of layers, the chosen one marked, and more about it below."""
    rows = _backward_table(cache) if walk.backward else _forward_table(cache)
    heads = rows.pop(0)
    columns = _columns([heads, *rows], width - 2)
    chosen = len(rows) - 1 - walk.position if walk.backward else walk.position
    below = [line for text in _about(walk, cache) for line in wrapped([(text, DIM)], width - 2, 2)]
    whole = 2 + len(rows) + 1 + len(below) <= height
    room = max(height - 2 - (1 + len(below) if whole else 0), 1)
    first = min(max(chosen - room // 2, 0), max(len(rows) - room, 0))
    lines: list[Line] = [[], [("  " + columns.row(heads), DIM)]]
    for at, row in enumerate(rows[first : first + room], first):
        text = columns.row(row)
        lines.append([(f"› {text} ", CHOSEN)] if at == chosen else [(f"  {text}", PLAIN)])
    return [*lines, [], *([("  ", PLAIN), *line] for line in below)][:height]


@dataclass(frozen=True)
class _Columns:
    """Which columns of a table are shown, how wide each is, and the gap between them."""

    keep: tuple[int, ...]
    widths: tuple[int, ...]
    gap: int

    def row(self, cells: Sequence[str]) -> str:
        """A row of the table; its last column is of numbers."""
        texts = [
            cells[i].rjust(width) if i == 4 else cells[i].ljust(width)
            for i, width in zip(self.keep, self.widths, strict=True)
        ]
        return (" " * self.gap).join(texts)


def _forward_table(cache: LessonCache) -> list[list[str]]:
    """Name, how the size comes about, size, range, zeros; the heads first."""
    x = cache.layout(0).cells
    table = [["layer", "output size", "feature map", "range", "zeros"]]
    zero = float((x == 0).mean())
    shape = times(cache.layout(0).shape)
    table.append(
        ["input", "the picture", shape, span(float(x.min()), float(x.max())), percent(zero)]
    )
    table += [
        [row.name, row.size, row.feature_map, span(row.lowest, row.highest), percent(row.zeros)]
        for row in cache.forward_rows
    ]
    loss = cache.lesson.trace.loss
    label = cache.lesson.label
    table.append(["loss", f"-ln p[{label}]", "1", "" if loss is None else number(loss), ""])
    return table


def _backward_table(cache: LessonCache) -> list[list[str]]:
    """Name, gradient, the largest and its place, zeros; from the loss to the input."""
    table = [["layer", "gradient", "largest", "at", "zeros"]]
    table.append(["loss", "dL/dL", "1", "", ""])
    for row in reversed(cache.backward_rows):
        where = ",".join(map(str, row.where))
        rule = row.rule if len(row.rule) <= _RULE else f"{row.gradient} = ..."
        table.append([row.name, rule, number(row.largest), where, percent(row.zeros)])
    layout = cache.layout(0, backward=True)
    spot = cache.start(0, backward=True)
    where = ",".join(map(str, layout.place(spot)))
    zero = float((layout.cells == 0).mean())
    table.append(
        ["input", "dL/dx, of the picture", number(layout.value(spot)), where, percent(zero)]
    )
    return table


def _columns(table: Sequence[Sequence[str]], width: int) -> _Columns:
    """The columns that fit, giving up the formula first, then the third."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    fits = _Columns((0,), (widths[0],), 1)
    for keep in ((0, 2), (0, 2, 4), (0, 2, 3, 4), (0, 1, 2, 3, 4)):
        for gap in (1, 2, 3):
            if sum(widths[i] + gap for i in keep) - gap <= width:
                fits = _Columns(keep, tuple(widths[i] for i in keep), gap)
    return fits


def _about(walk: Walk, cache: LessonCache) -> list[str]:
    """What the list has no room to say of the chosen layer."""
    lesson = cache.lesson
    if walk.position == 0:
        return [f"{lesson.picture.title}; {lesson.picture.formula}"]
    if walk.position == cache.last:
        label = lesson.class_words(lesson.label)
        return [f"label {label}; guessing costs ln {lesson.classes:,} = {number(lesson.chance)}"]
    row = cache.forward_rows[walk.position - 1]
    if walk.backward:
        record = cache.record(walk.position)
        rules = [each.rule for each in cache.backward_rows if each.name == row.name]
        untold = [rule for rule in rules if len(rule) > _RULE]
        names = [f"dL/d{name}" for name in (*record.params, "x")]
        shown = f"{row.name} has {', '.join(names)}; Enter shows what arrives at its output"
        return [*untold, shown]
    if not row.parameters:
        return [f"{row.name} has no parameters"]
    return [f"{row.parameters} parameters; {row.multiply_adds:,} multiply-adds"]
