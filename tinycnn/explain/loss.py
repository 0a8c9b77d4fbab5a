"""The loss of a pass, opened."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.random_logits import expected_loss
from tinycnn.explain.receptive_field import picture_of
from tinycnn.explain.values.checks import half_epsilon, rounding_unit
from tinycnn.explain.values.explanation import Check, Explanation, Notes, Section, Step
from tinycnn.explain.values.exponentials import (
    exp_roundings,
    exponentials,
    exponentials_section,
)
from tinycnn.explain.values.printing import bracketed, decimals, factors, number
from tinycnn.explain.values.sums import total
from tinycnn.explain.values.task import Task
from tinycnn.trace import Trace


def open_loss(trace: Trace, labels: Sequence[int], sample: int) -> Explanation:
    """Explain the loss of image ``sample``: log-sum-exp less the label's logit."""
    logits = trace.logits
    z = logits[sample].astype(np.float64)
    label, n = labels[sample], z.size
    value, others = log_sum(z, label)
    sections: list[Section] = [_loss_check(trace, labels, logits)]
    if math.isfinite(value):  # else no step on the way says anything
        tree, shift = exponentials(z)
        sections = [
            exponentials_section(tree, shift),
            _loss_step(float(z[label]), shift, tree.value, others, value, label),
            *sections,
            Notes("SAME AS", _minus_log(z, label, value)),
            Notes("CHANCE", (f"ln {n:,} = {number(math.log(n))}", *why_loss(z, label))),
        ]
    return Explanation("loss", value, (), picture_of(trace, sample), tuple(sections))


def log_sum(z: Array, label: int) -> tuple[float, float]:
    """The loss of a row of logits, and what all but the largest add to the sum of exponentials.

    The largest itself adds 1, and log1p keeps what the others add where log would lose it.
    """
    first = int(z.argmax())
    shift = float(z[first])
    if not math.isfinite(shift):
        return math.nan, math.nan  # as the engine has it
    others = total([math.exp(value - shift) for k, value in enumerate(z.tolist()) if k != first])
    return math.log1p(others) + (shift - float(z[label])), others


_SMALL = 1e-6  # ln(1 + x) is x to six digits


def _loss_step(
    own: float, shift: float, whole: float, others: float, value: float, label: int
) -> Step:
    """The loss's arithmetic, in so many decimals that its digits can be redone."""
    places = decimals([value]) + 2 if own != shift else 7
    gap = f"{shift:.{places}f} - {bracketed(f'{own:.{places}f}')}"
    rest = factors(others)[0]
    if others > 1e-3:
        logarithm = f"ln {whole:.{places}f}"
        words = f"the largest z, the z of label {label}, and the sum"
    elif others > _SMALL:
        logarithm = f"ln (1 + {rest})"
        words = (
            f"the largest z, the z of label {label}, and what the others add to the largest one's 1"
        )
    else:
        logarithm = rest
        words = (
            f"the others add {rest} to the largest one's 1, and ln (1 + x) is x for so small an x"
        )
    task = Task(
        f"{gap} plus ln of that sum",
        "that is the sum, whose logarithm is missing",
        lambda total: shift - own + math.log(total) if total > 0 else math.nan,
    )
    return Step("LOSS", f"{gap} + {logarithm}", value, words, task)


def _minus_log(z: Array, label: int, value: float) -> tuple[str, ...]:
    """The loss as the logarithm of a probability, where that can be worked with."""
    probability = math.exp(-value)
    if probability == 0:
        return (f"-ln p[{label}]; but p[{label}] is 0 in float64, so the logits are used",)
    if value < _SMALL:
        size = "1" if value == 0 else "nearly 1"
        return (f"-ln p[{label}]; but p[{label}] is {size}, so the logits are used",)
    text = factors(probability)[0]
    if probability > 0.1:
        text = f"{probability:.{decimals([value]) + 2}f}"
    return (f"-ln p[{label}] = -ln {text} = {number(value)}, from the label's probability",)


def _loss_check(trace: Trace, labels: Sequence[int], logits: Array) -> Check:
    """The trace's loss, the mean over its images, against float64."""
    losses, roundings = [], 0
    for row, label in zip(logits.astype(np.float64), labels, strict=True):
        losses.append(log_sum(row, label)[0])
        roundings = max(roundings, exp_roundings(row, float(row.max())))
    mean = total(losses) / len(losses) if losses else 0.0
    size = max(1.0, abs(mean))
    bound = roundings * half_epsilon(logits.dtype) * size
    against = "float64" if len(losses) == 1 else f"float64, the mean of {len(losses)} images"
    assert trace.loss is not None
    why = f"{roundings:,} roundings of exp and of the sum * {rounding_unit(logits.dtype)}"
    if size > 1:
        why += f" * {number(size)}"
    return Check(against, trace.loss, mean, bound, why)


def _approximation(classes: int, spread: float) -> tuple[str, ...]:
    """ln K + s^2 / 2, which is never below the mean of random logits, and whether it is near."""
    value = math.log(classes) + spread**2 / 2
    formula = f"ln {classes:,} + {factors(spread)[0]}^2 / 2 = {number(value)}"
    if classes == 1:
        return ()  # its probability is 1 whatever its logit
    if value <= 1.01 * expected_loss(classes, spread):
        return (f"or nearly {formula}, while exp(s^2) is far below the number of classes",)
    return (f"{formula} is too much: it needs exp(s^2) far below the number of classes",)


def why_loss(z: Array, label: int) -> tuple[str, ...]:
    """Why the loss is where it is, against guessing: how wide the logits are, and the label's place."""
    if not np.isfinite(z).all():
        bad = int((~np.isfinite(z)).sum())
        return (f"of the {len(z):,} logits, {bad:,} {'is' if bad == 1 else 'are'} not finite",)
    spread, rank = float(z.std()), int((z > z[label]).sum())
    lines = [
        f"the logits' standard deviation is s = {number(spread)}; normal ones so wide, drawn at random, "
        f"cost {number(expected_loss(len(z), spread), 4)} in the mean",
        *_approximation(len(z), spread),
        f"the label's logit is number {rank + 1:,} of {len(z):,}, the largest first",
    ]
    if spread > 1.5:
        lines.append(
            "so wide at the start, they cost more than guessing: smaller last weights start nearer"
        )
    return tuple(lines)
