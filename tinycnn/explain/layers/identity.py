"""No activation, explained."""

from __future__ import annotations

from collections.abc import Sequence

from tinycnn.arrays import Array
from tinycnn.explain.explainer import ActivationExplainer, Causes, register_activation
from tinycnn.explain.layers.passing import passed_on
from tinycnn.explain.values.explanation import Section
from tinycnn.explain.values.places import Cell, Place
from tinycnn.layers import IDENTITY
from tinycnn.passes import Record


@register_activation(IDENTITY)
class IdentityExplainer(ActivationExplainer):
    """y = z."""

    def row(self, z: Array, y: Array, place: Place) -> Sequence[Section]:
        return []

    def gradient(self, cell: Cell) -> Sequence[Section]:
        return [passed_on("there is no activation: dz is dy", cell)]

    def gradient_formula(self, record: Record) -> str:
        return "dy"

    def why_zero(self, cell: Cell, above: Causes) -> Causes:
        return above
