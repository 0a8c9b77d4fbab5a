"""The loss of a pass that was given one by ``loss=``, opened: smoothed or weighted labels, squared errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.errors import ArgumentError
from tinycnn.explain.receptive_field import picture_of
from tinycnn.explain.values.checks import half_epsilon, rounding_unit
from tinycnn.explain.values.explanation import Check, Explanation, Notes, Section, SumTree
from tinycnn.explain.values.exponentials import (
    exp_roundings,
    exponentials,
    exponentials_section,
)
from tinycnn.explain.values.printing import number
from tinycnn.explain.values.sums import Product, Sum, grouped, total
from tinycnn.losses import CrossEntropy, LossFunction, MeanSquaredError
from tinycnn.trace import Trace
from tinycnn.wording import many


def open_chosen_loss(trace: Trace, sample: int) -> Explanation:
    """Explain what image ``sample`` adds to the loss: the terms of its sum, and the mean of all images."""
    loss = trace.loss_function
    opener = _OPENERS.get(type(loss))
    if opener is None:
        raise ArgumentError(
            f"{loss!r} is a loss of your own: what is opened of it is its gradients"
        )
    tree, sections = opener(trace, loss, sample)
    return Explanation("loss", tree.value, (), picture_of(trace, sample), tuple(sections))


def _cross_entropy(trace: Trace, loss: CrossEntropy, sample: int) -> tuple[Sum, list[Section]]:
    """q * -ln p over the classes, by log-sum-exp."""
    rows = trace.logits.astype(np.float64)
    q, weight = loss.wanted(np.array(trace.labels), rows.shape[1])
    exps, shift = exponentials(rows[sample])
    terms = [
        Product(f"class {c}", *pair)
        for c, pair in enumerate(zip(q[sample].tolist(), _surprises(rows[sample]), strict=True))
    ]
    tree = grouped("sum", terms, "classes")
    sums = [
        total([a * b for a, b in zip(wanted, _surprises(row), strict=True)])
        for wanted, row in zip(q.tolist(), rows, strict=True)
    ]
    roundings = max(exp_roundings(row, float(row.max())) for row in rows)
    check = _check(trace, total(sums), weight, roundings, trace.logits.dtype)
    heading = f"{loss!r}: what is wanted of each class, q, times its -ln p:"
    mean = "the sum of all images' is divided by that of their labels' weights"
    sections: list[Section] = [
        exponentials_section(exps, shift),
        SumTree(heading, tree),
        Notes("MEAN", (f"{mean}, {number(total(sums))} / {number(weight)}",)),
        check,
    ]
    return tree, sections


def _surprises(row: Array) -> list[float]:
    """-ln p of each class."""
    shift = float(row.max())
    logarithm = math.log(total(np.exp(row - shift).tolist()))
    return [logarithm + shift - z for z in row.tolist()]


def _squared(trace: Trace, loss: MeanSquaredError, sample: int) -> tuple[Sum, list[Section]]:
    """(y - target)**2 over an image's numbers."""
    targets = np.asarray(trace.labels, trace.y.dtype).astype(np.float64)
    errors = trace.y.astype(np.float64) - targets
    terms = [Product(f"number {i}", e, e) for i, e in enumerate(errors[sample].ravel().tolist())]
    tree = grouped("sum", terms, "numbers")
    whole = total([e * e for e in errors.ravel().tolist()])
    check = _check(trace, whole, errors.size, errors.size, errors.dtype)
    mean = f"the sum of all images' is divided by the {many(errors.size, 'number')}"
    sections: list[Section] = [
        SumTree(f"{loss!r}: (y - target)^2 of each number:", tree),
        Notes("MEAN", (f"{mean}: {number(whole)} / {errors.size}",)),
        check,
    ]
    return tree, sections


def _check(trace: Trace, whole: float, count: float, roundings: int, dtype: np.dtype[Any]) -> Check:
    """The trace's loss against that of all images in float64."""
    assert trace.loss is not None
    mean = whole / count if count else 0.0
    bound = roundings * half_epsilon(dtype) * max(1.0, abs(mean))
    why = f"{roundings:,} roundings * {rounding_unit(dtype)}"
    why += f" * {number(mean)}" if mean > 1 else ""
    return Check(f"float64, the mean of {len(trace.y)}", trace.loss, mean, bound, why)


_OPENERS: dict[type[LossFunction | None], Callable[..., tuple[Sum, list[Section]]]] = {
    CrossEntropy: _cross_entropy,
    MeanSquaredError: _squared,
}
