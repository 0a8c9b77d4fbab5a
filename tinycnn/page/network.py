"""A network over a picture as the page draws it: its layers, their maps and gradients, what they see."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.explainer import explainer_of
from tinycnn.explain.lessons import overview
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.readers.overview_text import percent
from tinycnn.explain.receptive_field import receptive_field
from tinycnn.explain.values.printing import number
from tinycnn.layers import Shape
from tinycnn.model import Sequential
from tinycnn.page.channels import Channels
from tinycnn.passes import Record
from tinycnn.wording import many, option

_SHEET = 1 << 18  # numbers of the first layer's filters that the page carries, 1 MB


def network(lesson: Lesson, channels: Channels) -> dict[str, Any]:
    """The overview, and each layer with its maps: those of ``channels``, where these are not all."""
    whole = overview.to_dict(lesson)
    forward = {row["name"]: _forward(row) for row in whole.pop("forward")}
    backward = {row["name"]: _backward(row) for row in whole.pop("backward")}
    whole["loss"] = _loss(whole["loss"])
    layers = [
        {
            **forward[record.name],
            "backward": backward.get(record.name),
            **_layer(lesson, position, channels),
        }
        for position, record in enumerate(lesson.backward.records)
    ]
    return {
        **whole,
        "parameters": many(whole["parameters"], "parameter"),
        "classes": lesson.classes,
        "class_names": [
            "" if name == str(number) else name for number, name in enumerate(lesson.class_names)
        ],
        "pixels": lesson.picture.pixels,
        "shape": list(lesson.model.input_shape),
        "layers": layers,
    }


def _forward(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "range": f"{number(row['lowest'], 3)} .. {number(row['highest'], 3)}",
        "zeros": percent(row["zeros"]),
        "multiply_adds": f"{row['multiply_adds']:,}",
        "work": row["multiply_adds"],
    }


def _backward(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "formula": f"{row['gradient']} = {row['formula']}",
        "largest": number(row["largest"]),
        "where": ",".join(map(str, row["where"])),
        "zeros": percent(row["zeros"]),
    }


def _loss(row: Mapping[str, Any]) -> dict[str, Any]:
    top = [{"label": label, "text": number(p), "share": p} for label, p in row["top"]]
    texts = {name: number(row[name]) for name in ("probability", "loss", "chance")}
    return {"label": row["label"], **texts, "top": top}


def _layer(lesson: Lesson, position: int, channels: Channels) -> dict[str, Any]:
    """Its kind, its numbers for the picture, and which of the layers before a cell of it sees."""
    record = lesson.backward.records[position]
    explainer, some = explainer_of(record.layer), channels.get(record.name)
    return {
        "kind": type(record.layer).__name__,
        "axis": explainer.channel,
        "input": list(record.x.shape[1:]),
        "output": list(record.y.shape[1:]),
        "parameter_count": explainer.parameter_count(record.x.shape[1:]),
        "channels": some,
        "y": _planes(record.y[0], some),
        "dy": None if record.dy is None else _planes(record.dy[0], some),
        "option": option("--layer", record.name),
        "gradient_option": option("--grad", f"{record.name}.y"),
        "sees": _sees(lesson.model, position, lesson.training),
        "filters": _filters(record, position),
    }


def _planes(array: Array, channels: list[int] | None) -> Array:
    """A map (H, W, C) channel by channel, (C, H, W), or ``channels`` of it; anything else in a row, (C,)."""
    if array.ndim != 3:
        return array.ravel()
    planes = np.moveaxis(array, -1, 0)
    return planes if channels is None else planes[channels]


def _sees(model: Sequential, position: int, training: bool) -> dict[str, Any] | None:
    """For each row and column of a map: first and last of the input, and of the picture, that it sees."""
    before, after = model.shapes[position], model.shapes[position + 1]
    if len(before) != 3 or len(after) != 3 or len(model.input_shape) != 3:
        return None
    return {
        "rows": [_seen(model, position, (i, 0), training, 0) for i in range(after[0])],
        "columns": [_seen(model, position, (0, j), training, 1) for j in range(after[1])],
    }


def _seen(model: Sequential, position: int, at: Shape, training: bool, axis: int) -> list[int]:
    """Of one row or column: what it sees of the input, padding included, and of the picture."""
    region = ((at[0], at[0]), (at[1], at[1]))
    explainer = explainer_of(model.layers[position])
    seen = explainer.seen(model.shapes[position], region, training=training)
    return [
        *seen.asked[axis],
        *receptive_field(model, position, region, training=training)[axis],
    ]


def _filters(record: Record, position: int) -> Array | None:
    """The weights of a first convolution, (F, KH, KW, C): its filters can be looked at as pictures."""
    W = record.params.get("W")
    if position or W is None or W.ndim != 4 or math.prod(W.shape) > _SHEET:
        return None
    return np.moveaxis(W, -1, 0)
