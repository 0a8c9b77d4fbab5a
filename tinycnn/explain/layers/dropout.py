"""Dropout explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinycnn.explain.causes import so_many, why_nothing_comes
from tinycnn.explain.explainer import ByPlace, Causes, explainers
from tinycnn.explain.layers.passing import passed_on, stopped
from tinycnn.explain.values.checks import half_epsilon, rounding_unit
from tinycnn.explain.values.explanation import Check, Section, Step, SumTree
from tinycnn.explain.values.places import Cell
from tinycnn.explain.values.printing import factors, number
from tinycnn.explain.values.sums import Product, Source, add
from tinycnn.layers import Dropout
from tinycnn.passes import Record


@explainers.register(Dropout)
class DropoutExplainer(ByPlace):
    """A cell is dropped or scaled up; the mask is what its forward saved."""

    layer: Dropout

    def cell(self, cell: Cell) -> Sequence[Section]:
        record = cell.record
        x, engine = float(record.x[cell.index]), float(record.y[cell.index])
        source = Source("x", cell.place)
        if record.saved is None:
            step = Step(
                "DROPOUT", f"{number(x)} * 1", x, "dropout is off: every cell passes", source=source
            )
            return [step, Check("naive", engine, x, 0.0, "a number is copied")]
        kept, scale = bool(record.saved[cell.index]), 1 / (1 - self.layer.rate)
        value = x * scale if kept else 0.0
        words = f"kept, and scaled up by 1 / (1 - {self.layer.rate:g})" if kept else "dropped"
        context = record.context
        place = f"layer {context.layer}, sample {context.first_sample + cell.sample}"
        key = f"mask of key {context.rng}, {place}"
        arithmetic = f"{factors(x)[0]} * {factors(scale)[0] if kept else 0}"
        bound = abs(value) * 3 * half_epsilon(record.y.dtype)
        why = f"3 roundings * {rounding_unit(record.y.dtype)} * its size"
        return [
            Step("DROPOUT", arithmetic, value, f"{words}; {key}", source=source),
            Check("naive", engine, value, bound, why),
        ]

    def input_gradient(self, cell: Cell) -> Sequence[Section]:
        record = cell.record
        dy = float(cell.dy[cell.index])
        if record.saved is None:
            return [passed_on("dropout is off: dy passes", cell)]
        if not record.saved[cell.index]:
            return [stopped("the mask dropped this cell: nothing passes", cell)]
        part = Product("dy", dy, 1 / (1 - self.layer.rate), Source("dy", cell.place))
        words = f"the mask kept this cell: dy * 1 / (1 - {self.layer.rate:g})"
        return [SumTree(words, add("sum", [part]))]

    def roundings(self, record: Record, sample: int) -> int:
        return 2  # of the factor, and of its product

    def why_zero(self, cell: Cell) -> Causes:
        record = cell.record
        above = why_nothing_comes(cell) if cell.dy[cell.index] == 0 else ()
        if record.saved is not None and not record.saved[cell.index]:
            return (*above, f"{record.name} dropped it{' too' * bool(above)}")
        return above

    def lost(self, record: Record, here: Any) -> tuple[int, str]:
        if record.saved is None:
            return 0, ""
        count = int((~record.saved[here]).sum())
        verb = "was" if count == 1 else "were"
        return count, f"{so_many(count, record.saved[here].size)} {verb} dropped by {record.name}"

    def gradient_formula(self, record: Record) -> str:
        return "dy, for dropout is off" if record.saved is None else "dy * mask / (1 - rate)"
