"""What the walk shows of a lesson, each thing worked out once: rows, maps, opened numbers."""

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
from tinycnn.explain.walk.tensor_layout import Spot, TensorLayout, of_output, of_parameter
from tinycnn.passes import Record
from tinycnn.trace import Trace

_KEPT = 32  # opened numbers


class LessonCache:
    """A lesson, and what has been worked out of it.

    Positions: 0 is the input, then come the layers, ``last`` is the loss.
    """

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self._layouts: dict[tuple[int, str, bool], TensorLayout] = {}
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

    def layout(self, position: int, part: str = "", *, backward: bool = False) -> TensorLayout:
        """The map of an output ("") or a parameter, or of its gradient."""
        key = (position, part, backward)
        if key not in self._layouts:
            trace = self.lesson.backward if backward else self.lesson.trace
            if position == 0:
                laid_out = _of_input(trace, backward=backward)
            elif part:
                laid_out = _of_parameter(self.record(position), part, backward=backward)
            else:
                laid_out = _of_output(self.record(position), backward=backward)
            self._layouts[key] = laid_out
        return self._layouts[key]

    def start(self, position: int, part: str = "", *, backward: bool = False) -> Spot:
        """Where one first stands on a map: the middle of the picture, else the largest number."""
        key = (position, part, backward)
        if key not in self._starts:
            layout = self.layout(position, part, backward=backward)
            middle = layout.spot([size // 2 for size in layout.shape])
            self._starts[key] = middle if layout.what is None else layout.largest()
        return self._starts[key]

    def field(self, position: int, layout: TensorLayout, spot: Spot) -> Region | None:
        """The pixels that a cell of an output depends on; None where it depends on all of them."""
        if len(layout.shape) != 3:
            return None
        row, column = divmod(spot[0], layout.columns)
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


def _of_input(trace: Trace, *, backward: bool) -> TensorLayout:
    """The picture, or its gradient."""
    first = trace.records[0]
    channel = COLOUR if reads_colours(first) else "channel"
    if not backward:
        return of_output("input", None, trace.x[0], channel)
    dx = np.full(trace.x.shape, np.nan) if first.dx is None else first.dx
    return of_output("dL/dx of the input", f"{first.name}.x", dx[0], channel)


def _of_parameter(record: Record, part: str, *, backward: bool) -> TensorLayout:
    """A parameter, or its gradient."""
    what, grid = f"{record.name}.{part}", explainer_of(record.layer).parameter_grid(record, part)
    if not backward:
        return of_parameter(what, what, grid, record.params[part])
    return of_parameter(f"dL/d {what}", what, grid, (record.grads or {})[part])


def _of_output(record: Record, *, backward: bool) -> TensorLayout:
    """A layer's feature maps, or their gradient."""
    channel = explainer_of(record.layer).channel
    if not backward:
        return of_output(record.name, record.name, record.y[0], channel)
    # A softmax at the end is one step with the loss: only what stands before it has a gradient.
    letter, values = ("z", record.dz) if record.dy is None else ("y", record.dy)
    assert values is not None
    return of_output(
        f"dL/d{letter} of {record.name}", f"{record.name}.{letter}", values[0], channel
    )
