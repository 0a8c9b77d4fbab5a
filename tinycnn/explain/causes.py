"""Why a gradient is zero, or has no terms: every cause, the one nearest the loss first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinycnn.explain.explainer import Causes, activation_explainer, explainer_of
from tinycnn.explain.values.explanation import Section, SumTree, only
from tinycnn.explain.values.places import Cell
from tinycnn.explain.values.sums import leaves


def cancelling_terms(sections: Sequence[Section]) -> Causes:
    """Whether a gradient of zero has terms that are not."""
    sums = only(SumTree, sections)
    some = sums and any(leaf.value != 0 for leaf in leaves(sums[-1].tree.parts))
    return ("its terms cancel",) if some else ()


def why_zero_before(cell: Cell) -> Causes:
    """Why the gradient before a layer's activation is zero at a cell of its output."""
    record = cell.record
    no_dy = record.dy is not None and record.dy[cell.index] == 0
    above = why_nothing_comes(cell) if no_dy else ()
    return activation_explainer(record.layer.activation).why_zero(cell, above)


def why_nothing_comes(cell: Cell) -> Causes:
    """Why nothing comes back to a cell of a layer's output."""
    if not cell.in_last_layer:
        return explainer_of(cell.of_next_layer().record.layer).why_zero(cell.of_next_layer())
    loss = cell.trace.loss_function
    if loss is not None and loss.is_plain:
        return ("the loss's softmax is saturated: p is exactly 0 or 1",)
    if loss is not None:
        return (f"the gradient of the loss, {loss!r}, is 0 there",)
    return ("the dy that backward was given is 0 there",)


def why_no_term_is_left(cell: Cell, fed: Any, *, before_activation: bool) -> Causes:
    """Why dL/dx is zero, a sum over the cells of the output at ``fed``.

    What each of them sends is its dz with ``before_activation``, else its dy.
    """
    record, what = cell.record, "dz" if before_activation else "dy"
    sent = record.dz if before_activation else record.dy
    assert sent is not None
    size, left = sent[fed].size, int(np.count_nonzero(sent[fed]))
    if left:
        return (f"no term is left: where {what} is not 0, what it meets in {record.name} is 0",)
    cells = f"{what} of {record.name} that it feeds"
    if size == 1:
        only_one = cell.at(tuple(int(np.ravel(axis)[0]) for axis in fed[1:]))
        why = why_zero_before if before_activation else why_nothing_comes
        return (f"the only {cells} is 0:", *why(only_one))
    causes = (*lost_above(cell, fed), *lost_by_activation(cell, fed))
    return (f"all {size:,} {cells} are 0{':' * bool(causes)}", *causes)


def lost_above(cell: Cell, here: Any) -> Iterator[str]:
    """How many of some cells of a layer's output get no dy, and where that got lost."""
    record = cell.record
    if record.dy is None:
        return
    size, nothing = record.y[here].size, int((record.dy[here] == 0).sum())
    told, how = 0, ""
    if not cell.in_last_layer:
        reader = cell.of_next_layer().record
        told, how = explainer_of(reader.layer).lost(reader, here)
    if nothing > told:
        verb = "gets" if nothing == 1 else "get"
        yield f"{so_many(nothing, size)} {verb} no dy {dy_source(cell)}"
    if told:
        yield how


def lost_by_activation(cell: Cell, here: Any) -> Causes:
    """How many of some cells of a layer's output its activation stops."""
    return activation_explainer(cell.record.layer.activation).lost(cell.record, here)


def so_many(count: int, size: int) -> str:
    """So many of ``size`` cells as a subject: ``3 of them``, or ``it`` where there is one alone."""
    return "it" if size == 1 else f"{count:,} of them"


def dy_source(cell: Cell) -> str:
    """Where dy of a layer's output comes from, in words."""
    if not cell.in_last_layer:
        return f"from {cell.of_next_layer().record.name}"
    return "from the loss" if cell.trace.labels is not None else "from what backward was given"
