"""The whole network on one picture: a row a layer, forward and then backward, as values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinycnn import ops
from tinycnn.arrays import Array
from tinycnn.explain.explainer import explainer_of
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.shapes import times
from tinycnn.trace import Trace


@dataclass(frozen=True)
class ForwardRow:
    """One layer forward."""

    name: str
    size: str  # how the output's size comes about
    feature_map: str
    parameters: str  # the count worked out, or ""
    multiply_adds: int
    lowest: float
    highest: float
    mean: float
    zeros: float  # share of cells that are exactly zero


@dataclass(frozen=True)
class BackwardRow:
    """One layer backward: the gradient of W, or for layers without one, of its input or a parameter."""

    name: str
    gradient: str  # "dL/dW", "dL/dx" or "dL/dtable"
    formula: str
    largest: float
    where: tuple[int, ...]
    zeros: float

    @property
    def rule(self) -> str:
        """``dL/dW = sum over all places of dz * x``."""
        return f"{self.gradient} = {self.formula}"


@dataclass(frozen=True)
class Loss:
    """The loss against the label, next to that of guessing."""

    label: int
    probability: float
    loss: float
    chance: float
    top: tuple[tuple[int, float], ...]  # the likeliest classes


def forward_rows(lesson: Lesson) -> Iterator[ForwardRow]:
    """Rows in layer order."""
    for record in lesson.trace.records:
        yield forward_row(lesson.trace, record.name)


def forward_row(trace: Trace, name: str) -> ForwardRow:
    """The row of layer ``name``."""
    record = trace[name]
    shape, y, explainer = record.x.shape[1:], record.y, explainer_of(record.layer)
    return ForwardRow(
        name,
        explainer.size_formula(shape),
        times(y.shape[1:]),
        explainer.parameter_formula(shape),
        record.layer.multiply_adds(shape),
        float(y.min()),
        float(y.max()),
        float(y.mean(dtype=np.float64)),
        _zeros(y),
    )


def loss(lesson: Lesson) -> Loss:
    """The loss of this picture against the lesson's label."""
    trace = lesson.backward
    fuses = trace.records[-1].layer.activation.fuses_with_cross_entropy
    p = (trace.y if fuses else ops.softmax(trace.y))[0].astype(np.float64)
    best = np.argsort(-p, kind="stable")[:3]
    value = trace.loss
    assert value is not None
    top = tuple((int(k), float(p[k])) for k in best)
    return Loss(lesson.label, float(p[lesson.label]), value, lesson.chance, top)


def backward_rows(lesson: Lesson) -> Iterator[BackwardRow]:
    """Rows from the loss down to the picture."""
    records = lesson.backward.records
    for record in reversed(records):
        shown = {"W": None, "x": record.dx, **(record.grads or {})}
        known = {name: array for name, array in shown.items() if array is not None}
        if not known:
            return  # nothing is carried further
        part, gradient = next(iter(known.items()))
        flat = max(
            int(gradient.argmax()), int(gradient.argmin()), key=lambda i: abs(gradient.flat[i])
        )
        where = tuple(int(i) for i in np.unravel_index(flat, gradient.shape))
        yield BackwardRow(
            record.name,
            f"dL/d{part}",
            explainer_of(record.layer).gradient_formula(record),
            float(gradient.flat[flat]),
            where[1:] if part == "x" else where,
            _zeros(gradient),
        )


def to_dict(lesson: Lesson) -> dict[str, Any]:
    """The overview as plain data."""
    return {
        "model": lesson.name,
        "parameters": sum(math.prod(s) for s in lesson.model.parameter_shapes().values()),
        "weights": lesson.weights,
        "random": lesson.random,
        "picture": lesson.picture.title,
        "input": lesson.picture.formula,
        "label": lesson.label,
        "label_is_likeliest": lesson.likeliest,
        "classes": list(lesson.class_names),
        "forward": [asdict(row) for row in forward_rows(lesson)],
        "loss": asdict(loss(lesson)),
        "backward": [asdict(row) for row in backward_rows(lesson)],
    }


def _zeros(array: Array) -> float:
    return 1 - np.count_nonzero(array) / array.size
