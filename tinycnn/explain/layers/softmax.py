"""Softmax explained, as an activation and as a layer of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.causes import dy_source
from tinycnn.explain.explainer import (
    ActivationExplainer,
    Causes,
    explainers,
    register_activation,
)
from tinycnn.explain.layers.activation_layer import ActivationLayer
from tinycnn.explain.values.checks import half_epsilon, rounding_unit
from tinycnn.explain.values.explanation import Check, Section, Step, SumTree
from tinycnn.explain.values.exponentials import (
    exp_roundings,
    exponentials,
    exponentials_section,
)
from tinycnn.explain.values.places import Cell, Place, Region, Seen
from tinycnn.explain.values.printing import bracketed, factors, number
from tinycnn.explain.values.sums import Product, Source, Term, add, grouped, leaves
from tinycnn.explain.values.task import Task
from tinycnn.layers import SOFTMAX, Shape, Softmax
from tinycnn.losses import CrossEntropy
from tinycnn.passes import Record

_POWER = 32  # roundings of exp and what is done with it
_SURE = 0.5  # from this p of the label on, p - 1 is added up from the other classes


@register_activation(SOFTMAX)
class SoftmaxActivation(ActivationExplainer):
    """y = exp(z) / sum(exp(z)) over the last axis."""

    dz_formula = "(p - onehot)"

    def row(self, z: Array, y: Array, place: Place) -> Sequence[Section]:
        z = z.astype(np.float64)
        tree, shift = exponentials(z, place[:-1])
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
        above = f"exp({own} - {bracketed(largest)})"
        task = Task(
            f"{above} over that sum",
            "that is the sum, by which the class's own exponential is divided",
            lambda total: p * tree.value / total,
        )
        return [
            exponentials_section(tree, shift),
            Step("SOFTMAX", f"{above} / {whole}", p, task=task),
            Check("float64", float(y[k]), p, bound, why),
        ]

    def gradient(self, cell: Cell) -> Sequence[Section]:
        return _with_the_loss(cell) if cell.record.dy is None else _by_its_jacobian(cell)

    def gradient_formula(self, record: Record) -> str:
        if record.dy is None:  # the loss is a step of its own
            return "p - onehot"
        return "y * (dy - sum over classes of dy * y)"

    def roundings(self, record: Record, sample: int) -> int:
        if record.dy is not None:
            return int(record.y.shape[-1]) + _POWER
        z = record.z[sample].astype(np.float64)
        shift = float(z.max())
        widest = shift - float(z.min())
        return exp_roundings(z, shift) + (math.ceil(widest) if math.isfinite(widest) else 0)

    def why_zero(self, cell: Cell, above: Causes) -> Causes:
        record, row = cell.record, cell.index[:-1]
        if record.dy is not None and not record.dy[row].any():
            return (f"none of {record.name}'s classes gets a dy {dy_source(cell)}",)
        if record.y[cell.index] in (0, 1):
            return (self._saturated(record),)
        return (
            "its dy is the mean of all classes' dy, weighted by p: softmax passes what differs",
        )

    def lost(self, record: Record, here: Any) -> tuple[str, ...]:
        return (self._saturated(record),)

    def digits_lost(self, record: Record) -> float:
        if record.dy is None or record.dz is None:
            return 1.0
        y, dy = record.y, np.abs(record.dy)
        size = float((y * (dy + (dy * y).sum(axis=-1, keepdims=True))).max(initial=0.0))
        largest = float(np.abs(record.dz).max(initial=0.0))
        return max(1.0, size / largest if largest else math.inf if size else 1.0)

    def _saturated(self, record: Record) -> str:
        return f"{record.name}'s softmax is saturated: p is exactly 0 or 1"


def _with_the_loss(cell: Cell) -> list[Section]:
    """(p - onehot) / N, of a last softmax and its loss in one step."""
    trace, loss = cell.trace, cell.trace.loss_function
    assert trace.labels is not None
    if not isinstance(loss, CrossEntropy):
        return []  # one of the user's own, which says nothing of its terms
    if not loss.is_plain:
        return _with_a_wanted_answer(cell, loss, trace.labels)
    z, N, k = cell.record.z[cell.sample].astype(np.float64), len(trace.y), cell.place[-1]
    tree, _ = exponentials(z)
    p = [leaf.value / tree.value for leaf in leaves(tree.parts)]
    label = trace.labels[cell.sample] == k
    over = "" if N == 1 else f" / {N}"
    if label and p[k] > _SURE:
        heading = f"softmax and loss are one step: (p - 1){over} is minus the others' p{over}:"
        rest = [
            Term(f"class {j}", -p[j] / N, Source("y", (*cell.place[:-1], j)))
            for j in range(len(p))
            if j != k
        ]
        return [SumTree(heading, grouped("sum", rest, "others"))]
    heading = "p - onehot" if N == 1 else f"(p - onehot) / {N}, for {N} images"
    parts = [Term(f"p{over}", p[k] / N), Term(f"-onehot{over}", -float(label) / N)]
    return [SumTree(f"softmax and loss are one step: {heading}", add("sum", parts))]


def _with_a_wanted_answer(cell: Cell, loss: CrossEntropy, labels: list[int]) -> list[Section]:
    """(S * p - q) / total, where labels are smoothed or classes have weights."""
    z, k = cell.record.z[cell.sample].astype(np.float64), cell.place[-1]
    q, total = loss.wanted(np.array(labels), len(z))
    tree, _ = exponentials(z)
    p = leaves(tree.parts)[k].value / tree.value
    share = float(q[cell.sample].sum())
    parts = [
        Term(f"{number(share)} * p / {number(total)}", share * p / total),
        Term(f"-q / {number(total)}", -float(q[cell.sample, k]) / total),
    ]
    return [SumTree(f"softmax and loss, {loss!r}, are one step:", add("sum", parts))]


def _by_its_jacobian(cell: Cell) -> list[Section]:
    """y * (dy - sum(dy * y))."""
    record, row, k = cell.record, cell.place[:-1], cell.place[-1]
    y, dy = (
        array[(cell.sample, *row)].astype(np.float64).tolist() for array in (record.y, cell.dy)
    )
    pairs = enumerate(zip(dy, y, strict=True))
    products = [
        Product(f"class {i}", *pair, Source("dy", (*row, i)), Source("y", (*row, i)))
        for i, pair in pairs
    ]
    mean = grouped("sum", products, "classes")
    own = add("sum", [Product("y * dy", y[k], dy[k]), Product("y * -sum", y[k], -mean.value)])
    cancelled = abs(y[k]) * sum(abs(product.value) for product in products)
    return [
        SumTree("sum(dy * y) over the classes:", mean),
        SumTree("y * dy less y * that sum:", own, cancelled),
    ]


@explainers.register(Softmax)
class SoftmaxExplainer(ActivationLayer):
    """Probabilities over the last axis, as a layer of its own."""

    def cell(self, cell: Cell) -> Sequence[Section]:
        row = cell.index[:-1]
        return self.activation.row(cell.record.x[row], cell.record.y[row], cell.place)

    def seen(self, shape: Shape, region: Region, *, training: bool = False) -> Seen:
        return Seen(region, region)
