"""Average pooling explained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.causes import why_no_term_is_left
from tinycnn.explain.explainer import Causes, explainers
from tinycnn.explain.layers.windowed import NO_INFLUENCE, Windowed
from tinycnn.explain.values.checks import half_epsilon, rounding_unit
from tinycnn.explain.values.explanation import Check, Section, Step, SumTree
from tinycnn.explain.values.places import Cell
from tinycnn.explain.values.printing import factors, number
from tinycnn.explain.values.sums import Part, Product, Source, Term, mapped
from tinycnn.explain.values.task import Task
from tinycnn.layers import AveragePool2D
from tinycnn.passes import Record
from tinycnn.wording import many


@explainers.register(AveragePool2D)
class AveragePool2DExplainer(Windowed):
    """Each cell is the mean of its window; each gradient is shared equally."""

    layer: AveragePool2D

    def cell(self, cell: Cell) -> Sequence[Section]:
        record, (row, column, channel) = cell.record, cell.place
        (h0, h1), (w0, w1) = self.seen(record.x.shape[1:], ((row, row), (column, column))).inside
        x = record.x[cell.sample, h0 : h1 + 1, w0 : w1 + 1, channel]
        return mean_of_cells(cell, x, (h0, w0), self._count(record, row, column), "of the window")

    def input_gradient(self, cell: Cell) -> Sequence[Section]:
        record, region = cell.record, self.region_over(cell.record.x.shape[1:], cell.place)
        if region is None:
            return [NO_INFLUENCE]
        (r0, r1), (c0, c1) = region

        def leaf(i: int, j: int) -> Part:
            r, c = r0 + i, c0 + j
            count = self._count(record, r, c)
            source = Source("dy", (r, c, cell.place[2]))
            sent = float(cell.dy[(cell.sample, *source.place)])
            return Product(f"window ({r},{c}), 1/{count}", sent, 1 / count, source)

        tree = mapped("sum", r1 - r0 + 1, c1 - c0 + 1, leaf)
        return [SumTree("dy / count of the windows that hold this cell:", tree, second="1 / count")]

    def roundings(self, record: Record, sample: int) -> int:
        return 2  # of the factor, and of its product

    def why_windows_send_nothing(self, cell: Cell) -> Causes:
        fed = np.ix_(
            [cell.sample], *self.windows_over(cell.record.x.shape[1:], cell.place), [cell.place[2]]
        )
        return why_no_term_is_left(cell, fed, before_activation=False)

    def gradient_formula(self, record: Record) -> str:
        return "sum over windows of dy / count"

    def _count(self, record: Record, row: int, column: int) -> int:
        """What the sum of a window is divided by."""
        win, count = self.window(record), 1
        for axis, at in ((win.height, row), (win.width, column)):
            first, last = axis.seen(at, at)
            if self.layer.count_include_pad:
                count *= min(last, axis.input + axis.after - 1) - first + 1
            else:
                count *= min(last, axis.input - 1) - max(first, 0) + 1
        return count


def mean_of_cells(
    cell: Cell, x: Array, first: tuple[int, int], count: int, whose: str
) -> Sequence[Section]:
    """An output cell: the sum of ``x`` (rows, columns) over ``count``; ``first`` is x's first place."""
    (row, column), y = first, cell.record.y

    def leaf(i: int, j: int) -> Part:
        source = Source("x", (row + i, column + j, cell.place[-1]))
        return Term(f"({row + i},{column + j})", float(x[i, j]), source)

    tree = mapped("sum", x.shape[0], x.shape[1], leaf)
    value, scale = tree.value / count, float(np.abs(x).sum()) / count
    bound = (tree.terms + 1) * half_epsilon(y.dtype) * scale
    unit = rounding_unit(y.dtype)
    task = Task(f"divide by {count}", f"it was not divided by {count}", lambda total: total / count)
    why = f"{tree.terms + 1} roundings * {unit} * the cells' mean size, {number(scale)}"
    return [
        SumTree(_heading(tree.terms, count - tree.terms, whose), tree),
        Step("MEAN", f"{factors(tree.value)[0]} / {count}", value, task=task),
        Check("float64", float(y[cell.index]), value, bound, why),
    ]


def _heading(cells: int, padding: int, whose: str) -> str:
    heading = f"{many(cells, 'cell')} {whose}"
    if not padding:
        return f"{heading}:"
    words = "more is padding and counts" if padding == 1 else "more are padding and count"
    return f"{heading}, {padding} {words} as 0:"
