"""The fully connected layer explained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.explainer import Causes, Grid, activation_explainer, cells_formula, explainers
from tinycnn.explain.layers.weighted import Weighted, with_biggest
from tinycnn.explain.values.explanation import Section, SumTree
from tinycnn.explain.values.places import COLOUR, Cell, Place, channel_name, reads_colours
from tinycnn.explain.values.sums import Part, Product, Source, Sum, Term, grouped, mapped, spans
from tinycnn.layers import Dense, Shape
from tinycnn.passes import Record
from tinycnn.wording import every, many

_WIDENED = 1 << 20  # weights of a part: 8 MB in float64


@explainers.register(Dense)
class DenseExplainer(Weighted):
    """Each unit is the sum of all inputs times the weights of its column, plus its bias."""

    layer: Dense
    channel = "unit"
    everywhere = "for every image"

    def cell(self, cell: Cell) -> Sequence[Section]:
        x = cell.record.x[cell.sample]
        tree = _by_place(cell, x) if x.ndim == 3 else _in_order(cell, x)
        order = "by place" if x.ndim == 3 else "in order"
        heading = f"{many(x.size, 'product')} x * W, added up {order}:"
        return [*with_biggest(SumTree(heading, tree)), *self.finish(cell, tree)]

    def read_by(self, cell: Cell) -> tuple[str, ...]:
        return (f"{every(self.layer.units, 'unit')} of {cell.record.name}",)

    def input_gradient(self, cell: Cell) -> Sequence[Section]:
        record = cell.record
        d = int(np.ravel_multi_index(cell.place, record.x.shape[1:]))
        sent = zip(cell.dz[cell.sample].tolist(), record.params["W"][d].tolist(), strict=True)
        parts = [
            Product(f"unit {f}", *pair, Source("dz", (f,)), Source("W", (d, f)))
            for f, pair in enumerate(sent)
        ]
        heading = f"{many(len(parts), 'product')} dz * W, one a unit:"
        return with_biggest(SumTree(heading, grouped("sum", parts, "units")))

    def fed(self, cell: Cell) -> Any:
        return np.ix_([cell.sample], range(self.layer.units))

    def why_zero(self, cell: Cell) -> Causes:
        return self.why_sums_send_nothing(cell)

    def parameter_gradient(self, cell: Cell, parameter: str) -> Sequence[Section]:
        record, index = cell.record, cell.place
        dz, sent = cell.dz[:, index[-1]].tolist(), Source("dz", (index[-1],))
        parts: list[Part] = [Term(f"image {n}", value, sent) for n, value in enumerate(dz)]
        if parameter == "W":
            place = np.unravel_index(index[0], record.x.shape[1:])
            source = Source("x", tuple(map(int, place)))
            met = zip(self.met(record, index).tolist(), dz, strict=True)
            parts = [Product(f"image {n}", *pair, source, sent) for n, pair in enumerate(met)]
        what = "dz" if parameter == "b" else "x * dz"
        return [SumTree(f"{what}, one term an image:", grouped("sum", parts, "images"))]

    def met(self, record: Record, index: Place) -> Array:
        met: Array = record.x.reshape(len(record.x), -1)[:, index[0]]
        return met

    def parts(self, record: Record) -> Sequence[slice | None]:
        D, F = record.params["W"].shape
        count = -(-D * F // _WIDENED)
        return [slice(*span) for span in spans(F, min(count, F))]

    def size_formula(self, shape: Shape) -> str:
        return f"{cells_formula(shape)} -> {self.layer.units:,}"

    def parameter_formula(self, shape: Shape) -> str:
        return self.weights_formula(str(math.prod(shape)), shape)

    def gradient_formula(self, record: Record) -> str:
        return f"x^T {activation_explainer(self.layer.activation).dz_formula}"

    def parameter_grid(self, record: Record, parameter: str) -> Grid:
        shape, x = record.params[parameter].shape, record.x.shape[1:]
        if parameter == "b":
            return Grid(shape, ("unit",))
        if len(x) != 3:
            return Grid(shape, ("input", "unit"))
        channel = COLOUR if reads_colours(record) else "channel"
        return Grid((*x, shape[1]), ("input row", "input column", channel, "unit"), is_image=True)


def _by_place(cell: Cell, x: Array) -> Sum:
    """The products of an image (H, W, C), place by place and then by channel."""
    (unit,), (_, W, C) = cell.place, x.shape
    weights = cell.record.params["W"][:, unit].reshape(x.shape)

    def position(i: int, j: int) -> Part:
        pairs, first = zip(x[i, j].tolist(), weights[i, j].tolist(), strict=True), (i * W + j) * C
        parts = [
            Product(
                channel_name(cell.record, c),
                *pair,
                Source("x", (i, j, c)),
                Source("W", (first + c, unit)),
            )
            for c, pair in enumerate(pairs)
        ]
        return replace(grouped(f"cell ({i},{j})", parts, "channels"), position=(i, j))

    return mapped("sum", x.shape[0], x.shape[1], position)


def _in_order(cell: Cell, x: Array) -> Sum:
    """The products of any other input, one by one."""
    (unit,) = cell.place
    weights = cell.record.params["W"][:, unit].tolist()
    cells = zip(x.ravel().tolist(), weights, np.ndindex(x.shape), strict=True)
    parts = [
        Product(f"unit {d}", a, b, Source("x", at), Source("W", (d, unit)))
        for d, (a, b, at) in enumerate(cells)
    ]
    return grouped("sum", parts, "units")
