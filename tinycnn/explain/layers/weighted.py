"""What layers share whose cells are sums of inputs times weights W, plus a bias b."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from operator import add
from typing import Any, ClassVar

import numpy as np

from tinycnn.arrays import Array
from tinycnn.explain.causes import lost_above, lost_by_activation, why_no_term_is_left
from tinycnn.explain.explainer import Causes, Explainer, activation_explainer
from tinycnn.explain.values.checks import check_sum
from tinycnn.explain.values.explanation import Notes, Section, Step, SumTree
from tinycnn.explain.values.places import Cell, Place
from tinycnn.explain.values.printing import biggest, number, plus
from tinycnn.explain.values.sums import MOST, Sum
from tinycnn.explain.values.task import Slip, Task
from tinycnn.layers import Shape
from tinycnn.passes import Record
from tinycnn.wording import every, many


class Weighted(Explainer):
    """A layer with parameters W and b; W's last axis and b's are the filters, or units."""

    side_by_side = True

    everywhere: ClassVar[str]  # where a weight is used: "at every place", "for every image"

    def finish(self, cell: Cell, tree: Sum) -> list[Section]:
        """Bias, activation, and the agreement of the sum before the activation."""
        record, place = cell.record, cell.place
        activation = activation_explainer(record.layer.activation)
        logits, bias = record.z, None
        steps, z = [], tree.value
        if "b" in record.params:
            bias = float(record.params["b"][place[-1]])
            z = tree.value + bias
            task = Task(f"add the bias, {number(bias)}", "the bias is missing", partial(add, bias))
            steps = [Step("BIAS", plus(tree.value, bias), z, task=task)]
        return [
            *steps,
            *activation.step(z),
            check_sum(tree, float(logits[cell.index]), logits.dtype, bias=bias),
            *activation.row(logits[cell.index[:-1]], record.y[cell.index[:-1]], place),
        ]

    def weights_formula(self, terms: str, shape: Shape) -> str:
        """The parameter count worked out, of so many ``terms`` a sum, such as ``(3*3*96+1)*256 = ...``."""
        a_sum = f"({terms}+1)" if self.layer.bias else terms
        F = self.layer.output_shape(shape)[-1]
        return f"{a_sum}*{F} = {self.parameter_count(shape):,}"

    def count_slips(self, shape: Shape) -> Iterable[Slip]:
        shapes, count = self.layer.parameter_shapes(shape), self.parameter_count(shape)
        window, filters = shapes["W"][:-2], shapes["W"][-1]
        biases = count - math.prod(shapes["W"])
        yield Slip(float(count - filters), "the biases are missing: one for each " + self.channel)
        yield Slip(
            float(count // filters), f"that is one {self.channel} alone: there are {filters:,}"
        )
        if window:
            flat = math.prod(window) * filters
            words = "the channels were forgotten: a filter has a window of weights for each"
            yield from (Slip(float(flat + more), words) for more in (biases, 0))
            uses = math.prod(self.layer.output_shape(shape)[:2])
            words = "a filter has the same weights at every place of the map: count them once"
            yield from (
                Slip(float(count * uses), words),
                Slip(float((count - biases) * uses), words),
            )
        elif len(shape) > 1:
            words = "the input is flattened: rows and columns count too"
            yield from (Slip(float(shape[-1] * filters + more), words) for more in (biases, 0))

    def met(self, record: Record, index: Place) -> Array:
        """What a weight of W met wherever it was used: (N, ...)."""
        raise NotImplementedError

    def fed(self, cell: Cell) -> Any:
        """The cells of the output that a cell of the input has a part in, as an index."""
        raise NotImplementedError

    def why_sums_send_nothing(self, cell: Cell) -> Causes:
        """Why dL/dx is zero at a cell of the input that is part of some sums."""
        return why_no_term_is_left(cell, self.fed(cell), before_activation=True)

    def why_parameter_zero(self, cell: Cell) -> Causes:
        record, index = cell.record, cell.place
        here = (..., index[-1])
        sent = int(np.count_nonzero(cell.dz[here]))
        if sent:
            places = "only place" if sent == 1 else many(sent, "place")
            return (f"at the {places} where dz is not 0, what the weight met is 0",)
        what, size = f"{self.channel} {index[-1]}", cell.dz[here].size
        nothing = record.dy is not None and not record.dy[here].any()
        died = activation_explainer(record.layer.activation).stops(record, here)
        causes: list[str] = []
        if nothing or not died:
            nowhere = "its dz is 0" if size == 1 else f"dz is 0 at {every(size, 'place')}"
            causes.append(f"no gradient reaches {what}: {nowhere}")
            causes += lost_above(cell, here)
            causes += () if died else lost_by_activation(cell, here)
        if died:
            title = record.layer.activation.title
            causes.append(
                f"{what} died at {record.name}'s {title} {self.everywhere}{' too' * nothing}"
            )
        if len(index) > 1 and not self.met(record, index).any():
            causes.append(f"what the weight met is 0 {self.everywhere} too")
        return tuple(causes)


def with_biggest(section: SumTree) -> list[Section]:
    """A sum, and where it is too long to be read in one go, its largest terms."""
    tree = section.tree
    return [section, Notes("BIGGEST", biggest(tree))] if tree.terms > MOST else [section]
