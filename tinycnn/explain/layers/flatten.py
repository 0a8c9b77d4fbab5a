"""Flatten explained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinycnn.explain.causes import why_nothing_comes
from tinycnn.explain.explainer import Causes, Explainer, explainers
from tinycnn.explain.layers.passing import passed_on
from tinycnn.explain.values.explanation import Check, Section, Step
from tinycnn.explain.values.places import Cell
from tinycnn.explain.values.sums import Source
from tinycnn.layers import Flatten
from tinycnn.passes import Record


@explainers.register(Flatten)
class FlattenExplainer(Explainer):
    """A unit is a copy of a cell."""

    def cell(self, cell: Cell) -> Sequence[Section]:
        record, unit = cell.record, cell.place[0]
        source = tuple(int(i) for i in np.unravel_index(unit, record.x.shape[1:]))
        value = float(record.x[(cell.sample, *source)])
        remark = f"number {unit} in reading order, counted from 0"
        return [
            Step(
                "FLATTEN",
                f"x[{','.join(map(str, source))}]",
                value,
                remark,
                source=Source("x", source),
            ),
            Check("naive", float(record.y[cell.index]), value, 0.0, "a number is copied"),
        ]

    def input_gradient(self, cell: Cell) -> Sequence[Section]:
        unit = _unit(cell)
        return [passed_on(f"dy of unit {unit.place[0]} passes", unit)]

    def gradient_formula(self, record: Record) -> str:
        return "dy, in the shape of x"

    def why_zero(self, cell: Cell) -> Causes:
        return why_nothing_comes(_unit(cell))


def _unit(cell: Cell) -> Cell:
    """The cell of the output that a cell of the input becomes."""
    return cell.at((int(np.ravel_multi_index(cell.place, cell.record.x.shape[1:])),))
