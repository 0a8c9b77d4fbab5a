"""The overview of a network and a layer's feature maps as tables on a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tinycnn.explain.lessons import overview
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.lessons.maps import Maps
from tinycnn.explain.lessons.overview import BackwardRow, ForwardRow
from tinycnn.explain.opening import steepest
from tinycnn.explain.readers.style import WIDTH, Style, paragraph
from tinycnn.explain.values.printing import number
from tinycnn.layers import Layer
from tinycnn.shapes import times
from tinycnn.wording import many, option


def draw_overview(lesson: Lesson, style: Style, command: str = "tinycnn step") -> Iterator[str]:
    """Give the overview line by line, as its numbers come in.

    ``command`` is what opens numbers of this lesson.
    """
    yield from draw_heading(lesson, style)
    yield ""
    yield style.bold("FORWARD")
    table = _Table.of(lesson.model.layers, lesson.model.shapes)
    yield style.dim(table.forward("layer", "output size", "feature map", "range", "zeros"))
    for row in overview.forward_rows(lesson):
        yield from _forward(row, table, style)
    yield ""
    yield from _loss(lesson, style)
    yield ""
    yield style.bold(f"BACKWARD, against label {lesson.class_words(lesson.label)}")
    yield style.dim(table.backward("layer", "gradient", "largest", "at", "zeros"))
    for backward in overview.backward_rows(lesson):
        yield _backward(backward, table)
    yield ""
    yield from _ways_on(lesson, command)


def _class(lesson: Lesson, number: int) -> str:
    """A class by its name, or where it has none by its number."""
    return (lesson.class_names[number] if lesson.class_names else "") or str(number)


def draw_heading(lesson: Lesson, style: Style, pictures: str | None = None) -> Iterator[str]:
    """What every view of a lesson begins with: its network, weights, and picture, or other ``pictures``."""
    total = sum(int(np.prod(s)) for s in lesson.model.parameter_shapes().values())
    yield style.bold(f"{lesson.name}: {many(total, 'parameter')}")
    yield from paragraph(_weights_words(lesson))
    yield from paragraph(pictures or f"Picture: {lesson.picture.title}; {lesson.picture.formula}.")
    if lesson.likeliest and pictures is None:
        yield from paragraph(likeliest_words(lesson))


def _weights_words(lesson: Lesson) -> str:
    if not lesson.random:
        return f"Weights: {lesson.weights}."
    return (
        f"Weights: {lesson.weights}. Shapes, sums and gradients are real; the class it names "
        f"means nothing. --weights FILE takes trained ones."
    )


def likeliest_words(lesson: Lesson) -> str:
    """Which label gradients are taken against where nobody named one."""
    label = lesson.class_words(lesson.label)
    return f"No --label names its class: the loss is taken against the likeliest, {label}."


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
        """A row of the gradients; behind a long formula the numbers stand below."""
        numbers = f"{largest:>11} {place:>{self.place}} {zeros:>5}"
        below = f"\n{'':<{self.name}} {'':<39}" if len(formula) > 39 else ""
        return f"{name:<{self.name}} {formula:<39}{below} {numbers}"


def _forward(row: ForwardRow, table: _Table, style: Style) -> Iterator[str]:
    spread = f"{number(row.lowest, 3)} .. {number(row.highest, 3)}"
    yield table.forward(row.name, row.size, row.feature_map, spread, percent(row.zeros))
    if row.parameters:
        work = many(row.multiply_adds, "multiply-add")
        yield style.dim(f"{'':<{table.name}} {row.parameters} parameters; {work}")


def _loss(lesson: Lesson, style: Style) -> Iterator[str]:
    loss = overview.loss(lesson)
    if not (lesson.random or math.isnan(loss.probability)):
        best, p = loss.top[0]
        yield style.bold(f"RECOGNISED as {lesson.class_words(best)}, with probability {number(p)}")
    yield style.bold("LOSS")
    top = ", ".join(f"{_class(lesson, k)} ({number(p)})" for k, p in loss.top)
    if math.isnan(loss.probability):
        top = "none, for p is NaN"
    yield from paragraph(
        f"-ln p[{loss.label}] = -ln {number(loss.probability)} = {number(loss.loss)}. "
        f"Chance: ln {lesson.classes:,} = {number(loss.chance)}. Likeliest classes: {top}."
    )


def _backward(row: BackwardRow, table: _Table) -> str:
    where = ",".join(map(str, row.where))
    return table.backward(row.name, row.rule, number(row.largest), where, percent(row.zeros))


def _ways_on(lesson: Lesson, command: str) -> Iterator[str]:
    if not lesson.model.parameter_shapes():
        return
    parameter, index = steepest(lesson.backward)
    record = lesson.trace[parameter.rpartition(".")[0]]
    place = np.unravel_index(int(record.y[0].argmax()), record.y.shape[1:])
    at, weight = (",".join(str(int(i)) for i in indices) for indices in (place, index))
    layer, name = option("--layer", record.name), option("--weight", f"{parameter}[{weight}]")
    yield from way("Open a cell:    ", f"{command} {layer} --at {at}")
    yield from way("Open a gradient:", f"{command} {name}")
    yield from way("Watch it learn: ", f"{command} --steps 50")
    yield from way("Everything as data:", f"{command} --json")
    yield from page_way(command)


def page_way(command: str) -> Iterator[str]:
    """The command that writes the page of what ``command`` opens on a terminal."""
    yield from way("In a browser:", command.replace(" step", " page", 1))


def way(what: str, command: str) -> Iterator[str]:
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
