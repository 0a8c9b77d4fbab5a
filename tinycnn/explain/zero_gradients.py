"""Why a gradient is zero, or has no terms: every cause, the one nearest the loss first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinycnn.explain.explanation import Adds, Section
from tinycnn.explain.field import holding
from tinycnn.explain.parameter_gradients import met, winning_cells
from tinycnn.explain.places import Place, window_winners
from tinycnn.explain.sums import leaves, number
from tinycnn.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LocalResponseNorm,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.layers.activation import RELU, SOFTMAX
from tinycnn.passes import Record
from tinycnn.trace import Trace
from tinycnn.wording import every, many

Causes = tuple[str, ...]


def cancelling_terms(sections: Sequence[Section]) -> Causes:
    """Whether a gradient of zero has terms that are not."""
    trees = [section.tree for section in sections if isinstance(section, Adds)]
    some = trees and any(leaf.value != 0 for leaf in leaves(trees[-1].parts))
    return ("its terms cancel",) if some else ()


# ------------------------------------------------------------------------------------- parameters


def why_no_term(trace: Trace, position: int, index: Place) -> Causes:
    """Why a parameter's gradient is zero: what became of its terms."""
    record = trace.records[position]
    if not isinstance(record.layer, Conv2D | Dense):
        return ("a layer of your own: its terms cannot be opened from outside",)
    assert record.dz is not None
    here = (..., index[-1])
    sent = int(np.count_nonzero(record.dz[here]))
    if sent:
        places = "only place" if sent == 1 else many(sent, "place")
        return (f"at the {places} where dz is not 0, what the weight met is 0",)
    convolves = isinstance(record.layer, Conv2D)
    what = f"{'filter' if convolves else 'unit'} {index[-1]}"
    size = record.dz[here].size
    nothing = record.dy is not None and not record.dy[here].any()
    died = record.layer.activation is RELU and bool((record.y[here] <= 0).all())
    causes: list[str] = []
    if nothing or not died:
        nowhere = "its dz is 0" if size == 1 else f"dz is 0 at {every(size, 'place')}"
        causes.append(f"no gradient reaches {what}: {nowhere}")
        causes += _losses(trace, position, here, died=not died)
    places = "at every place" if convolves else "for every image"
    if died:
        causes.append(f"{what} died at {record.name}'s ReLU {places}{' too' * nothing}")
    if len(index) > 1 and not met(record, index).any():
        causes.append(f"what the weight met is 0 {places} too")
    return tuple(causes)


def _losses(trace: Trace, position: int, here: Any, *, died: bool = True) -> Iterator[str]:
    """How many of some cells of a layer's output lost their gradient, and where."""
    record = trace.records[position]
    size = record.y[here].size
    if record.dy is not None:
        nothing, (told, how) = int((record.dy[here] == 0).sum()), _lost_next(trace, position, here)
        if nothing > told:
            verb = "gets" if nothing == 1 else "get"
            yield f"{_some(nothing, size)} {verb} no dy {_source(trace, position)}"
        if told:
            yield how
    if record.layer.activation is SOFTMAX:
        yield f"{record.name}'s softmax is saturated: p is exactly 0 or 1"
    elif died and record.layer.activation is RELU:
        dead = int((record.y[here] <= 0).sum())
        if dead:
            yield f"{_some(dead, size)} died at {record.name}'s ReLU"


def _some(count: int, size: int) -> str:
    """So many of ``size`` cells as a subject: ``3 of them``, or ``it`` where there is one alone."""
    return "it" if size == 1 else f"{count:,} of them"


def _lost_next(trace: Trace, position: int, here: Any) -> tuple[int, str]:
    """How many of some cells the next layer, a max-pool or dropout, passes over, and in words."""
    if position + 1 == len(trace.records):
        return 0, ""
    reader, size = trace.records[position + 1], trace.records[position].y[here].size
    if isinstance(reader.layer, MaxPool2D):
        lost = int((~winning_cells(reader)[here]).sum())
        return lost, f"{_some(lost, size)} lost every window of {reader.name}"
    if isinstance(reader.layer, Dropout) and reader.saved is not None:
        lost = int((~reader.saved[here]).sum())
        return (
            lost,
            f"{_some(lost, size)} {'was' if lost == 1 else 'were'} dropped by {reader.name}",
        )
    return 0, ""


def _source(trace: Trace, position: int) -> str:
    """Where dy of a layer's output comes from, in words."""
    if position + 1 < len(trace.records):
        return f"from {trace.records[position + 1].name}"
    return "from the loss" if trace.labels is not None else "from what backward was given"


# ------------------------------------------------------------------------------- outputs and inputs


def why_zero_before(trace: Trace, position: int, place: Place, sample: int) -> Causes:
    """Why the gradient before a layer's activation is zero."""
    record, at = trace.records[position], (sample, *place)
    if record.layer.activation is SOFTMAX:
        return _why_softmax(trace, position, place, sample)
    above: Causes = ()
    if record.dy is not None and record.dy[at] == 0:
        above = _why_nothing_comes(trace, position, place, sample)
    if record.layer.activation is RELU and record.y[at] <= 0:
        z = number(float(record.z[at]))
        return (*above, f"it died at {record.name}'s ReLU{' too' * bool(above)}: z = {z}")
    return above


def _why_softmax(trace: Trace, position: int, place: Place, sample: int) -> Causes:
    """Why y * (dy - sum(dy * y)) is zero, or p - onehot."""
    record = trace.records[position]
    row = (sample, *place[:-1])
    if record.dy is not None and not record.dy[row].any():
        return (f"none of {record.name}'s classes gets a dy {_source(trace, position)}",)
    if record.y[(*row, place[-1])] in (0, 1):
        return (f"{record.name}'s softmax is saturated: p is exactly 0 or 1",)
    return ("its dy is the mean of all classes' dy, weighted by p: softmax passes what differs",)


def _why_nothing_comes(trace: Trace, position: int, place: Place, sample: int) -> Causes:
    """Why nothing comes back to a cell of a layer's output."""
    if position + 1 < len(trace.records):
        return why_zero(trace, position + 1, place, sample)
    if trace.labels is not None:
        return ("the loss's softmax is saturated: p is exactly 0 or 1",)
    return ("the dy that backward was given is 0 there",)


def why_zero(trace: Trace, position: int, place: Place, sample: int) -> Causes:
    """Why the gradient at a cell of a layer's input is zero, followed up to where it got lost."""
    record = trace.records[position]
    layer = record.layer
    if isinstance(layer, Conv2D | AveragePool2D | MaxPool2D):
        rows, columns = holding(layer, record.x.shape[1:], (place[0], place[1]))
        if not rows or not columns:
            return (f"no window of {record.name} reaches it",)
    if isinstance(layer, MaxPool2D):
        return _why_zero_pool(trace, position, place, sample)
    if isinstance(layer, Dropout):
        return _why_zero_dropout(trace, position, place, sample)
    if isinstance(layer, ReLU | Softmax):
        return why_zero_before(trace, position, place, sample)
    if isinstance(layer, Flatten):
        unit = int(np.ravel_multi_index(place, record.x.shape[1:]))
        return _why_nothing_comes(trace, position, (unit,), sample)
    return _why_zero_terms(trace, position, place, sample)


def _why_zero_dropout(trace: Trace, position: int, place: Place, sample: int) -> Causes:
    record, at = trace.records[position], (sample, *place)
    assert record.dy is not None
    above: Causes = ()
    if record.dy[at] == 0:
        above = _why_nothing_comes(trace, position, place, sample)
    if record.saved is not None and not record.saved[at]:
        return (*above, f"{record.name} dropped it{' too' * bool(above)}")
    return above


def _why_zero_pool(trace: Trace, position: int, place: Place, sample: int) -> Causes:
    """Which windows of a max-pool got nothing themselves, and which of them the cell lost."""
    record, channel = trace.records[position], place[2]
    assert record.dy is not None
    winners = window_winners(record, place, sample)
    won = [window for window, winner in winners.items() if winner == place[:2]]
    lost = [f"({r},{c}) to {h},{w}" for (r, c), (h, w) in winners.items() if (h, w) != place[:2]]
    empty = [window for window in winners if record.dy[(sample, *window, channel)] == 0]
    causes: Causes = ()
    if won or len(empty) == len(winners):
        names = _windows(record, [f"({r},{c})" for r, c in won or empty])
        causes = (f"{names}{', which it won,' * bool(won)} got nothing",)
        if len(won or empty) == 1:
            cell = (*(won or empty)[0], channel)
            causes = (f"{causes[0]}:", *_why_nothing_comes(trace, position, cell, sample))
    if lost:
        too = " too" if causes and not won else ""
        causes = (*causes, f"it lost {_windows(record, lost)}{too}")
    return causes


def _windows(record: Record, names: Sequence[str]) -> str:
    return f"{record.name}'s window{'s' * (len(names) > 1)} {', '.join(names)}"


def _why_zero_terms(trace: Trace, position: int, place: Place, sample: int) -> Causes:
    """Why a sum over many readers is zero."""
    record = trace.records[position]
    layer, sent, what = record.layer, record.dy, "dy"
    if isinstance(layer, Conv2D | Dense):
        sent, what = record.dz, "dz"
    if sent is None or not isinstance(layer, Conv2D | Dense | AveragePool2D | LocalResponseNorm):
        return (f"{record.name} is a layer of your own: its terms cannot be opened from outside",)
    here = _fed(record, place, sample)
    size, left = sent[here].size, int(np.count_nonzero(sent[here]))
    if left:
        return (f"no term is left: where {what} is not 0, what it meets in {record.name} is 0",)
    fed = f"{what} of {record.name} that it feeds"
    if size == 1:
        cell = tuple(int(np.ravel(axis)[0]) for axis in here[1:])
        why = why_zero_before if what == "dz" else _why_nothing_comes
        return (f"the only {fed} is 0:", *why(trace, position, cell, sample))
    losses = tuple(_losses(trace, position, here))
    return (f"all {size:,} {fed} are 0{':' * bool(losses)}", *losses)


def _fed(record: Record, place: Place, sample: int) -> tuple[Any, ...]:
    """The cells of a layer's output that a cell of its input has a part in, as an index."""
    layer, (*_, C) = record.layer, record.y.shape
    if isinstance(layer, Dense):
        return np.ix_([sample], range(C))
    channels: Sequence[int] = [place[2]]
    if isinstance(layer, LocalResponseNorm):
        reach = layer.options["size"] // 2
        channels = range(max(place[2] - reach, 0), min(place[2] + reach + 1, C))
    elif isinstance(layer, Conv2D):
        filters = layer.filters // layer.groups
        group = place[2] // record.params["W"].shape[2]
        channels = range(group * filters, (group + 1) * filters)
    return np.ix_([sample], *holding(layer, record.x.shape[1:], (place[0], place[1])), channels)
