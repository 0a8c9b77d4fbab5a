"""A gradient against a difference of the loss, and the kinks on its way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.explainer import activation_explainer
from tinycnn.explain.replay import Difference
from tinycnn.explain.values.explanation import Check, Notes, Section
from tinycnn.explain.values.printing import number
from tinycnn.trace import Trace

# Of the tensor's largest gradient: a pass in float32, or in float64, against one in float64.
_AGREEMENT, _AGREEMENT_64 = 1e-5, 1e-9


def derivative(
    trace: Trace,
    position: int,
    found: Difference | None,
    engine: float,
    tensor: Array,
    sums: Sequence[Check],
) -> list[Section]:
    """The engine's gradient against a difference of the loss in float64, and the kinks on its way.

    ``sums`` are the checks of its terms. Where their rounding alone is more than the tensor's largest
    gradient, as of a bias whose every effect a normalisation takes away, that is all there is.
    """
    if found is None:
        words = (
            "a layer of your own does not compute in float64, so no difference of the loss is taken"
        )
        return [Notes("CHECK", (words,))]
    precision = tensor.dtype.name
    cancelled = _cancelled(trace, position)
    if not math.isfinite(cancelled * found.value):
        words = "the loss is no number, or a softmax's dy is the same for all classes"
        return [Notes("CHECK", (f"{words}: a difference of the loss tells nothing here",))]
    sections: list[Section] = []
    if found.crossed or found.others:
        sections.append(Notes("KINK", tuple(_kinks(found))))
    largest = abs(float(np.maximum(tensor.max(), -tensor.min())))
    agreement = _AGREEMENT if tensor.dtype == np.float32 else _AGREEMENT_64
    noise = max((check.bound for check in sums if check.bound > largest), default=0.0)
    bound = agreement * cancelled * largest + found.rounding + noise
    lost = f" * {number(cancelled)} for digits lost in a softmax" if cancelled > 1 else ""
    why = (
        f"{agreement:g} * the tensor's largest, {number(largest)}, for {precision} activations"
        f"{lost}, + {found.rounding:.1e} for float64's rounding of the loss"
    )
    why += f", + {noise:.1e} for that of terms which cancel" if noise else ""
    against = f"(L(+h) - L(-h)) / 2h, h = {found.h:g}:"
    return [*sections, Check(against, engine, found.value, bound, why)]


def _cancelled(trace: Trace, position: int) -> float:
    """By how much a softmax's gradient y * (dy - sum(dy * y)) is smaller than what it is made of.

    Where dy is nearly the same for all classes, digits are lost, and all gradients below with them.
    """
    lost = 1.0
    for record in trace.records[position:]:
        lost *= activation_explainer(record.layer.activation).digits_lost(record)
    return lost if lost > 2 else 1.0  # less is not worth a word


def _kinks(found: Difference) -> Iterator[str]:
    held = "held on the side that the pass took"
    if found.others:
        who = "1 ReLU or pool window stands" if found.others == 1 else _many(found.others, "stand")
        yield (f"{who} so near a kink that float64 falls on the other side: {held}")
    if found.crossed:
        crossed = found.crossed
        who = "1 ReLU or pool window changes" if crossed == 1 else _many(crossed, "change")
        yield (
            f"{who} sides within h = {found.h:g}: the slope to the left is not that to the right; "
            f"{held}"
        )
    yield (
        "a kink is where a slope jumps: ReLU's at 0, a maximum's where another cell becomes the largest"
    )


def _many(count: int, verb: str) -> str:
    return f"{count:,} ReLUs or pool windows {verb}"
