"""The table of a chain of layers: shapes, parameters, work and memory. Draws no weights, runs nothing."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from tinycnn.initializers import Initializer
from tinycnn.layers import Layer, Shape
from tinycnn.shapes import times
from tinycnn.tables import html_table, text_table

_TABLE = ("layer", "filters / neurons", "kernel", "stride", "padding", "feature map", "activation",
          "parameters")  # fmt: skip
_FACTS = ("filters", "kernel", "stride", "padding", "groups", "details")
_COMPARED = (
    "kind",
    *_FACTS,
    "output_shape",
    "activation",
    "parameters",
    "multiply_adds",
)
_COSTS = ("layer", "multiply-adds", "backward", "activations", "im2col whole")


@dataclass(frozen=True)
class Row:
    """One layer of a `Summary`. Work and memory are for one sample.

    ``name``, ``kind`` (its class) and ``activation`` say what it is; ``filters``, ``kernel``, ``stride``,
    ``padding``, ``groups`` and ``details`` how it is set, as texts, empty where it has no such thing;
    ``initial`` how each parameter is drawn. ``output_shape`` is (H, W, C) or (D,), ``parameters`` their
    number. ``multiply_adds`` are those of the forward pass, ``multiply_adds_backward`` those of the
    backward pass; ``activation_bytes`` is what a forward pass keeps, ``im2col_bytes`` what im2col would
    take, were it built whole.
    """

    name: str
    kind: str
    filters: str
    kernel: str
    stride: str
    padding: str
    groups: str
    details: str
    initial: dict[str, str]
    output_shape: Shape
    activation: str
    parameters: int
    multiply_adds: int
    multiply_adds_backward: int
    activation_bytes: int
    im2col_bytes: int


@dataclass(frozen=True)
class Summary:
    """A network's table: ``title``, ``input_shape``, ``dtype``, and ``rows``, one `Row` a layer.

    ``str`` is two tables, 80 columns wide where names and numbers let them; notebooks show HTML.
    """

    title: str
    input_shape: Shape
    dtype: str
    rows: tuple[Row, ...]

    @classmethod
    def of(
        cls,
        layers: Sequence[Layer],
        input_shape: Shape,
        dtype: str = "float32",
        name: str | None = None,
    ) -> Summary:
        """Describe ``layers``, whose shapes have been checked, over inputs of ``input_shape``.

        ``dtype`` is that of the arrays, ``name`` becomes the title.
        """
        itemsize = np.dtype(dtype).itemsize
        rows: list[Row] = []
        shape = input_shape
        for layer in layers:
            facts = dict.fromkeys(_FACTS, "")
            facts |= {name: str(fact) for name, fact in layer.facts().items() if name in facts}
            parameters = layer.parameter_shapes(shape)
            work = layer.multiply_adds(shape)
            output = tuple(layer.output_shape(shape))
            # dW takes as many products as the forward pass, dx as many again; nothing before the
            # first parameters needs a dx.
            need_dx = any(row.parameters for row in rows)
            rows.append(
                Row(
                    name=str(layer.name),
                    kind=type(layer).__name__,
                    **facts,
                    initial={name: _drawn(layer.initializer(name)) for name in parameters},
                    output_shape=output,
                    activation=layer.activation.title,
                    parameters=sum(map(math.prod, parameters.values())),
                    multiply_adds=work,
                    multiply_adds_backward=work * (1 + need_dx),
                    activation_bytes=math.prod(output) * itemsize,
                    im2col_bytes=layer.im2col_cells(shape) * itemsize,
                )
            )
            shape = output
        return cls(name or "model", tuple(input_shape), dtype, tuple(rows))

    @property
    def parameters(self) -> int:
        """Parameters of all layers."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one sample's forward pass."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def total(self) -> Row:
        """The sums of all columns that have one."""
        sums = {
            name: sum(getattr(row, name) for row in self.rows)
            for name in (
                "parameters", "multiply_adds", "multiply_adds_backward",
                "activation_bytes", "im2col_bytes",
            )
        }  # fmt: skip
        return replace(self.rows[-1], name="total", **sums)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "title": self.title,
            "input_shape": list(self.input_shape),
            "dtype": self.dtype,
            "rows": [asdict(row) | {"output_shape": list(row.output_shape)} for row in self.rows],
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "multiply_adds_backward": self.total.multiply_adds_backward,
            "activation_bytes": self.total.activation_bytes,
            "im2col_bytes": self.total.im2col_bytes,
        }

    def __str__(self) -> str:
        return "\n\n".join(
            [
                f"{self.title}: {self.parameters:,} parameters, {self.multiply_adds:,} "
                f"multiply-adds an image",
                text_table(*self._layer_table()),
                f"For one image, in {self.dtype}: multiply-adds forward and backward; what a\n"
                f"forward pass keeps; what im2col would take, were it built whole (it never is).",
                text_table(*self._cost_table()),
            ]
        )

    def _repr_html_(self) -> str:
        heading = f"<p><b>{html.escape(self.title)}</b>: {self.parameters:,} parameters</p>"
        return heading + html_table(*self._layer_table()) + html_table(*self._cost_table())

    def _layer_table(self) -> tuple[Sequence[str], list[list[str]], int]:
        first = ["input", "", "", "", "", times(self.input_shape), "", ""]
        body = [
            [row.name, row.filters, row.kernel, row.stride, row.padding, times(row.output_shape),
             row.activation, f"{row.parameters:,}" if row.parameters else ""]
            for row in self.rows
        ]  # fmt: skip
        last = ["total", "", "", "", "", "", "", f"{self.parameters:,}"]
        return _TABLE, [first, *body, last], 1

    def _cost_table(self) -> tuple[Sequence[str], list[list[str]], int]:
        body = [
            [row.name, *(f"{n:,}" if n else "" for n in (row.multiply_adds, row.multiply_adds_backward)),
             f"{row.activation_bytes / 1e3:,.1f} kB",
             f"{row.im2col_bytes / 1e3:,.1f} kB" if row.im2col_bytes else ""]
            for row in (*self.rows, self.total)
        ]  # fmt: skip
        return _COSTS, body, 4


def difference(a: Summary, b: Summary) -> str:
    """Say in which rows two networks differ, row by row and column by column."""
    body: list[list[str]] = []
    if a.input_shape != b.input_shape:
        body.append(["input", "feature map", times(a.input_shape), times(b.input_shape)])
    ours, theirs = _comparable(a), _comparable(b)
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        if name not in ours or name not in theirs:
            kinds = [side[name]["kind"] if name in side else "(none)" for side in (ours, theirs)]
            body.append([name, "kind", *kinds])
            continue
        for column in ours[name] | theirs[name]:
            texts = [side[name].get(column) or "(none)" for side in (ours, theirs)]
            if texts[0] != texts[1]:
                body.append([name, column, *texts])
    for column in ("parameters", "multiply_adds"):
        values = [f"{getattr(side, column):,}" for side in (a, b)]
        body.append(["total", column.replace("_", "-"), *values])
    return text_table(("layer", "column", a.title, b.title), body, 2)


def _comparable(summary: Summary) -> dict[str, dict[str, str]]:
    """Each row's columns as texts, by name."""
    result, before = {}, "input"
    for row in summary.rows:
        columns = {name.replace("_", "-"): _shown(getattr(row, name)) for name in _COMPARED}
        columns |= {f"{name} drawn by": drawn for name, drawn in row.initial.items()}
        result[row.name] = columns | {"after": before}
        before = row.name
    return result


def _drawn(initializer: Initializer) -> str:
    return str(getattr(initializer, "__name__", initializer))


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return times(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
