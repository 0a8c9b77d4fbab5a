"""Convolution explained: its cells, and the gradient of its input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.explainer import Causes, Grid, explainers
from tinycnn.explain.layers.conv2d_parameters import bias_gradient, weight_gradient
from tinycnn.explain.layers.weighted import Weighted, with_biggest
from tinycnn.explain.layers.windowed import NO_INFLUENCE, Windowed
from tinycnn.explain.values.explanation import Section, SumTree
from tinycnn.explain.values.places import COLOUR, Cell, Place, channel_name, reads_colours
from tinycnn.explain.values.sums import (
    MOST,
    Part,
    Product,
    Source,
    Sum,
    Term,
    extent,
    grouped,
    mapped,
)
from tinycnn.layers import Conv2D, Shape
from tinycnn.passes import Record
from tinycnn.wording import every, many


@explainers.register(Conv2D)
class Conv2DExplainer(Windowed, Weighted):
    """Each cell is the sum of its window times the weights of its filter, plus the filter's bias."""

    layer: Conv2D
    channel = "filter"
    parameter_axes: ClassVar = {
        "W": ("kernel row", "kernel column", "channel", "filter"),
        "b": ("filter",),
    }
    everywhere = "at every place"
    unrolls = True

    # ------------------------------------------------------------------------------------ forward

    def cell(self, cell: Cell) -> Sequence[Section]:
        tree = self._window_sum(cell)
        terms = cell.record.params["W"][..., cell.place[2]].size
        heading = f"{many(terms, 'product')} x * W, added up by kernel position:"
        kernel = self.window(cell.record).kernel
        section = SumTree(heading, tree, kernel=kernel, planes="channel")
        return [section, *self.finish(cell, tree)]

    def _window_sum(self, cell: Cell) -> Sum:
        """The products of a window, by kernel position and then by channel."""
        record, (row, column, f), win = cell.record, cell.place, self.window(cell.record)
        W, channels = record.params["W"], self._channels_of(record, f)

        def position(i: int, j: int) -> Part:
            h = win.height.seen(row, row)[0] + i * win.dilation[0]
            w = win.width.seen(column, column)[0] + j * win.dilation[1]
            if not (0 <= h < win.height.input and 0 <= w < win.width.input):
                return Term(f"position ({i},{j}), padding", 0.0, position=(i, j))
            x, weights = record.x[cell.sample, h, w].tolist(), W[i, j, :, f].tolist()
            parts = [
                Product(
                    channel_name(record, c),
                    x[c],
                    weights[k],
                    Source("x", (h, w, c)),
                    Source("W", (i, j, k, f)),
                )
                for k, c in enumerate(channels)
            ]
            products = grouped(f"position ({i},{j})", parts, "channels", channels[0])
            return replace(products, position=(i, j))

        KH, KW = win.kernel
        if KH * KW <= MOST:
            return mapped("sum", KH, KW, position)
        rows = [
            grouped(f"kernel row {i}", [position(i, j) for j in range(KW)], "columns")
            for i in range(KH)
        ]
        return grouped("sum", rows, "kernel rows")

    def _channels_of(self, record: Record, f: int) -> range:
        """The channels of the input that a filter reads: those of its group."""
        count = record.params["W"].shape[2]
        first = f // (self.layer.filters // self.layer.groups) * count
        return range(first, first + count)

    def _filters_of(self, record: Record, channel: int) -> range:
        """The filters that read a channel of the input: those of its group."""
        count = self.layer.filters // self.layer.groups
        first = channel // record.params["W"].shape[2] * count
        return range(first, first + count)

    def channels_seen(self, record: Record, channel: int) -> str:
        if self.layer.groups == 1:
            return every(record.x.shape[3], "channel")
        channels = self._channels_of(record, channel)
        return extent("channels", channels[0], channels[-1])

    # ----------------------------------------------------------------------------------- backward

    def input_gradient(self, cell: Cell) -> Sequence[Section]:
        region = self.region_over(cell.record.x.shape[1:], cell.place)
        if region is None:
            return [NO_INFLUENCE]
        (r0, r1), (c0, c1) = region
        tree = mapped(
            "sum", r1 - r0 + 1, c1 - c0 + 1, lambda i, j: self._sent(cell, r0 + i, c0 + j)
        )
        heading = (
            f"dz * W over the places that read this cell, {extent('rows', r0, r1)} and "
            f"{extent('columns', c0, c1)}, and over the filters:"
        )
        return with_biggest(SumTree(heading, tree, planes="filter"))

    def _sent(self, cell: Cell, row: int, column: int) -> Part:
        """What a place of the output sends back to a cell of the input, over all filters."""
        record, (h, w, channel), win = cell.record, cell.place, self.window(cell.record)
        i, between_rows = divmod(h - win.height.seen(row, row)[0], win.dilation[0])
        j, between_columns = divmod(w - win.width.seen(column, column)[0], win.dilation[1])
        name = f"place ({row},{column})"
        if between_rows or between_columns:
            return Term(f"{name}, not read", 0.0)  # it lies between two kernel cells
        W, dz = record.params["W"], cell.dz[cell.sample, row, column].tolist()
        weights = W[i, j, channel % W.shape[2]].tolist()
        filters = self._filters_of(record, channel)
        parts = [
            Product(
                f"filter {f}",
                dz[f],
                weights[f],
                Source("dz", (row, column, f)),
                Source("W", (i, j, channel % W.shape[2], f)),
            )
            for f in filters
        ]
        return replace(grouped(name, parts, "filters", filters[0]), position=(row, column))

    def fed(self, cell: Cell) -> Any:
        filters = self._filters_of(cell.record, cell.place[2])
        return np.ix_(
            [cell.sample], *self.windows_over(cell.record.x.shape[1:], cell.place), filters
        )

    def why_windows_send_nothing(self, cell: Cell) -> Causes:
        return self.why_sums_send_nothing(cell)

    def parameter_gradient(self, cell: Cell, parameter: str) -> Sequence[Section]:
        if parameter == "b":
            return bias_gradient(cell)
        channel = self._weight_channel(cell.record, cell.place)
        return weight_gradient(
            cell, self.window(cell.record), channel, self.met(cell.record, cell.place)
        )

    def met(self, record: Record, index: Place) -> Array:
        x, win = record.x[..., self._weight_channel(record, index)], self.window(record)
        met: Array = np.zeros((len(x), *win.output), x.dtype)
        (oh, h), (ow, w) = (
            _reads(axis.output, axis.input, axis.seen(0, 0)[0] + at * axis.dilation, axis.stride)
            for axis, at in zip((win.height, win.width), index[:2], strict=True)
        )
        met[:, oh[:, None], ow] = x[:, h[:, None], w]
        return met

    def _weight_channel(self, record: Record, index: Place) -> int:
        """The channel of x that a weight reads, counted over all groups."""
        return self._channels_of(record, index[-1])[index[2]]

    # ------------------------------------------------------------------------ the overview, the maps

    def parameter_formula(self, shape: Shape) -> str:
        KH, KW = self.layer.kernel
        return self.weights_formula(f"{KH}*{KW}*{shape[2] // self.layer.groups}", shape)

    def gradient_formula(self, record: Record) -> str:
        return "sum over all places of dz * x"

    def parameter_grid(self, record: Record, parameter: str) -> Grid:
        axes = self.parameter_axes[parameter]
        if reads_colours(record):
            axes = tuple(COLOUR if axis == "channel" else axis for axis in axes)
        return Grid(record.params[parameter].shape, axes, is_image=parameter == "W")


def _reads(outputs: int, inputs: int, first: int, stride: int) -> tuple[Array, Array]:
    """Of the outputs along an axis, those that read inside the image, and what they read."""
    read = first + stride * np.arange(outputs)
    inside = (read >= 0) & (read < inputs)
    return np.flatnonzero(inside), read[inside]
