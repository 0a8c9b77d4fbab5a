"""Batch normalisation explained: in training with the mean and the variance as sums over the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tinycnn.explain.causes import lost_above, why_no_term_is_left, why_nothing_comes
from tinycnn.explain.explainer import ByPlace, Causes, Explainer, explainers
from tinycnn.explain.layers.normalized_channel import ROUNDINGS, NormalizedChannel
from tinycnn.explain.values.checks import check_sum
from tinycnn.explain.values.explanation import Section, Step, SumTree
from tinycnn.explain.values.places import Cell, Region, Seen, channel_name
from tinycnn.explain.values.printing import factors
from tinycnn.explain.values.sums import Product, Source, Term, add
from tinycnn.layers import BatchNormalization, Shape
from tinycnn.passes import Record
from tinycnn.wording import every, many


@explainers.register(BatchNormalization)
class BatchNormalizationExplainer(ByPlace):
    """y = gamma * xhat + beta with xhat = (x - mean) / (variance + epsilon)^0.5."""

    layer: BatchNormalization
    parameter_axes: ClassVar = {"gamma": ("channel",), "beta": ("channel",)}
    terms_cancel = False  # in training always, in part; `why_zero` says what that means

    def cell(self, cell: Cell) -> Sequence[Section]:
        record, channel = cell.record, NormalizedChannel(cell.record, cell.place[-1])
        x, params = float(record.x[cell.index]), record.params
        gamma, beta = (float(params[name][channel.number]) for name in ("gamma", "beta"))
        deviation = add("sum", [Term("x", x), Term("-mean", -channel.mean)])
        xhat = deviation.value / channel.deviation
        y = add("sum", [Product("gamma * xhat", gamma, xhat), Term("beta", beta)])
        hidden = channel.unsure(abs(gamma) * channel.spread)
        engine = float(record.y[cell.index])
        return [
            *channel.sums(),
            SumTree("x less the mean:", deviation),
            Step("XHAT", f"{factors(deviation.value)[0]} / {channel.root}", xhat),
            SumTree("gamma * xhat + beta:", y),
            check_sum(y, engine, record.y.dtype, extra=ROUNDINGS, hidden=hidden),
        ]

    def seen(self, shape: Shape, region: Region, *, training: bool = False) -> Seen:
        kind = (
            Explainer if training else ByPlace
        )  # in training a map's every cell, through its moments
        return kind.seen(self, shape, region)

    def channels_seen(self, record: Record, channel: int) -> str:
        images = f", of {every(len(record.x), 'image')}" if record.context.training else ""
        return channel_name(record, channel) + images

    def read_by(self, cell: Cell) -> tuple[str, ...]:
        if not cell.record.context.training:
            return super().read_by(cell)
        name = channel_name(cell.record, cell.place[-1])
        return (f"{cell.record.name}: all of {name}, through its mean and variance",)

    def input_gradient(self, cell: Cell) -> Sequence[Section]:
        record, channel = cell.record, NormalizedChannel(cell.record, cell.place[-1])
        dy, gamma = float(cell.dy[cell.index]), float(record.params["gamma"][channel.number])
        scale = gamma / channel.deviation
        if not record.context.training:
            heading = f"dy * gamma / {channel.root}, where gamma = {factors(gamma)[0]}:"
            return [
                SumTree(heading, add("sum", [Product("dy", dy, scale, Source("dy", cell.place))]))
            ]
        M, xhat, dbeta, dgamma = channel.cells, channel.xhat(cell.index), *channel.gradients()
        parts = [
            Product("dy", dy, scale, Source("dy", cell.place)),
            Product("-dbeta / M", -dbeta.value / M + 0.0, scale),  # not -0.0
            Product("-xhat * dgamma / M", -xhat * dgamma.value / M + 0.0, scale),
        ]
        sizes = float(np.abs(channel.of(cell.dy)).mean()) * abs(scale)
        hidden = channel.unsure(sizes * (1 + (abs(xhat) + channel.spread) ** 2))
        heading = f"each times gamma / {channel.root}, with gamma = {factors(gamma)[0]}, M = {M:,}"
        heading += f" and xhat = {factors(xhat)[0]}:"
        return [
            SumTree(f"dbeta, {channel.named('dy')}:", dbeta),
            SumTree(f"dgamma, {channel.named('dy * xhat')}:", dgamma),
            SumTree(heading, add("sum", parts), hidden),
        ]

    def roundings(self, record: Record, sample: int) -> int:
        return ROUNDINGS

    def why_zero(self, cell: Cell) -> Causes:
        record, number = cell.record, cell.place[-1]
        if record.params["gamma"][number] == 0:
            return (f"{record.name}'s gamma of {channel_name(record, number)} is 0",)
        if not record.context.training:
            return why_nothing_comes(cell)
        if record.x[..., number].size == 1:
            return ("the only cell of its channel is its own mean: y is beta, whatever x is",)
        if cell.dy[..., number].any():
            return ("its mean and its variance take back all that dy asks for: the terms cancel",)
        fed = np.ix_(*map(range, record.x.shape[:-1]), [number])
        return why_no_term_is_left(cell, fed, before_activation=False)

    def parameter_gradient(self, cell: Cell, parameter: str) -> Sequence[Section]:
        channel = NormalizedChannel(cell.record, cell.place[0])
        dbeta, dgamma = channel.gradients()
        if parameter == "beta":
            return [SumTree(f"{channel.named('dy')}:", dbeta)]
        hidden = channel.unsure(channel.spread * float(np.abs(channel.of(cell.dy)).sum()))
        heading = f"{channel.named('dy * xhat')}, xhat = (x - mean) / {channel.root}:"
        return [*channel.sums(), SumTree(heading, dgamma, hidden)]

    def why_parameter_zero(self, cell: Cell) -> Causes:
        record, here = cell.record, (..., cell.place[0])
        size, sent = cell.dy[here].size, int(np.count_nonzero(cell.dy[here]))
        if sent:
            places = "only place" if sent == 1 else many(sent, "place")
            return (f"at the {places} where dy is not 0, xhat is 0",)
        nowhere = "its dy is 0" if size == 1 else f"dy is 0 at {every(size, 'place')}"
        reached = f"no gradient reaches {channel_name(record, cell.place[0])}: {nowhere}"
        return (reached, *lost_above(cell, here))

    def parameter_formula(self, shape: Shape) -> str:
        return f"2*{shape[-1]} = {self.parameter_count(shape):,}"

    def gradient_formula(self, record: Record) -> str:
        if not record.context.training:
            return "dy * gamma / deviation"
        return "gamma/deviation * (dy - dbeta/M - xhat*dgamma/M)"
