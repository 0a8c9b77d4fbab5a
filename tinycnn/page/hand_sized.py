"""The hand-sized examples as the page draws them: what each cell is made of, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinycnn.explain.examples.arithmetic import Value, text
from tinycnn.explain.examples.calculation import Calculation, Result
from tinycnn.explain.examples.example import Example, Way, load, open_example
from tinycnn.explain.examples.reading import Reads, reads_of
from tinycnn.explain.values.sums import Source

_KERNELS = (
    "W",
    "dW",
)  # the examples' names of what is laid out (KH, KW, C, F) and not (N, H, W, C)


def examples() -> list[dict[str, Any]]:
    """All examples in reading order."""
    return [_example(open_example(name)) for name in load()]


def _example(example: Example) -> dict[str, Any]:
    values = {value.name: value for value in example.given}
    for stage in example.stages:
        values |= {result.value.name: result.value for result in stage.results}
    return {
        "name": example.name,
        "title": example.data["title"],
        "teaches": example.data["teaches"],
        "command": f"tinycnn step --example {example.name}",
        "values": {name: drawn(value) for name, value in values.items()},
        "ways": [_way(way) for way in example.ways],
        "changes": [change.words for change in example.changes],
    }


def drawn(value: Value) -> dict[str, Any]:
    """A value's numbers as text, and the planes, of rows of cells, in which they are drawn."""
    return {
        "numbers": value.flat,
        "texts": value.exact or [text(number) for number in value.flat],
        "cells": [value.cell(place) for place in range(len(value.flat))],
        "planes": list(_planes(value)),
    }


def _planes(value: Value) -> Iterator[dict[str, Any]]:
    """Images and kernels by channel; anything else as one plane of at most two axes."""
    cells = np.arange(value.array.size).reshape(value.array.shape)
    if cells.ndim != 4:
        rows = cells.reshape(value.layout if len(value.layout) == 2 else (1, -1))
        yield {"label": "", "rows": rows.tolist()}
        return
    is_kernel = value.name.split("_")[0] in _KERNELS
    axes = (2, 3) if is_kernel else (0, 3)
    names = ("channel", "filter") if is_kernel else ("image", "channel")
    apart = np.moveaxis(cells, axes, (0, 1))
    for places in np.ndindex(*apart.shape[:2]):
        shown = [axis for axis in (0, 1) if apart.shape[axis] > 1]
        label = ", ".join(f"{names[axis]} {places[axis]}" for axis in shown)
        yield {"label": label, "rows": apart[places].tolist()}


def _way(way: Way) -> dict[str, Any]:
    stages = [_stage(stage) for stage in way.stages]
    return {"heading": way.heading, "brief": way.brief, "stages": stages}


def _stage(stage: Calculation) -> dict[str, Any]:
    read, takes = reads_of(stage), {value.name: value for value in stage.takes}
    results = zip(stage.results, read, strict=True)
    return {
        "call": stage.call,
        "op": stage.op,
        "takes": [value.name for value in stage.takes],
        "results": [_result(*pair, takes) for pair in results],
        "wins": _winners(stage, read),
        "sizes": stage.sizes,
        "remark": stage.remark,
    }


def _winners(stage: Calculation, read: Sequence[Sequence[Reads]]) -> list[int]:
    """Of a max-pool, the cell that wins each window; the examples' pools have no padding."""
    if stage.op != "max_pool2d":
        return []
    name, winner = stage.takes[0].name, stage.results[1].value
    windows = (reads[name] for reads in read[0])
    return [cells[int(at)] for cells, at in zip(windows, winner.flat, strict=True)]


def _result(result: Result, read: Sequence[Reads], takes: Mapping[str, Value]) -> dict[str, Any]:
    value = result.value
    cells = [{"reads": reads, **_cell(result, place, takes)} for place, reads in enumerate(read)]
    return {"name": value.name, "rule": result.rule, "cells": cells}


def _cell(result: Result, place: int, takes: Mapping[str, Value]) -> dict[str, Any]:
    """How a cell came about; ``asked`` is what a class may see before it answers."""
    value, name = result.value, result.value.cell(place)
    if not result.cells:  # a mask, drawn by lot, has no arithmetic
        equation = f"{name} = {text(value.flat[place])}"
        return {
            "equation": equation,
            "asked": f"{name} = ?",
            "note": "",
            "products": [],
            "terms": [],
        }
    cell = result.cells[place]
    products = [[*map(text, part.factors), text(part.value)] for part in cell.parts if part.factors]
    riddle = [cell.arithmetic] if products else []
    return {
        "equation": cell.equation(name, value.exact[place] if value.exact else ""),
        "asked": " = ".join([name, *riddle, "?"]),
        "note": cell.note,
        "products": products,
        "terms": [
            {"text": term, "cells": [_place(source, takes) for source in part.sources]}
            for part, term in zip(cell.parts, cell.terms, strict=True)
            if part.value
        ],
    }


def _place(source: Source, takes: Mapping[str, Value]) -> tuple[str, int]:
    """The operand's name, and which of its cells it is, row by row."""
    shape = takes[source.array].array.shape
    return source.array, int(np.ravel_multi_index(source.place, shape))
