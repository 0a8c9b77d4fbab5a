"""A cell of an activation, dropout, normalisation or reshaping layer, opened."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.checks import half_epsilon
from tinycnn.explain.explanation import (
    Adds,
    Check,
    Section,
    Step,
)
from tinycnn.explain.places import Place, channel_name
from tinycnn.explain.sums import (
    Product,
    Sum,
    Term,
    factors,
    grouped,
    number,
)
from tinycnn.layers import (
    Dropout,
    LocalResponseNorm,
)
from tinycnn.passes import Record
from tinycnn.validation import lrn_coefficients
from tinycnn.wording import many


def relu_step(z: float) -> Step:
    """The step from z to max(0, z)."""
    words = "stopped" if z <= 0 else "passes"
    return Step("RELU", f"max(0, {number(z)})", z if z != z else max(z, 0.0), words)


def open_relu(record: Record, place: Place, sample: int) -> list[Section]:
    """A cell of a ReLU layer."""
    step = relu_step(float(record.x[(sample, *place)]))
    engine = float(record.y[(sample, *place)])
    return [step, Check("naive", engine, step.value, 0.0, "a number is copied or 0")]


def open_softmax(record: Record, place: Place, sample: int) -> list[Section]:
    """A probability of a softmax layer."""
    index = (sample, *place[:-1])
    return probability(record.x[index], record.y[index], place)


def probability(logits: Array, y: Array, place: Place) -> list[Section]:
    """A probability out of a row of logits: exponents, their sum, the quotient."""
    z = logits.astype(np.float64)
    tree, shift = exponentials(z)
    k = place[-1]
    own, largest, whole = f"{float(z[k]):.7f}", f"{shift:.7f}", factors(tree.value)[0]
    p = math.exp(float(z[k]) - shift) / tree.value
    gap = shift - float(z[k])
    roundings = exp_roundings(z, shift) + (math.ceil(gap) if math.isfinite(gap) else 0)
    bound = roundings * half_epsilon(y.dtype) * p
    why = f"{roundings:,} roundings of exp and of the sum * {rounding_unit(y.dtype)} * its size"
    tiny = float(np.finfo(y.dtype).tiny)
    if p * tree.value < 2 * tiny:
        bound, why = tiny, f"{y.dtype.name} has no more digits below that"
    return [
        exponentials_section(tree, shift),
        Step("SOFTMAX", f"exp({own} - {bracketed(largest)}) / {whole}", p),
        Check("float64", float(y[k]), p, bound, why),
    ]


def exponentials(z: Array) -> tuple[Sum, float]:
    """The exponentials of a row of logits, and the largest logit, by which they are shifted."""
    shift = float(z.max())
    terms = [Term(f"class {k}", math.exp(value - shift)) for k, value in enumerate(z.tolist())]
    return grouped("sum", terms, "classes"), shift


def exponentials_section(tree: Sum, shift: float) -> Adds:
    """Show the exponentials; the shift carries enough digits to redo them."""
    largest = bracketed(f"{shift:.7f}")
    heading = f"{many(tree.terms, 'exponential')} exp(z - {largest}), shifted by the largest z:"
    return Adds(heading, tree)


def exp_roundings(z: Array, shift: float) -> int:
    """Roundings of the sum of exponentials: n additions, 16 of exp, and those of z - shift.

    z - shift is rounded by its size times u, which exp makes a relative error; in the sum it counts
    as much as its exponential does.
    """
    gaps = shift - z[np.isfinite(z)] if math.isfinite(shift) else np.zeros(1)
    weights = np.exp(-gaps)
    return len(z) + 16 + math.ceil(float((gaps * weights).sum() / weights.sum()))


def bracketed(text: str) -> str:
    """A negative number in brackets, as a factor is written."""
    return f"({text})" if text.startswith("-") else text


def open_dropout(record: Record, place: Place, sample: int) -> list[Section]:
    """A cell that dropout kept or dropped."""
    layer = record.layer
    assert isinstance(layer, Dropout)
    x, engine = float(record.x[(sample, *place)]), float(record.y[(sample, *place)])
    if record.saved is None:
        step = Step("DROPOUT", f"{number(x)} * 1", x, "dropout is off: every cell passes")
        return [step, Check("naive", engine, x, 0.0, "a number is copied")]
    kept = bool(record.saved[(sample, *place)])
    scale = 1 / (1 - layer.rate)
    context = record.context
    value = x * scale if kept else 0.0
    words = f"kept, and scaled up by 1 / (1 - {layer.rate:g})" if kept else "dropped"
    key = (
        f"mask of key {context.rng}, layer {context.layer}, sample {context.first_sample + sample}"
    )
    arithmetic = f"{factors(x)[0]} * {factors(scale)[0] if kept else 0}"
    return [
        Step("DROPOUT", arithmetic, value, f"{words}; {key}"),
        Check(
            "naive",
            engine,
            value,
            abs(value) * 3 * half_epsilon(record.y.dtype),
            f"3 roundings * {rounding_unit(record.y.dtype)} * its size",
        ),
    ]


def lrn_sum(
    record: Record, place: Place, sample: int
) -> tuple[Sum, float, tuple[int, float, float, float]]:
    """The squares around a channel, the s they make, and (size, a, beta, k)."""
    layer = record.layer
    assert isinstance(layer, LocalResponseNorm)
    size, a, beta, k = lrn_coefficients(**layer.options)
    row, column, channel = place
    x = record.x[sample, row, column].astype(np.float64)
    near = range(max(channel - size // 2, 0), min(channel + size // 2 + 1, len(x)))
    tree = grouped(
        "sum",
        [Product(channel_name(record, c), float(x[c]), float(x[c])) for c in near],
        "channels",
    )
    return tree, k + a * tree.value, (size, a, beta, k)


_NEXT_TO_NOTHING = 1e-3  # of a cell: what its neighbours change


def _idle(s: float, beta: float, k: float) -> str:
    """Whether the squares are so small beside k that the layer normalises nothing."""
    if k == 0 or not abs(1 - power(s / k, -beta)) < _NEXT_TO_NOTHING:
        return ""
    scale = power(k, beta)
    rest = f" but divide by {k:g}^{beta:g} = {number(scale)}" if scale != 1 else ""
    return f"LRN does nothing here{rest}: the squares hardly add to k"


def power(base: float, exponent: float) -> float:
    """base^exponent, where 0 to a negative power is infinite, as for the engine."""
    return float(np.float64(base) ** exponent)


def open_local_response_norm(record: Record, place: Place, sample: int) -> list[Section]:
    """A cell divided by a power of its neighbours' squares."""
    layer = record.layer
    assert isinstance(layer, LocalResponseNorm)
    tree, s, (size, a, beta, k) = lrn_sum(record, place, sample)
    x = float(record.x[(sample, *place)])
    value = x * power(s, -beta)
    alpha = f"{layer.options['alpha']:g}"
    dialect = f"alpha / n = {alpha} / {size}" if a != layer.options["alpha"] else f"alpha = {alpha}"
    dialect += "" if a != layer.options["alpha"] else ", not divided by n"
    roundings = 32 + tree.terms
    bound = roundings * half_epsilon(record.y.dtype) * abs(value)
    engine = float(record.y[(sample, *place)])
    missing = "" if tree.terms == size else f"; {size - tree.terms} more would lie outside"
    why = f"{roundings} roundings, 32 of the power and one for each square,"
    own, squares, whole = factors(x, tree.value, s)
    return [
        Adds(
            f"{many(tree.terms, 'square')}, of the n = {many(size, 'channel')} around{missing}:",
            tree,
        ),
        Step("S", f"{k:g} + {a:.7g} * {squares}", s, dialect),
        Step("NORM", f"{own} / {whole}^{beta:g}", value, _idle(s, beta, k)),
        Check(
            "float64", engine, value, bound, f"{why} * {rounding_unit(record.y.dtype)} * its size"
        ),
    ]


def open_flatten(record: Record, place: Place, sample: int) -> list[Section]:
    """The cell that a unit was."""
    cell = np.unravel_index(place[0], record.x.shape[1:])
    value = float(record.x[(sample, *cell)])
    words = f"x[{','.join(str(int(i)) for i in cell)}]"
    engine = float(record.y[(sample, *place)])
    return [
        Step("FLATTEN", words, value, f"number {place[0]} in reading order, counted from 0"),
        Check("naive", engine, value, 0.0, "a number is copied"),
    ]


def rounding_unit(dtype: np.dtype[Any]) -> str:
    """A rounding's largest relative error: 2^-24 for float32, 2^-53 for float64."""
    return f"2^{math.log2(half_epsilon(dtype)):.0f}"
