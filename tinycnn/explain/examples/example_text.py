"""A hand-sized example drawn for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from tinycnn.explain.examples.arithmetic import Value, text
from tinycnn.explain.examples.calculation import Calculation, Result
from tinycnn.explain.examples.example import Example, LossChange
from tinycnn.explain.readers.learning_text import steps_table
from tinycnn.explain.readers.style import WIDTH, Style, paragraph
from tinycnn.shapes import Window
from tinycnn.wording import many

_INDENT = "  "
_LISTED = 9  # cells that are 0 for one reason; more are not named one by one
_GAP = 3  # at least, between two equations of a line, or an equation and its remark
# The same thing in AlexNet.
ON = {
    "conv-pool": "tinycnn step --layer conv2 --at 13,13,11",
    "turned": "tinycnn step --grad conv3.x --at 7,7,107",
    "channels": "tinycnn step --layer conv3 --at 4,3,189",
    "im2col": "tinycnn step --layer conv1 --im2col --at 27,27",
    "winograd": "tinycnn summary --plan 32",
    "softmax": "tinycnn step --why loss",
    "lrn": "tinycnn step --model paper --layer norm1 --at 27,27,33",
    "dropout": "tinycnn step --train --layer dropout1 --at 2,3,141",
    "stride": "tinycnn step --layer conv1 --at 27,27,33",
    "padding": "tinycnn step --layer conv2 --at 0,0,5",
    "groups": "tinycnn step --model paper --layer conv2 --at 13,13,86",
    "overlap": "tinycnn step --grad pool1.x --at 4,18,2",
    "whole": "tinycnn step",
    "learning": "tinycnn step --weight 'conv1.W[10,4,0,78]'",
}


def draw_example(example: Example, style: Style) -> str:
    """The givens, each call with its results worked out cell by cell, and the checks."""
    return "\n".join(_example(example, style))


def matrices(values: Sequence[Value], width: int = WIDTH) -> list[str]:
    """Arrays side by side as small aligned matrices, each under its name."""
    blocks = [matrix(value) for value in values]
    lines: list[str] = []
    while blocks:
        row = [blocks.pop(0)]
        while blocks and len(_beside([*row, blocks[0]])[0]) <= width:
            row.append(blocks.pop(0))
        lines += [line.rstrip() for line in _beside(row)]
    return lines


def matrix(value: Value) -> list[str]:
    """One array: its name, then its rows, all of one width; matrices of a third axis stand apart."""
    rows = grid(value)
    across = max(len(text) for row in rows for text in row)
    lines = [" ".join(text.rjust(across + (i > 0)) for i, text in enumerate(row)) for row in rows]
    height = value.layout[-2] if value.layout[2:] else len(rows)
    for start in range(height * (len(rows) // height - 1), 0, -height):
        lines.insert(start, "")
    width = max(len(value.name), *map(len, lines))
    return [line.ljust(width) for line in (value.name, *lines)]


def grid(value: Value) -> list[list[str]]:
    """An array's numbers as texts, row by row; exact ones where they are known."""
    texts = list(value.exact) if value.exact else [text(number) for number in value.flat]
    columns = value.layout[-1] if value.layout else 1
    return [texts[start : start + columns] for start in range(0, len(texts), columns)]


def _beside(blocks: Sequence[Sequence[str]]) -> list[str]:
    height = max(map(len, blocks))
    padded = [[*block, *[" " * len(block[0])] * (height - len(block))] for block in blocks]
    return [_INDENT + (" " * 6).join(parts) for parts in zip(*padded, strict=True)]


def _example(example: Example, style: Style) -> Iterator[str]:
    data = example.data
    yield from (style.bold(line) for line in paragraph(f"{example.name}: {data['title']}"))
    yield ""
    yield from paragraph(data["teaches"])
    given = {value.name: value for value in example.given}
    for way in example.ways:
        if way.stages:
            yield from ("", style.bold(way.heading))
        for stages in [way.stages] if way.brief else [(stage,) for stage in way.stages]:
            yield from draw_given(given, stages)
            yield ""
            if way.brief:
                yield from draw_arrays(stages, style, losses=True)
                yield from draw_losses(stages, style)
            else:
                yield from draw_stage(stages[0], style)
    if example.changes:
        yield from ("", style.bold("CHANGE"), "", *_changes(example.changes))
    yield ""
    yield from paragraph(f"docs/mathematics/{data['page']}.md derives it.")
    if example.name in ON:
        yield f"In AlexNet: {ON[example.name]}"


def draw_given(given: dict[str, Value], stages: Sequence[Calculation]) -> Iterator[str]:
    """What some calls take for the first time; it is taken out of ``given``."""
    taken = dict.fromkeys(value.name for stage in stages for value in stage.takes)
    fresh = [given.pop(name) for name in taken if name in given]
    if fresh:
        gradient = ", the gradient from above" * all(value.name.startswith("d") for value in fresh)
        yield from ("", f"{_INDENT}given{gradient}:", *matrices(fresh))


def draw_stage(stage: Calculation, style: Style) -> Iterator[str]:
    """A call, what it gives, each cell worked out, and the checks."""
    yield from draw_call(stage, style)
    if stage.sizes:
        high, wide = stage.sizes
        yield _INDENT + style.dim(f"size: {high} high, {wide} wide")
    yield from _windows(stage)
    yield from matrices([result.value for result in stage.results])
    for result in stage.results:
        name = result.value.name
        yield from (style.dim(line) for line in _lines(f"{name}: {result.rule}"))
        yield from _cells(result)
    if stage.remark:
        yield from _lines(stage.remark)
    yield from _check([stage], style)


def draw_losses(stages: Sequence[Calculation], style: Style) -> Iterator[str]:
    """Of what some calls give, the equations of single numbers alone, such as the loss; and the checks."""
    for result in _results(stages):
        if not result.value.layout:
            yield from _cells(result)
    yield from _check(stages, style)


def draw_arrays(
    stages: Sequence[Calculation], style: Style, *, losses: bool = False
) -> Iterator[str]:
    """Some calls, and the arrays that they give; with ``losses`` single numbers as well."""
    for stage in stages:
        yield from draw_call(stage, style)
    values = (result.value for result in _results(stages))
    yield from ("", *matrices([value for value in values if losses or value.layout]))


def _results(stages: Sequence[Calculation]) -> list[Result]:
    return [result for stage in stages for result in stage.results]


def _changes(changes: Sequence[LossChange]) -> Iterator[str]:
    """What became of the loss: one step in words, several in a table."""
    if len(changes) == 1:
        yield from _lines(changes[0].words)
        return
    weight, gradient = (value.cell(0) for value in changes[0].stages[0].takes[:2])
    steps = [change.step(number) for number, change in enumerate(changes, start=1)]
    table = steps_table(weight, gradient, steps, text)
    yield from (_INDENT + line for line in table.split("\n"))
    yield from _lines(f"The loss at the end: {text(changes[-1].after.flat[0])}")


def draw_call(stage: Calculation, style: Style) -> list[str]:
    """The call alone; one that is too long goes on, deeper."""
    if len(_INDENT + stage.call) <= WIDTH:
        return [_INDENT + style.bold(stage.call)]
    return _lines(stage.call)


def _lines(words: str, depth: int = 1) -> list[str]:
    """Prose behind the indent, its later lines deeper."""
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=_INDENT * depth,
        subsequent_indent=_INDENT * (depth + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _check(stages: Sequence[Calculation], style: Style) -> Iterator[str]:
    wrong = [line for stage in stages for line in stage.disagreements]
    for line in wrong:
        yield from (style.bad(part) for part in _lines(f"CHECK DISAGREES: {line}"))
    if not wrong:
        results = _results(stages)
        count = sum(len(result.value.flat) for result in results)
        hand = "by hand, " if any(result.cells for result in results) else ""
        stored = ", and as stored" if all(result.stored for result in results) else ""
        yield _INDENT + style.good(
            f"CHECK agrees: {many(count, 'number')} {hand}by the engine in float64{stored}"
        )


# ------------------------------------------------------------------------------------------ cells


def _cells(result: Result) -> Iterator[str]:
    """The equations of a result's cells, then what nothing reaches."""
    if result.cells and all(cell.source for cell in result.cells):
        yield from _copies(result)
        return
    value, known = result.value, not result.disagreements
    equations, idle = [], []
    for place, cell in enumerate(result.cells):
        name = value.cell(place)
        if cell.arithmetic:
            exact = value.exact[place] if value.exact and known else ""
            equations.append((cell.equation(name, exact), cell.note))
        else:
            idle.append((cell.note, name))
    yield from _equations(equations, value.layout[-1] if value.layout else 1)
    yield from _idle(idle, everything=len(idle) == len(result.cells))


def _idle(cells: Sequence[tuple[str, str]], *, everything: bool) -> Iterator[str]:
    """Cells that are 0, by the reason why; many with one reason are not listed."""
    reasons: dict[str, list[str]] = {}
    for reason, name in cells:
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        if len(reasons) == 1 and len(names) > _LISTED:
            yield from _lines(f"0 ({reason}): {'every cell' if everything else 'all others'}")
        else:
            yield from _lines(f"0 ({reason}): {', '.join(names)}")


def _equations(equations: Sequence[tuple[str, str]], columns: int) -> Iterator[str]:
    """Without remarks, as many equations a line as the array has columns, if they fit."""
    width = max((len(equation) for equation, _ in equations), default=0) + _GAP
    if any(note for _, note in equations):
        for equation, note in equations:
            beside = f"{_INDENT}{equation:<{width}}{note}".rstrip()
            if len(beside) <= WIDTH:
                yield beside
            else:
                yield from (*_broken(equation), f"{_INDENT * 3}{note}")
        return
    fit = (WIDTH - len(_INDENT) + _GAP) // width if width else 1
    across = columns if columns <= fit else 1
    for start in range(0, len(equations), max(across, 1)):
        texts = [equation for equation, _ in equations[start : start + max(across, 1)]]
        if len(texts) == 1:
            yield from _broken(texts[0])
        else:
            yield (_INDENT + "".join(text.ljust(width) for text in texts)).rstrip()


def _broken(equation: str) -> list[str]:
    """An equation that is too long goes on, deeper, at one of its "="."""
    name, *sides = equation.split(" = ")
    lines = [_INDENT + name]
    for side in sides:
        if len(f"{lines[-1]} = {side}") <= WIDTH:
            lines[-1] += f" = {side}"
        else:
            lines += _lines(f"= {side}", 3)
    return lines


def _copies(result: Result) -> Iterator[str]:
    """A matrix of copies, a line for each row."""
    value, columns = result.value, result.value.layout[-1]
    for start in range(0, len(result.cells), columns):
        sources = ", ".join(cell.source for cell in result.cells[start : start + columns])
        yield from _lines(f"{value.name}[{start // columns}] copies {sources}")


# ---------------------------------------------------------------------------------------- windows


def _windows(stage: Calculation) -> Iterator[str]:
    """Which cells each window reads, where the image is one row of one channel."""
    x = stage.takes[0]
    if stage.window is None or x.array.shape[1] != 1 or x.array.shape[3] != 1:
        return
    win: Window = stage.window
    axis = win.width
    cells = {place: text(number) for place, number in enumerate(x.flat)}
    span = range(-axis.before, axis.input + axis.after)
    name = stage.results[0].value.name
    read = {x.name: span} | {
        f"{name}[{out}] reads": range(
            axis.seen(out, out)[0], axis.seen(out, out)[1] + 1, axis.dilation
        )
        for out in range(axis.output)
    }
    label = max(14, *map(len, read))
    across = max(4, *(len(cell) + 2 for cell in cells.values()))
    for words, places in read.items():
        row = (cells.get(p, "0") if p in places else "" for p in span)
        yield f"{_INDENT}{words:<{label}}{''.join(cell.rjust(across) for cell in row)}".rstrip()
