"""Cells of a forward pass, opened: what made the number, what it sees, who reads it."""

from __future__ import annotations

from tinycnn.explain.explainer import explainer_of
from tinycnn.explain.receptive_field import picture_of, sees
from tinycnn.explain.values.explanation import Explanation, Notes
from tinycnn.explain.values.places import Cell, beside


def open_cell(cell: Cell) -> Explanation:
    """Explain a cell of a layer's output."""
    record = cell.record
    explainer = explainer_of(record.layer)
    return Explanation(
        f"{record.name}, {explainer.words(cell.place)}",
        float(record.y[cell.index]),
        cell.place,
        picture_of(cell.trace, cell.sample),
        (sees(cell), *explainer.cell(cell), Notes("NEXT", _next_layer(cell))),
        beside(record.y[cell.sample], cell.place),
    )


def _next_layer(cell: Cell) -> tuple[str, ...]:
    """Who reads the cell, and for a max-pool who is the largest there."""
    if cell.in_last_layer:
        return ("nobody: it is the network's answer",)
    reader = cell.of_next_layer()
    return explainer_of(reader.record.layer).read_by(reader)
