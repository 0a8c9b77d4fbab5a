"""Why a gradient is zero, or has no terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

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
from tinycnn.stepthrough.explanation import Adds, Section
from tinycnn.stepthrough.field import readers
from tinycnn.stepthrough.parameter_gradients import winning_cells
from tinycnn.stepthrough.places import Place, window_winners
from tinycnn.stepthrough.sums import (
    leaves,
    number,
)
from tinycnn.trace import Record, Trace


def cancelling_terms(sections: Sequence[Section]) -> tuple[str, ...]:
    """Whether a gradient of zero has terms that are not."""
    trees = [section.tree for section in sections if isinstance(section, Adds)]
    some = trees and any(leaf.value != 0 for leaf in leaves(trees[-1].parts))
    return ("its terms cancel",) if some else ()


def why_no_term(trace: Trace, position: int, index: Place) -> tuple[str, ...]:
    """Why a parameter's gradient is zero: what became of its terms."""
    record = trace.records[position]
    if not isinstance(record.layer, Conv2D | Dense):
        return ("a layer of your own: its terms cannot be opened from outside",)
    y, dz = record.y[..., index[-1]], record.dz
    assert dz is not None
    sent = dz[..., index[-1]] != 0
    what = "filter" if isinstance(record.layer, Conv2D) else "unit"
    places = "at every place" if isinstance(record.layer, Conv2D) else "for every image"
    if record.layer.activation == "relu" and (y <= 0).all():
        return (f"{what} {index[-1]} died at {record.name}'s ReLU {places}",)
    if not sent.any():
        stopped = int((y <= 0).sum()) if record.layer.activation == "relu" else 0
        lines = [f"no gradient reaches {what} {index[-1]}: dz is 0 at all {sent.size:,} places"]
        reader = trace.records[position + 1] if position + 1 < len(trace.records) else None
        if stopped:
            lines.append(f"{stopped:,} of them died at {record.name}'s ReLU")
        if reader is not None and isinstance(reader.layer, MaxPool2D):
            lost = int((~winning_cells(reader)[..., index[-1]]).sum())
            lines.append(f"{lost:,} of them lost every window of {reader.name}")
        if reader is not None and isinstance(reader.layer, Dropout) and reader.saved is not None:
            dropped = int((~reader.saved[..., index[-1]]).sum())
            lines.append(f"{dropped:,} of them were dropped by {reader.name}")
        return tuple(lines)
    return (f"at the {int(sent.sum()):,} places where dz is not 0, what the weight met is 0",)


def why_zero_before(trace: Trace, position: int, place: Place, sample: int) -> tuple[str, ...]:
    """Why the gradient before a layer's activation is zero."""
    record = trace.records[position]
    if record.layer.activation == "relu" and record.y[(sample, *place)] <= 0:
        z = number(float(record.z[(sample, *place)]))
        return (f"it died at {record.name}'s ReLU: z = {z}",)
    if record.layer.activation == "softmax":
        return (f"{record.name}'s softmax is saturated: p is exactly 0 or 1",)
    return _why_nothing_comes(trace, position, place, sample)


def _why_nothing_comes(trace: Trace, position: int, place: Place, sample: int) -> tuple[str, ...]:
    """Why nothing comes back to a cell of a layer's output."""
    if position + 1 == len(trace.records):
        return ("the dy that backward was given is 0 there",)
    return why_zero(trace, position + 1, place, sample)


def why_zero(trace: Trace, position: int, place: Place, sample: int) -> tuple[str, ...]:
    """Why the gradient at a cell of a layer's input is zero, followed up to where it got lost."""
    record = trace.records[position]
    layer = record.layer
    if isinstance(layer, Conv2D | AveragePool2D | MaxPool2D):
        region = readers(layer, record.x.shape[1:], (place[0], place[1]))
        if region is None:
            return (f"no window of {record.name} reaches it",)
    if isinstance(layer, MaxPool2D):
        return _why_zero_pool(trace, position, place, sample)
    if isinstance(layer, Dropout):
        if record.saved is not None and not record.saved[(sample, *place)]:
            return (f"{record.name} dropped it",)
        return _why_nothing_comes(trace, position, place, sample)
    if isinstance(layer, ReLU | Softmax):
        return why_zero_before(trace, position, place, sample)
    if isinstance(layer, Flatten):
        unit = int(np.ravel_multi_index(place, record.x.shape[1:]))
        return _why_nothing_comes(trace, position, (unit,), sample)
    return (_why_zero_terms(record, place, sample),)


def _why_zero_pool(trace: Trace, position: int, place: Place, sample: int) -> tuple[str, ...]:
    record = trace.records[position]
    winners = window_winners(record, place, sample)
    won = [window for window, winner in winners.items() if winner == place[:2]]
    if not won:
        lost = ", ".join(f"({r},{c}) to {w[0]},{w[1]}" for (r, c), w in winners.items())
        return (f"it lost {record.name}'s window{'s' * (len(winners) > 1)} {lost}",)
    names = ", ".join(f"({r},{c})" for r, c in won)
    first = f"{record.name}'s window{'s' * (len(won) > 1)} {names}, which it won, got nothing"
    if len(won) > 1:
        return (first,)
    return (f"{first}:", *_why_nothing_comes(trace, position, (*won[0], place[2]), sample))


def _why_zero_terms(record: Record, place: Place, sample: int) -> str:
    """Why a sum over many readers is zero."""
    layer, sent, what = record.layer, record.dy, "dy"
    if isinstance(layer, Conv2D | Dense):
        sent, what = record.dz, "dz"
    if sent is None or not isinstance(layer, Conv2D | Dense | AveragePool2D | LocalResponseNorm):
        return f"{record.name} is a layer of your own: its terms cannot be opened from outside"
    here: Any = sample
    if isinstance(layer, LocalResponseNorm):
        reach = layer.options["size"] // 2
        here = (sample, *place[:2], slice(max(place[2] - reach, 0), place[2] + reach + 1))
    elif not isinstance(layer, Dense):
        region = readers(layer, record.x.shape[1:], (place[0], place[1]))
        assert region is not None
        rows, columns = (slice(first, last + 1) for first, last in region)
        channels = slice(None)
        if isinstance(layer, Conv2D):
            group = place[2] // record.params["W"].shape[2]
            filters = layer.filters // layer.groups
            channels = slice(group * filters, (group + 1) * filters)
        elif isinstance(layer, AveragePool2D):
            channels = slice(place[2], place[2] + 1)
        here = (sample, rows, columns, channels)
    cells = sent[here]
    if cells.any():
        return f"no term is left: where {what} is not 0, what it meets in {record.name} is 0"
    words = f"all {cells.size:,} {what} of {record.name} that it feeds are 0"
    if layer.activation == "relu":
        words += f"; {int((record.y[here] <= 0).sum()):,} of them died at its ReLU"
    return words
