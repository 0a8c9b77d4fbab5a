"""What the walk leafs through: a lesson's layers, maps and opened numbers, each worked out once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.explainer import explainer_of
from tinycnn.explain.lessons import overview
from tinycnn.explain.lessons.lesson import Lesson
from tinycnn.explain.lessons.overview import BackwardRow, ForwardRow
from tinycnn.explain.opening import explain
from tinycnn.explain.receptive_field import picture_of, receptive_field
from tinycnn.explain.values.explanation import Explanation
from tinycnn.explain.values.places import COLOUR, Region, reads_colours
from tinycnn.explain.walk import sheets
from tinycnn.explain.walk.sheets import Sheet, Spot
from tinycnn.passes import Record

_KEPT = 32  # opened numbers


class Book:
    """A lesson page by page. Positions: 0 is the input, then come the layers, ``last`` is the loss."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self._sheets: dict[tuple[int, str, bool], Sheet] = {}
        self._starts: dict[tuple[int, str, bool], Spot] = {}
        self._opened: dict[tuple[str, tuple[int, ...] | None], Explanation] = {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What stands at each position."""
        layers = (str(layer.name) for layer in self.lesson.model.layers)
        return ("input", *layers, "loss")

    @property
    def last(self) -> int:
        """The position of the loss."""
        return len(self.names) - 1

    @property
    def has_gradients(self) -> bool:
        """Whether the backward pass has been worked out."""
        return "backward" in vars(self.lesson)

    @cached_property
    def pixels(self) -> Array | None:
        """The input as a picture; None if it is none."""
        return picture_of(self.lesson.trace, 0)

    def position(self, layer: str) -> int:
        """Where ``layer`` stands."""
        return self.names.index(self.lesson.trace[layer].name, 1)

    def record(self, position: int) -> Record:
        """The record of the layer at ``position``."""
        return self.lesson.trace.records[position - 1]

    def parameters(self, position: int) -> tuple[str, ...]:
        """The names of a layer's parameters, "W" and "b"."""
        return tuple(self.record(position).params) if 0 < position < self.last else ()

    @cached_property
    def forward_rows(self) -> tuple[ForwardRow, ...]:
        """The overview's rows, in layer order."""
        return tuple(overview.forward_rows(self.lesson))

    @cached_property
    def backward_rows(self) -> tuple[BackwardRow, ...]:
        """The overview's rows of the gradients, in layer order too."""
        return tuple(overview.backward_rows(self.lesson))[::-1]

    def sheet(self, position: int, part: str, backward: bool) -> Sheet:
        """The map of an output ("") or a parameter, or of its gradient."""
        key = (position, part, backward)
        if key not in self._sheets:
            self._sheets[key] = self._lay_out(*key)
        return self._sheets[key]

    def _lay_out(self, position: int, part: str, backward: bool) -> Sheet:
        trace = self.lesson.backward if backward else self.lesson.trace
        first = trace.records[0]
        if position == 0:
            last = COLOUR if reads_colours(first) else "channel"
            if not backward:
                return sheets.of_output("input", None, trace.x[0], last)
            dx = np.full(trace.x.shape, np.nan) if first.dx is None else first.dx
            return sheets.of_output("dL/dx of the input", f"{first.name}.x", dx[0], last)
        record = self.record(position)
        explainer = explainer_of(record.layer)
        if part:
            what = f"{record.name}.{part}"
            tensor = (record.grads or {})[part] if backward else record.params[part]
            grid = explainer.parameter_grid(record, part)
            return sheets.of_parameter(f"dL/d {what}" if backward else what, what, grid, tensor)
        last = explainer.channel
        if not backward:
            return sheets.of_output(record.name, record.name, record.y[0], last)
        # A softmax at the end is one step with the loss: only what stands before it has a gradient.
        letter, values = ("z", record.dz) if record.dy is None else ("y", record.dy)
        assert values is not None
        what = f"{record.name}.{letter}"
        return sheets.of_output(f"dL/d{letter} of {record.name}", what, values[0], last)

    def start(self, position: int, part: str, backward: bool) -> Spot:
        """Where one first stands on a map: the middle of the picture, else the largest number."""
        key = (position, part, backward)
        if key not in self._starts:
            sheet = self.sheet(*key)
            middle = sheet.spot([size // 2 for size in sheet.shape])
            self._starts[key] = middle if sheet.what is None else sheet.largest()
        return self._starts[key]

    def field(self, position: int, sheet: Sheet, spot: Spot) -> Region | None:
        """The pixels that a cell of an output depends on; None where it depends on all of them."""
        if len(sheet.shape) != 3:
            return None
        row, column = divmod(spot[0], sheet.columns)
        region = ((row, row), (column, column))
        return receptive_field(self.lesson.model, position - 1, region) if position else region

    def is_open(self, what: str, place: tuple[int, ...] | None) -> bool:
        """Whether a number has been opened before."""
        return (what, place) in self._opened

    def explanation(self, what: str, place: tuple[int, ...] | None) -> Explanation:
        """Open a number: ``what`` and ``place`` as `explain` takes them."""
        key = (what, place)
        if key not in self._opened:
            forward = what in self.names[1:-1]
            trace = self.lesson.trace if forward else self.lesson.backward
            if len(self._opened) >= _KEPT:
                self._opened.clear()
            self._opened[key] = explain(trace, what, place)
        return self._opened[key]
