"""How a chain of layers is carried out in inference: which algorithm, which tiles, which layers together.

Chosen by counted work and bytes from shapes and dtype alone, never from values, and before anything
runs: so a plan can be read, and an ``algorithm`` that is asked for overrides it.

Layers that pass images on in blocks of the same number form a group: a block goes through the whole
group, depth first, while its feature maps are in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.inference.layers import STEPS
from tinycnn.inference.steps import Place, PlanStep, Steps
from tinycnn.layers import Layer, Shape
from tinycnn.tables import html_table, text_table


@dataclass(frozen=True)
class Group:
    """Steps that a block of ``images`` goes through before the next block begins; None: the batch."""

    steps: tuple[PlanStep, ...]
    images: int | None


@dataclass(frozen=True)
class Plan:
    """The steps of a chain for batches of ``batch`` images, in groups; ``str`` is a table."""

    batch: int
    groups: tuple[Group, ...]
    algorithm: str | None = None  # of all convolutions; None: each layer's own

    @property
    def steps(self) -> tuple[PlanStep, ...]:
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
    steps: Steps = ()
    shape = tuple(input_shape)
    for position, layer in enumerate(layers):
        place = Place(layer, position, shape, dtype, batch, algorithm)
        steps = STEPS.of(layer)(place, steps)
        shape = place.output_shape
    return Plan(batch, _groups(steps), algorithm)


def _groups(steps: Steps) -> tuple[Group, ...]:
    """Put together what follows each other in blocks of the same number of images."""
    groups: list[list[PlanStep]] = []
    for step in steps:
        last = groups[-1][-1] if groups else None
        if last and last.images is not None and last.images == step.images and not last.then:
            groups[-1].append(step)
        else:
            groups.append([step])
    return tuple(Group(tuple(group), group[0].images) for group in groups)
