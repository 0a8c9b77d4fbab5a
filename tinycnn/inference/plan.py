"""How a chain of layers is carried out in inference: which algorithm, which tiles, which layers together.

Chosen by counted work and bytes from shapes and dtype alone, never from values, and before anything
runs: so a plan can be read, and an ``algorithm`` that is asked for overrides it.

Layers that pass images on in blocks of the same number form a group: a block goes through the whole
group, depth first, while its feature maps are in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from tinycnn.layers import (
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPool2D,
    Shape,
)
from tinycnn.ops.convolution.choice import choose, refusal
from tinycnn.ops.convolution.direct import DirectConvolution
from tinycnn.ops.convolution.geometry import Geometry
from tinycnn.ops.convolution.winograd.blocking import images_of_a_block
from tinycnn.ops.convolution.winograd.setup import WinogradSetup
from tinycnn.ops.convolution.winograd.tiling import Tiling
from tinycnn.shapes import Window
from tinycnn.tables import html_table, text_table

_FLOAT32 = np.dtype(np.float32)


@dataclass(frozen=True)
class Step:
    """What one layer, or a part of it, does. Work is for one image, in multiply-adds."""

    layer: str
    position: int  # of the layer in its chain
    method: str  # "winograd", "space to depth", "direct", "maximum", "packed dense" or "layer"
    input_shape: Shape
    output_shape: Shape
    images: int | None  # in a block; None: the whole batch, by the layer's own means
    winograd: WinogradSetup | None = None
    direct: DirectConvolution | None = None
    window: Window | None = None
    multiply_adds: int = 0  # by the formula of the layer
    products: int = 0  # that are carried out
    weight_bytes: int = 0  # read for each block

    @property
    def tiles(self) -> str:
        """The tiles' sizes along height and width, such as ``1 of 5, 2 of 4``."""
        if self.winograd is None or self.method != "winograd":
            return ""
        rows, columns = _sizes(self.winograd.conv.rows), _sizes(self.winograd.conv.columns)
        return rows if rows == columns else f"{rows} x {columns}"


@dataclass(frozen=True)
class Group:
    """Steps that a block of ``images`` goes through before the next block begins; None: the batch."""

    steps: tuple[Step, ...]
    images: int | None


@dataclass(frozen=True)
class Plan:
    """The steps of a chain for batches of ``batch`` images, in groups; ``str`` is a table."""

    batch: int
    groups: tuple[Group, ...]
    algorithm: str | None = None  # of all convolutions; None: each layer's own

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in order."""
        return tuple(step for group in self.groups for step in group.steps)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data."""
        rows = [dict(zip(_TABLE, row, strict=True)) for row in self._rows()]
        return {"batch": self.batch, "steps": rows}

    def __str__(self) -> str:
        return f"For batches of {self.batch}:\n\n{text_table(_TABLE, self._rows(), 4)}"

    def _repr_html_(self) -> str:
        return html_table(_TABLE, self._rows(), 4)

    def _rows(self) -> list[list[str]]:
        return [
            [
                step.layer,
                step.method,
                step.tiles,
                "batch" if step.images is None else str(step.images),
                f"{step.multiply_adds:,}" if step.multiply_adds else "",
                f"{step.products:,}" if step.products else "",
                f"{step.weight_bytes / 1e6:,.1f} MB" if step.weight_bytes else "",
            ]
            for step in self.steps
        ]


_TABLE = ("layer", "method", "tiles", "images / together", "multiply-adds / an image",
          "products / carried out", "weights / read")  # fmt: skip


def plan(
    layers: Sequence[Layer],
    input_shape: Shape,
    dtype: np.dtype[Any],
    batch: int,
    algorithm: str | None = None,
) -> Plan:
    """Choose for ``layers``, whose shapes have been checked, and batches of ``batch`` images.

    ``algorithm`` is that of all convolutions; None: each layer's own.
    """
    steps: list[Step] = []
    shape = tuple(input_shape)
    for position, layer in enumerate(layers):
        steps += _steps(position, layer, shape, dtype, batch, algorithm)
        shape = tuple(layer.output_shape(shape))
    together = groupby(
        _with_pools(steps), key=lambda step: (step.images, step.images is None and step.position)
    )
    return Plan(batch, tuple(Group(tuple(group), key[0]) for key, group in together), algorithm)


def _is(layer: Layer, kind: type[Layer]) -> bool:
    return type(layer) is kind and layer.computes_as(kind)


def _steps(
    position: int,
    layer: Layer,
    shape: Shape,
    dtype: np.dtype[Any],
    batch: int,
    algorithm: str | None,
) -> list[Step]:
    """The steps of one layer."""
    if any(_is(layer, kind) for kind in (Dropout, Flatten)):
        return []  # dropout is for training, and what needs its input flat flattens it by itself
    output, work = tuple(layer.output_shape(shape)), layer.multiply_adds(shape)
    if dtype == np.float32:
        if isinstance(layer, Conv2D) and _is(layer, Conv2D):
            steps = _convolution(position, layer, shape, batch, algorithm or layer.algorithm)
            if steps:
                return steps
        if isinstance(layer, MaxPool2D) and _is(layer, MaxPool2D):
            return [
                Step(
                    str(layer.name),
                    position,
                    "maximum",
                    shape,
                    output,
                    1,
                    window=layer.window(shape),
                )
            ]
        if _is(layer, Dense):
            return [
                Step(
                    str(layer.name), position, "packed dense", shape, output, None,
                    multiply_adds=work, products=work, weight_bytes=4 * work,
                )
            ]  # fmt: skip
    return [
        Step(
            str(layer.name),
            position,
            "layer",
            shape,
            output,
            None,
            multiply_adds=work,
            products=work,
        )
    ]


def _convolution(position: int, layer: Conv2D, shape: Shape, batch: int, asked: str) -> list[Step]:
    """The steps of a convolution; none where its layer does it by itself."""
    geometry = Geometry(batch, shape[2], layer.filters, layer.groups, layer.window(shape))
    if refusal(asked, geometry, _FLOAT32) is not None:
        return []
    setup = choose(asked, geometry, _FLOAT32).setup
    if isinstance(setup, WinogradSetup):
        return _winograd(position, layer, shape, geometry, setup)
    if isinstance(setup, DirectConvolution):
        return [_direct(position, layer, shape, geometry, setup)]
    return []


def _direct(
    position: int, layer: Conv2D, shape: Shape, geometry: Geometry, conv: DirectConvolution
) -> Step:
    """The step of a convolution whose windows are multiplied where they lie."""
    work = layer.multiply_adds(shape)
    return Step(
        str(layer.name), position, "direct", shape, tuple(layer.output_shape(shape)),
        min(conv.images, geometry.N), direct=conv, multiply_adds=work, products=work,
        weight_bytes=4 * geometry.window.cells * conv.C * conv.F,
    )  # fmt: skip


def _winograd(
    position: int, layer: Conv2D, shape: Shape, geometry: Geometry, setup: WinogradSetup
) -> list[Step]:
    """The steps of a convolution by Winograd's algorithm."""
    conv, squares = setup.conv, setup.squares
    images = min(images_of_a_block(conv.rows, conv.columns), geometry.N)
    name, output = str(layer.name), tuple(layer.output_shape(shape))
    steps = []
    if squares is not None:
        stacked = (*squares.size, squares.channels)
        steps.append(Step(name, position, "space to depth", shape, stacked, images, winograd=setup))
        shape = stacked
    steps.append(
        Step(
            name, position, "winograd", shape, output, images, winograd=setup,
            multiply_adds=geometry.cells_per_image * geometry.window.cells * geometry.C * geometry.F,
            products=conv.products, weight_bytes=4 * conv.frequencies * conv.C * conv.F,
        )
    )  # fmt: skip
    return steps


def _with_pools(steps: Sequence[Step]) -> list[Step]:
    """A pool takes the images that the step before it gives together."""
    result: list[Step] = []
    for step in steps:
        if step.method == "maximum" and result and result[-1].images is not None:
            step = replace(step, images=result[-1].images)
        result.append(step)
    return result


def _sizes(tiling: Tiling) -> str:
    """Such as ``2 of 5, 3 of 4``."""
    parts = [(tiling.big, tiling.outputs), (tiling.small, tiling.outputs - 1)]
    return ", ".join(f"{count} of {size}" for count, size in parts if count)
