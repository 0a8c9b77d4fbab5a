"""Gradients of a backward pass, opened: every term, where it came from, and what a step would do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinycnn.errors import ArgumentError
from tinycnn.explain.checks import Change, Difference, check_sum, difference
from tinycnn.explain.explanation import Adds, Explanation, Notes, Section, Step
from tinycnn.explain.input_gradients import (
    activation_sections,
    extra,
    input_sections,
    softmax_extra,
)
from tinycnn.explain.loss_differences import derivative
from tinycnn.explain.parameter_gradients import conv_parameter, dense_parameter
from tinycnn.explain.places import Place, channel_name, picture_of, words_of
from tinycnn.explain.sums import (
    Product,
    factors,
    leaves,
    number,
)
from tinycnn.explain.zero_gradients import (
    cancelling_terms,
    why_no_term,
    why_zero,
    why_zero_before,
)
from tinycnn.layers import (
    Conv2D,
    Dense,
    Softmax,
)
from tinycnn.passes import Record
from tinycnn.trace import Trace


def open_parameter(
    trace: Trace, position: int, parameter: str, index: Place, rate: float
) -> Explanation:
    """Explain dL/d(parameter)[index]: every place where it was used, and one step of SGD."""
    record = _after_backward(trace, position)
    gradients = (record.grads or {})[parameter]
    engine = float(gradients[index])
    subject = f"dL/d {record.name}.{parameter}[{','.join(map(str, index))}]"
    sections: list[Section] = []
    if isinstance(record.layer, Conv2D):
        sections += conv_parameter(trace, position, parameter, index)
    elif isinstance(record.layer, Dense):
        sections += dense_parameter(record, parameter, index)
    else:
        words = f"{record.name} is a layer of your own: its terms cannot be opened from outside"
        sections.append(Notes("HOW", (words,)))
    sections += _agree(sections, engine, gradients.dtype)
    if engine == 0:
        why = cancelling_terms(sections) or why_no_term(trace, position, index)
        sections.append(Notes("WHY 0", why))
    found = difference(trace, Change(position, parameter, index), -rate * engine)
    sections += derivative(trace, position, found, engine, gradients)
    sections += _step(trace, found, engine, float(record.params[parameter][index]), rate)
    return Explanation(subject, engine, index, picture_of(trace, 0), tuple(sections))


def _step(
    trace: Trace, found: Difference | None, engine: float, value: float, rate: float
) -> list[Section]:
    """One step of SGD, and what it does to the loss."""
    old, slope = factors(value, engine)
    sections: list[Section] = [
        Step("STEP", f"{old} - {rate:g} * {_bracketed(slope)}", value - rate * engine)
    ]
    objective = "loss" if trace.labels is not None else "sum of dy * y"
    expected = [
        f"the step should change the {objective} by about",
        f"-{rate:g} * {_bracketed(slope)}^2 = {number(-rate * engine**2)}",
    ]
    if found is not None:
        expected.append(f"it does change by {number(found.moved)}, measured in float64")
    return [*sections, Notes("EXPECT", tuple(expected))]


def _bracketed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def open_input(trace: Trace, position: int, place: Place, sample: int) -> Explanation:
    """Explain dL/dx at a cell of layer ``position``'s input."""
    record = _after_backward(trace, position)
    if record.dx is None:
        raise ArgumentError(
            f"{record.name} gives no gradient of its input: its backward returns None for dx"
        )
    engine = float(record.dx[(sample, *place)])
    sections = list(input_sections(trace, position, place, sample))
    sections += _agree(sections, engine, record.dx.dtype, extra(record, sample))
    if engine == 0:
        cancelling = () if isinstance(record.layer, Softmax) else cancelling_terms(sections)
        why = cancelling or why_zero(trace, position, place, sample)
        sections.append(Notes("WHY 0", why))
    found = difference(trace, Change(position, "x", (sample, *place)), 0.0)
    sections += derivative(trace, position, found, engine, record.dx)
    where = _place_words(record, place)
    return Explanation(
        f"dL/dx of {record.name}, {where}",
        engine,
        place,
        picture_of(trace, sample),
        tuple(sections),
    )


def open_output(trace: Trace, position: int, place: Place, sample: int) -> Explanation:
    """Explain dL/dy at a cell of layer ``position``'s output: what the next layer sends back."""
    record = _after_backward(trace, position)
    subject = f"dL/dy of {record.name}, {words_of(record.layer, place)}"
    if position + 1 < len(trace.records):
        opened = open_input(trace, position + 1, place, sample)
        note = Notes("FROM", (f"{trace.records[position + 1].name}, whose input this is",))
        return Explanation(subject, opened.value, place, opened.picture, (note, *opened.sections))
    assert record.dy is not None
    value = float(record.dy[(sample, *place)])
    source = "you: it is the dy that backward was given"
    if trace.labels is not None:
        source = f"the loss: (p - onehot) / {len(trace.y)}, where p is the softmax of the answer"
    note = Notes("FROM", (source,))
    return Explanation(subject, value, place, picture_of(trace, sample), (note,))


def open_logits(trace: Trace, position: int, place: Place, sample: int) -> Explanation:
    """Explain dL/dz, the gradient before layer ``position``'s activation."""
    record = _after_backward(trace, position)
    dz = record.dz
    assert dz is not None
    engine = float(dz[(sample, *place)])
    subject = f"dL/dz of {record.name}, {words_of(record.layer, place)}"
    sections: list[Section] = list(activation_sections(trace, position, place, sample))
    sections += _agree(sections, engine, dz.dtype, softmax_extra(record, sample))
    if engine == 0:
        sections.append(Notes("WHY 0", why_zero_before(trace, position, place, sample)))
    found = difference(trace, Change(position, "z", (sample, *place)), 0.0)
    sections += derivative(trace, position, found, engine, dz)
    return Explanation(subject, engine, place, picture_of(trace, sample), tuple(sections))


def expect_gradient(trace: Trace, position: int, part: str) -> None:
    """Raise ArgumentError unless the trace holds the gradient of a layer's "y" or "z"."""
    record = _after_backward(trace, position)
    if part == "y" and record.dy is None:
        raise ArgumentError(
            f"with labels, softmax and loss are one step: ask for {record.name}.z, the gradient "
            f"before the softmax"
        )
    if part == "z" and record.dz is None:
        raise ArgumentError(
            f"what {record.name} did before its activation {record.layer.activation!r} is not known "
            f"here; ask for {record.name}.x or {record.name}.y"
        )


def _after_backward(trace: Trace, position: int) -> Record:
    record = trace.records[position]
    if record.dx is None and record.dz is None:
        if any(after.dx is not None for after in trace.records[position:]):
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
    trees = [section.tree for section in sections if isinstance(section, Adds)]
    if not trees:
        return []
    hidden = 0.0  # of a softmax: what cancels within the sum over the classes
    if len(trees) > 1 and isinstance(trees[1].parts[1], Product):
        hidden = abs(trees[1].parts[1].a) * sum(abs(leaf.value) for leaf in leaves(trees[0].parts))
    return [check_sum(trees[-1], engine, dtype, extra=extra, hidden=hidden)]
