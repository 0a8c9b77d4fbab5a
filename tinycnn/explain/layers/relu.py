"""ReLU explained, as an activation and as a layer of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.causes import so_many
from tinycnn.explain.explainer import (
    ActivationExplainer,
    ByPlace,
    Causes,
    Passage,
    explainers,
    register_activation,
)
from tinycnn.explain.layers.activation_layer import ActivationLayer
from tinycnn.explain.layers.passing import passed_on, stopped
from tinycnn.explain.values.explanation import Check, Section, Step
from tinycnn.explain.values.places import Cell, Place
from tinycnn.explain.values.printing import number
from tinycnn.explain.values.sums import Source
from tinycnn.explain.values.task import Task
from tinycnn.layers import RELU, ReLU
from tinycnn.passes import Record


def relu_step(z: float) -> Step:
    """The step from z to max(0, z)."""
    words = "stopped" if z <= 0 else "passes"
    return Step("RELU", f"max(0, {number(z)})", _relu(z), words, _TASK)


def _relu(z: float) -> float:
    return z if z != z else max(z, 0.0)


_TASK = Task("take ReLU, max(0, z)", "ReLU was forgotten", _relu)


@register_activation(RELU)
class ReLUActivation(ActivationExplainer):
    """y = max(0, z)."""

    def step(self, z: float) -> Sequence[Section]:
        return [relu_step(z)]

    def row(self, z: Array, y: Array, place: Place) -> Sequence[Section]:
        return []

    def gradient(self, cell: Cell) -> Sequence[Section]:
        y, dy = float(cell.record.y[cell.index]), float(cell.dy[cell.index])
        riddle = f"dy = {number(dy)} comes from above, and y is {number(y)}"
        if y <= 0:
            return [stopped("y = 0: ReLU stopped it, so nothing passes", cell, riddle)]
        return [passed_on(f"y = {number(y)}: ReLU let it pass, so dy passes", cell, riddle)]

    def gradient_formula(self, record: Record) -> str:
        return "dy * (y > 0)"

    def why_zero(self, cell: Cell, above: Causes) -> Causes:
        if not cell.record.y[cell.index] <= 0:
            return above
        z = number(float(cell.record.z[cell.index]))
        return (*above, f"it died at {cell.record.name}'s ReLU{' too' * bool(above)}: z = {z}")

    def stops(self, record: Record, here: Any) -> bool:
        return bool((record.y[here] <= 0).all())

    def lost(self, record: Record, here: Any) -> tuple[str, ...]:
        dead = int((record.y[here] <= 0).sum())
        who = so_many(dead, record.y[here].size)
        return (f"{who} died at {record.name}'s ReLU",) if dead else ()

    def held(self, record: Record, z: Array) -> Array | None:
        return np.where(~(record.y <= 0), z, 0)

    def passage(self, record: Record) -> Passage | None:
        return Passage(~(record.y <= 0), "pass", "ReLU")


@explainers.register(ReLU)
class ReLUExplainer(ActivationLayer, ByPlace):
    """max(0, x) as a layer of its own."""

    def cell(self, cell: Cell) -> Sequence[Section]:
        step = relu_step(float(cell.record.x[cell.index]))
        step = replace(step, source=Source("x", cell.place))
        engine = float(cell.record.y[cell.index])
        return [step, Check("naive", engine, step.value, 0.0, "a number is copied or 0")]
