"""Gradients of a backward pass, opened: every term, where it came from, and what a step would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError
from tinycnn.explain.causes import cancelling_terms, why_zero_before
from tinycnn.explain.explainer import Causes, activation_explainer, explainer_of
from tinycnn.explain.loss_differences import derivative
from tinycnn.explain.receptive_field import picture_of
from tinycnn.explain.replay import Change, Difference, difference
from tinycnn.explain.values.checks import check_sum
from tinycnn.explain.values.explanation import (
    Check,
    Explanation,
    Notes,
    Section,
    Step,
    SumTree,
    only,
)
from tinycnn.explain.values.places import Cell, Place, beside, channel_name
from tinycnn.explain.values.printing import bracketed, factors, number
from tinycnn.passes import Record
from tinycnn.trace import Trace


def open_parameter(cell: Cell, parameter: str, rate: float) -> Explanation:
    """Explain dL/d(parameter) at ``cell.place``: every place where it was used, and one step of SGD."""
    trace, position, index, record = cell.trace, cell.position, cell.place, _after_backward(cell)
    explainer = explainer_of(record.layer)
    gradients = (record.grads or {})[parameter]
    engine = float(gradients[index])
    subject = f"dL/d {record.name}.{parameter}[{','.join(map(str, index))}]"
    sections = list(explainer.parameter_gradient(cell, parameter))
    sections += _agree(sections, engine, gradients.dtype)
    if engine == 0:
        why = cancelling_terms(sections) or explainer.why_parameter_zero(cell)
        sections.append(Notes("WHY 0", why))
    found = difference(trace, Change(position, parameter, index), -rate * engine)
    sections += derivative(trace, position, found, engine, gradients, only(Check, sections))
    sections += _step(trace, found, engine, float(record.params[parameter][index]), rate)
    near = beside(gradients, index)
    return Explanation(subject, engine, index, picture_of(trace, 0), tuple(sections), near)


def _step(
    trace: Trace, found: Difference | None, engine: float, value: float, rate: float
) -> list[Section]:
    """One step of SGD, and what it does to the loss."""
    old, slope = factors(value, engine)
    sections: list[Section] = [
        Step("STEP", f"{old} - {rate:g} * {bracketed(slope)}", value - rate * engine)
    ]
    objective = "loss" if trace.labels is not None else "sum of dy * y"
    expected = [
        f"the step should change the {objective} by about",
        f"-{rate:g} * {bracketed(slope)}^2 = {number(-rate * engine**2)}",
    ]
    if found is not None:
        expected.append(f"it does change by {number(found.moved)}, measured in float64")
    return [*sections, Notes("EXPECT", tuple(expected))]


def open_input(cell: Cell) -> Explanation:
    """Explain dL/dx at a cell of a layer's input."""
    record = _after_backward(cell)
    if record.dx is None:
        raise ArgumentError(
            f"{record.name} gives no gradient of its input: its backward returns None for dx"
        )
    explainer = explainer_of(record.layer)
    sections = list(explainer.input_gradient(cell))
    why = cancelling_terms(sections) if explainer.terms_cancel else ()
    return _opened(
        f"dL/dx of {record.name}, {_place_words(record, cell.place)}",
        cell,
        "x",
        record.dx,
        sections,
        explainer.roundings(record, cell.sample),
        lambda: why or explainer.why_zero(cell),
    )


def open_logits(cell: Cell) -> Explanation:
    """Explain dL/dz, the gradient before a layer's activation, at a cell of its output."""
    record = _after_backward(cell)
    activation = activation_explainer(record.layer.activation)
    return _opened(
        f"dL/dz of {record.name}, {explainer_of(record.layer).words(cell.place)}",
        cell,
        "z",
        cell.dz,
        list(activation.gradient(cell)),
        activation.roundings(record, cell.sample),
        lambda: why_zero_before(cell),
    )


def _opened(
    subject: str,
    cell: Cell,
    part: str,
    gradient: Array,
    sections: list[Section],
    roundings: int,
    why_zero: Callable[[], Causes],
) -> Explanation:
    """Explain the gradient of a layer's "x" or "z" at a cell: its terms, its checks, why it is zero."""
    engine = float(gradient[cell.index])
    sections += _agree(sections, engine, gradient.dtype, roundings)
    if engine == 0:
        sections.append(Notes("WHY 0", why_zero()))
    found = difference(cell.trace, Change(cell.position, part, cell.index), 0.0)
    checks = only(Check, sections)
    sections += derivative(cell.trace, cell.position, found, engine, gradient, checks)
    picture = picture_of(cell.trace, cell.sample)
    near = beside(gradient[cell.sample], cell.place)
    return Explanation(subject, engine, cell.place, picture, tuple(sections), near)


def open_output(cell: Cell) -> Explanation:
    """Explain dL/dy at a cell of a layer's output: what the next layer sends back."""
    record, trace = _after_backward(cell), cell.trace
    subject = f"dL/dy of {record.name}, {explainer_of(record.layer).words(cell.place)}"
    if not cell.in_last_layer:
        reader = cell.of_next_layer()
        opened = open_input(reader)
        note = Notes("FROM", (f"{reader.record.name}, whose input this is",))
        return replace(opened, subject=subject, sections=(note, *opened.sections))
    source = "you: it is the dy that backward was given"
    if trace.loss_function is not None:
        source = f"the loss, {trace.loss_function!r}"
        if trace.loss_function.is_plain:
            gradient = f"(p - onehot) / {len(trace.y)}"
            source = f"the loss: {gradient}, where p is the softmax of the answer"
    note, picture = Notes("FROM", (source,)), picture_of(trace, cell.sample)
    return Explanation(subject, float(cell.dy[cell.index]), cell.place, picture, (note,))


def expect_output_gradient(trace: Trace, position: int) -> None:
    """Raise ArgumentError unless the trace holds the gradient of a layer's y."""
    record = _after_backward(Cell(trace, position, (), 0))
    if record.dy is None:
        raise ArgumentError(
            f"with labels, softmax and loss are one step: ask for {record.name}.z, the gradient "
            f"before the softmax"
        )


def _after_backward(cell: Cell) -> Record:
    trace, record = cell.trace, cell.record
    if record.dx is None and record.dz is None:
        if any(after.dx is not None for after in trace.records[cell.position :]):
            raise ArgumentError(f"no gradient reaches {record.name}: a layer after it gives none")
        raise ArgumentError(
            "this trace holds no gradients: run trace.backward(labels=...) first, with keep=True "
            "if it is a training pass"
        )
    return record


def _place_words(record: Record, place: Place) -> str:
    if len(place) != 3:
        return f"unit {', '.join(map(str, place))}"
    return f"row {place[0]}, column {place[1]}, {channel_name(record, place[2])}"


def _agree(
    sections: Sequence[Section], engine: float, dtype: np.dtype[Any], extra: int = 0
) -> list[Section]:
    """The engine's sum against the last tree's, in float64."""
    sums = only(SumTree, sections)
    if not sums:
        return []
    return [check_sum(sums[-1].tree, engine, dtype, extra=extra, hidden=sums[-1].cancelled)]
