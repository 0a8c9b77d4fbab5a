"""Local response normalisation explained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinycnn.explain.causes import why_no_term_is_left
from tinycnn.explain.explainer import ByPlace, Causes, explainers
from tinycnn.explain.values.checks import half_epsilon, rounding_unit
from tinycnn.explain.values.explanation import Check, Section, Step, SumTree
from tinycnn.explain.values.places import Cell, channel_name
from tinycnn.explain.values.printing import factors, number
from tinycnn.explain.values.sums import Part, Product, Source, Sum, extent, grouped
from tinycnn.explain.values.task import Task
from tinycnn.layers import LocalResponseNorm
from tinycnn.passes import Record
from tinycnn.validation import lrn_coefficients
from tinycnn.wording import many

_POWER = 32  # roundings of a power and what is done with it
_NEXT_TO_NOTHING = 1e-3  # of a cell: what its neighbours change


@explainers.register(LocalResponseNorm)
class LocalResponseNormExplainer(ByPlace):
    """y = x / s^beta with s = k + a * the sum of the squares of the channels around."""

    layer: LocalResponseNorm

    def cell(self, cell: Cell) -> Sequence[Section]:
        record, (size, a, beta, k) = cell.record, lrn_coefficients(**self.layer.options)
        tree, s = self._squares(cell)
        x, engine = float(record.x[cell.index]), float(record.y[cell.index])
        value = x * _power(s, -beta)
        roundings = _POWER + tree.terms
        bound = roundings * half_epsilon(record.y.dtype) * abs(value)
        missing = "" if tree.terms == size else f"; {size - tree.terms} more would lie outside"
        why = f"{roundings} roundings, 32 of the power and one for each square,"
        why += f" * {rounding_unit(record.y.dtype)} * its size"
        own, squares, whole = factors(x, tree.value, s)
        weigh = Task(
            f"s = {k:g} + {a:.7g} times that",
            "k and alpha are missing",
            lambda total: k + a * total,
        )
        divide = Task(
            f"{own} / s^{beta:g}", "x / s^beta is missing", lambda whole: x * _power(whole, -beta)
        )
        heading = (
            f"{many(tree.terms, 'square')}, of the n = {many(size, 'channel')} around{missing}:"
        )
        return [
            SumTree(heading, tree),
            Step("S", f"{k:g} + {a:.7g} * {squares}", s, self._dialect(a), weigh),
            Step("NORM", f"{own} / {whole}^{beta:g}", value, _idle(s, beta, k), divide),
            Check("float64", engine, value, bound, why),
        ]

    def channels_seen(self, record: Record, channel: int) -> str:
        near = self._around(record, channel)
        return extent("channels", near[0], near[-1])

    def input_gradient(self, cell: Cell) -> Sequence[Section]:
        record, (_, a, beta, _) = cell.record, lrn_coefficients(**self.layer.options)
        row, column, channel = cell.place
        x = float(record.x[cell.index])
        parts: list[Part] = []
        for other in self._around(record, channel):
            neighbour = cell.at((row, column, other))
            s, dy = self._squares(neighbour)[1], float(cell.dy[neighbour.index])
            if other == channel:
                parts.append(
                    Product("dy * s^-beta", dy, _power(s, -beta), Source("dy", cell.place))
                )
            its_x = float(record.x[neighbour.index])
            shared = -2 * a * beta * dy * its_x * _power(s, -beta - 1) + 0.0  # not -0.0
            parts.append(Product(f"by s of {channel_name(record, other)}", shared, x))
        heading = (
            "dy * s^-beta, and by each s' that x is part of, -2 a beta dy' x' s'^(-beta-1) * x, "
            f"with a = {a:.7g} and beta = {beta:g}:"
        )
        return [SumTree(heading, grouped("sum", parts, "terms"))]

    def gradient_formula(self, record: Record) -> str:
        return "dy/s^beta - 2*a*beta*x * sum over channels of dy*x/s^(beta+1)"

    def roundings(self, record: Record, sample: int) -> int:
        return _POWER

    def why_zero(self, cell: Cell) -> Causes:
        row, column, channel = cell.place
        fed = np.ix_([cell.sample], [row], [column], self._around(cell.record, channel))
        return why_no_term_is_left(cell, fed, before_activation=False)

    def _around(self, record: Record, channel: int) -> range:
        """The channels whose squares are part of a channel's s; they are as many as it is part of."""
        reach = self.layer.size // 2
        return range(max(channel - reach, 0), min(channel + reach + 1, record.x.shape[3]))

    def _squares(self, cell: Cell) -> tuple[Sum, float]:
        """The squares around a channel, and the s that they make."""
        record, (_, a, _, k) = cell.record, lrn_coefficients(**self.layer.options)
        row, column, channel = cell.place
        x = record.x[cell.sample, row, column].astype(np.float64).tolist()
        near = self._around(record, channel)
        parts = [
            Product(channel_name(record, c), x[c], x[c], Source("x", (row, column, c)))
            for c in near
        ]
        tree = grouped("sum", parts, "channels")
        return tree, k + a * tree.value

    def _dialect(self, a: float) -> str:
        """Which of two definitions of alpha holds."""
        alpha, size = self.layer.alpha, self.layer.size
        if a != alpha:
            return f"alpha / n = {alpha:g} / {size}"
        return f"alpha = {alpha:g}, not divided by n"


def _idle(s: float, beta: float, k: float) -> str:
    """Whether the squares are so small beside k that the layer normalises nothing."""
    if k == 0 or not abs(1 - _power(s / k, -beta)) < _NEXT_TO_NOTHING:
        return ""
    scale = _power(k, beta)
    rest = f" but divide by {k:g}^{beta:g} = {number(scale)}" if scale != 1 else ""
    return f"LRN does nothing here{rest}: the squares hardly add to k"


def _power(base: float, exponent: float) -> float:
    """base^exponent, where 0 to a negative power is infinite, as for the engine."""
    return float(np.float64(base) ** exponent)
